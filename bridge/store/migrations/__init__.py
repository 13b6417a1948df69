"""The way from an older schema to the one of this code: alembic's scripts, each in one transaction.

A database says in `meta` which schema it has, so alembic's own table of versions, and with it
its ini file and environment, are not needed. Only `genbridge db upgrade` imports this, for
alembic takes 50 ms: an empty database gets its schema from `tables.py`.

A script names the oldest code that can work with its schema (`compatible_from`): releases
overlap by an *expand* (columns that may be NULL, tables, indexes), and one release later a
*contract* that raises it (STORE, section 10). What must not run in a transaction, such as an
index made CONCURRENTLY, stands in `op.get_context().autocommit_block()`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Text, column, insert, table, text, update
from sqlalchemy.exc import DBAPIError

from bridge.errors import StoreBroken, StoreRefused, StoreUnavailable

TRIES = 8
PAUSE = 1.0
"""How often a step is taken that a lock holds up, and the seconds in between: together longer than
a transaction of ours may be idle, such as that of a replica that was frozen in it."""

LOCKED = "55P03"
"""What PostgreSQL calls a lock that was not to be had in time."""

_HELD_UP = (
    "somebody holds a lock on a table for long (`SELECT * FROM pg_stat_activity` names the oldest "
    "transaction): nothing of the schema {} was made; run `genbridge db upgrade` again"
)

OURS = Path(__file__).with_name("versions")

_META = table("meta", column("key", Text()), column("value", Text()))
"""As much of it as every schema has."""

_HELD = text("SELECT pg_try_advisory_xact_lock('meta'::regclass::oid::int4, :revision)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One script: it makes the schema `revision` out of the one before."""

    revision: int
    compatible_from: int
    upgrade: Callable[[], None]


def steps(*, after: int = 0, folders: Iterable[Path] = (OURS,)) -> Sequence[Step]:
    """Return the scripts beyond a schema, oldest first."""
    scripts = ScriptDirectory(OURS.parent, version_locations=list(folders))
    chain = [script.module for script in scripts.walk_revisions()]
    found = (
        Step(
            revision=int(module.revision),
            compatible_from=module.compatible_from,
            upgrade=module.upgrade,
        )
        for module in reversed(chain)
    )
    return tuple(step for step in found if step.revision > after)


def climb(
    connection: Connection,
    way: Iterable[Step],
    *,
    tries: int = TRIES,
    pause: Callable[[float], None] = sleep,
) -> None:
    """Take the steps; what was committed before one that failed stays.

    A step that somebody's lock holds up is given up after 2 s, so that nobody waits behind it for
    long, and taken again, `tries` times in all; then it raises StoreUnavailable.

    A SQLite connection must not enforce foreign keys: a table that is rebuilt is dropped, and
    would take with it what refers to it. They are checked before each commit instead. The
    connection must not be in a transaction, which alembic would leave to its owner.
    """
    context = MigrationContext.configure(connection, opts={"transactional_ddl": True})
    for step in way:
        for left in reversed(range(tries)):
            try:
                _take(context, connection, step)
                break
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != LOCKED:
                    raise
                if not left:
                    raise StoreUnavailable(_HELD_UP.format(step.revision)) from error
            pause(PAUSE)


def _take(context: MigrationContext, connection: Connection, step: Step) -> None:
    with context.begin_transaction(), Operations.context(context):
        _vacated(connection, step)
        step.upgrade()
        _inscribe(connection, step)
        _check(connection)


def _vacated(connection: Connection, step: Step) -> None:
    """Raise StoreRefused while a replica works whose code is too old for a step.

    Every replica holds its schema, shared (`liveness.use`); until the commit none can begin to.
    """
    if connection.dialect.name != "postgresql":
        return
    for revision in range(1, step.compatible_from):
        if not connection.scalar(_HELD, {"revision": revision}):
            raise StoreRefused(
                f"a replica is running that needs the schema {revision}, which the schema "
                f"{step.revision} ends: replace it first (`genbridge db status` names all)"
            )


def _inscribe(connection: Connection, step: Step) -> None:
    values = {"revision": step.revision, "compatible_from": step.compatible_from}
    for key, value in values.items():
        known = update(_META).where(_META.c.key == key).values(value=str(value))
        if not connection.execute(known).rowcount:
            connection.execute(insert(_META).values(key=key, value=str(value)))


def _check(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if lost is not None:
            raise StoreBroken(
                f"the upgrade would leave rows of {lost[0]} that refer to nothing"
            )
