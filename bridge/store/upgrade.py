"""The upgrade of a database to the schema of this code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from bridge.core.settings import shared
from bridge.errors import StoreRefused
from bridge.store.backup import backup
from bridge.store.connection import Use, alone, inscribed, shown, within
from bridge.store.migrations import Step, climb, steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What an upgrade did; `before` is 0 where the database was empty."""

    before: int
    after: int
    backup: Path | None = None


def upgrade(
    database: str, now: datetime, *, ladder: Sequence[Step] | None = None
) -> Upgraded:
    """Take every step that a database lacks.

    A SQLite file is held meanwhile, and copied first to a file beside it; on PostgreSQL one
    upgrade at a time goes on, and replicas may be running. An empty database gets its schema.
    Raises StoreRefused for one of a newer genbridge or in use, StoreError.
    """
    ladder = steps() if ladder is None else ladder

    def work(connection: Connection) -> Upgraded:
        return _upgraded(connection, database, ladder, now)

    return within(database, Use.REBUILD, work)


def _upgraded(
    connection: Connection, database: str, ladder: Sequence[Step], now: datetime
) -> Upgraded:
    alone(connection, database)
    before, head = _revision(connection, database), ladder[-1].revision
    if before > head:
        raise StoreRefused(
            f"database {shown(database)} has the schema {before} of a newer genbridge: run "
            "that one"
        )
    way = [step for step in ladder if step.revision > before]
    copy = None
    if way and before and not shared(database):
        copy = Path(f"{database}.schema-{before}-{now:%Y%m%dT%H%M%SZ}")
        backup(Path(database), copy)
    climb(connection, way)
    return Upgraded(before=before, after=head, backup=copy)


def _revision(connection: Connection, database: str) -> int:
    """Return which schema there is, 0: none."""
    said = inscribed(connection)
    if said and not said.get("revision", "").isdecimal():
        raise StoreRefused(
            f"database {shown(database)} does not say which schema it has: restore a backup"
        )
    return int(said.get("revision", 0))
