"""Look after the database: its schema, its backups, its way to PostgreSQL."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from bridge.cli.paint import say

if TYPE_CHECKING:
    from bridge.store.status import Counts, Description, Member

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def upgrade(*, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Bring the database to the schema of this genbridge.

    A SQLite file must not be in use; it is copied first to a file beside it. On PostgreSQL
    replicas may be running: back it up with your own tools.
    """
    from bridge.store.upgrade import upgrade as upgraded
    from bridge.telemetry.clock import SystemClock

    done = upgraded(_database(config), SystemClock().now())
    if done.backup is not None:
        say(f"copied to {done.backup}")
    if done.before == done.after:
        say(f"the schema is {done.after} already")
    else:
        say(f"the schema is {done.after} now, it was {done.before or 'none'}")


@app.command()
def status(*, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show the schema, how much there is, who is alive and what each owns.

    It reads the database itself, so a daemon need not run, and may.
    """
    from bridge.store.status import status as described

    found = described(_database(config))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2, default=datetime.isoformat))
    else:
        say("\n".join(_lines(found)))


@app.command()
def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The copy. It must not be there yet.")
    ],
    *,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Copy a SQLite database into one file, while the daemon goes on working.

    The copy holds secrets of callback URLs: only its owner may read it. It is on the disk and
    checked before it gets its name.
    """
    from bridge.core.settings import shared
    from bridge.errors import StoreRefused
    from bridge.store.backup import backup as copied
    from bridge.store.connection import shown

    database = _database(config)
    if shared(database):
        raise StoreRefused(f"{shown(database)} is backed up with pg_dump or a base backup")
    say(f"{file}: {_size(copied(Path(database), file))}, checked")


@app.command()
def move(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A SQLite file.")],
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW", help="An empty database: postgresql://..., or another file."
        ),
    ],
) -> None:
    """Carry a SQLite database into PostgreSQL.

    No daemon may run on either. Broken off, the same command goes on where it was. At the end
    every table is compared by count and checksum; OLD stays as it is. A password belongs into
    PGPASSWORD or ~/.pgpass, not into the command line.
    """
    from bridge.store.connection import shown
    from bridge.store.moving import move as moved

    rows = moved(
        old, new, lambda table, rows: say(f"{table:10} {rows:>12,} rows, the same")
    )
    say(f"all {rows:,} rows are there: set `database: {shown(new)}` and start the daemon")


def _database(config: Path) -> str:
    from bridge.cli.configuration import settings

    found = settings(config, check=True)
    # Locks of a session are worth nothing behind a pooler.
    return found.session_url or found.database


# ---------------------------------------------------------------- for people


def _lines(found: "Description") -> list[str]:
    head = [
        _line("database", f"{found.database} ({found.engine}), {_size(found.size)}"),
        _line("schema", f"{found.schema or 'none'}"),
    ]
    if found.note is not None:
        return [*head, f"the database {found.note}"]
    return [
        *head,
        *(_line("replica", _member(one)) for one in found.replicas),
        _line("watches", _counts(found.watches)),
        _line("deliveries", _counts(found.deliveries)),
        _line("attempts", _counts(found.attempts)),
        _line("learned", _learned(found.learned)),
    ]


def _line(name: str, text: str) -> str:
    return f"{name:12}{text}"


def _member(one: "Member") -> str:
    process = f" as process {one.process}" if one.process else ""
    life = f"alive{process}" if one.alive else "not running"
    return (
        f"{one.id}, {one.name} {one.version}, {life}, owns {_counted(one.owned, 'watch')}"
    )


def _counts(counts: "Counts | None") -> str:
    if counts is None:
        return "too many to count within a second"
    return ", ".join(f"{number:,} {name}" for name, number in counts.items()) or "none"


def _learned(counts: "Counts | None") -> str:
    """Return how many tables of how long states last there are for each source."""
    if not counts:
        return _counts(counts)
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 'es'}"


def _size(size: int) -> str:
    """Return bytes as people read them."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.1f} {unit}"
