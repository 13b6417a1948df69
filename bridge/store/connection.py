"""One SQLAlchemy connection to a database of either kind, for the commands that look after it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

import anyio
from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    func,
    inspect,
    literal,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from bridge.core.settings import shared
from bridge.errors import StoreBroken, StoreError, StoreRefused
from bridge.store import place
from bridge.store.file import APPLICATION_ID, apply, recognised
from bridge.store.tables import meta

T = TypeVar("T")
Work = Callable[[Connection], T]


SCHEMA = "genbridge schema"
"""What is locked on a server, by its hash, while tables are made or changed."""


class Use(Enum):
    """What a connection is for."""

    LOOK = auto()
    """Read beside a running daemon: each statement by itself, and none longer than `LONGEST`."""
    KEEP = auto()
    """Read or write, in transactions, a SQLite file that nobody else holds."""
    FILL = auto()
    """The same, and the file is made where it is missing."""
    REBUILD = auto()
    """As KEEP, without foreign keys, so that a table may be dropped and made again."""


LONGEST = 1.0
"""Seconds that a look may last: a long one makes SQLite's log grow (STORE, section 7)."""


def shown(database: str) -> str:
    """Return the database as messages may name it: no user, no password."""
    if not shared(database):
        return database
    from bridge.store.driving import shown as without_secrets  # noqa: PLC0415  (asyncpg)

    return without_secrets(database)


def within(database: str, use: Use, work: Work[T], *, longest: float = LONGEST) -> T:
    """Do the work on one connection and return what it returns.

    A SQLite file must, but for a look, not be held by anybody. `longest` is how many seconds a
    statement of a look may take. Raises StoreError.
    """
    if shared(database):
        from bridge.store.server import visit  # noqa: PLC0415  (asyncpg: only where needed)

        limit = longest if use is Use.LOOK else None
        return anyio.run(partial(visit, database, work, statement_timeout=limit))
    path = Path(database)
    if use is not Use.FILL and not path.exists():
        raise StoreRefused(f"there is no database {path}: `genbridge run` creates it")
    if use is Use.LOOK:
        return _on_file(path, _glass(path, longest), work)
    with place.held(path):
        return _on_file(path, _tool(path, use), work)


def _on_file(path: Path, engine: Engine, work: Work[T]) -> T:
    with translated(path), engine.connect() as connection:
        return work(connection)


def _glass(path: Path, longest: float) -> Engine:
    """Return what looks: it begins no transaction."""
    return create_engine(
        "sqlite://", creator=partial(_looking, path, longest), poolclass=NullPool
    )


def _tool(path: Path, use: Use) -> Engine:
    engine = create_engine("sqlite://", creator=partial(_keeping, path), poolclass=NullPool)
    if use is Use.REBUILD:
        event.listen(engine, "connect", _without_foreign_keys)
    event.listen(engine, "begin", _begin)
    return engine


def reading(path: Path) -> sqlite3.Connection:
    """Return a connection that writes nothing, not even a checkpoint.

    (Before 3.51.3 SQLite can damage a file when one connection checkpoints while another
    begins the log anew, so only the daemon's one connection may.)
    """
    return _connected(path, "ro")


def _looking(path: Path, longest: float) -> sqlite3.Connection:
    connection = reading(path)
    until = [0.0]

    def begin(_: str) -> None:
        until[0] = monotonic() + longest

    connection.set_trace_callback(begin)
    connection.set_progress_handler(lambda: monotonic() > until[0], 100_000)
    return connection


def _keeping(path: Path) -> sqlite3.Connection:
    connection = _connected(path, "rw")
    try:
        empty = recognised(connection, path)
        apply(connection, path)
        if empty:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )


def _without_foreign_keys(connection: Any, _: object) -> None:  # noqa: ANN401  (the driver's)
    connection.execute("PRAGMA foreign_keys = OFF")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def inscribed(connection: Connection) -> Mapping[str, str]:
    """Return what a database says of itself in `meta`; nothing where there is no such table."""
    there = inspect(connection).has_table(meta.name)
    rows = connection.execute(select(meta.c.key, meta.c.value)).all() if there else []
    connection.commit()
    return {str(key): str(value) for key, value in rows}


def alone(connection: Connection, database: str) -> None:
    """Keep other makers and changers of the schema away until the connection is closed.

    Raises StoreRefused where one is at work. A SQLite file is held as a whole anyway.
    """
    if connection.dialect.name == "postgresql":
        turn = func.pg_try_advisory_lock(func.hashtext(literal(SCHEMA)))
        free = connection.scalar(select(turn))
        connection.commit()
        if not free:
            raise StoreRefused(
                f"database {shown(database)}: another genbridge makes or changes its tables "
                "just now; try again"
            )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise _error(path, getattr(error, "orig", error)) from error


def _error(path: Path, error: BaseException | None) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    text = f"database {path}: {error}"
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreBroken(f"{text}: it is kept as it is; restore a backup")
    return StoreError(text)
