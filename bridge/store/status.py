"""What a database holds and who works on it, as an administrator is told; it only reads."""

import fcntl
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Executable,
    case,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.exc import DBAPIError

from bridge.core.delivering.delivery import Status
from bridge.core.settings import shared
from bridge.store.connection import Use, inscribed, shown, within
from bridge.store.keeping import MOVING
from bridge.store.listing import instant, maybe
from bridge.store.tables import REVISION, attempts, deliveries, pace, replicas, watches

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A replica, or the one process of a SQLite file; `process` is its id where it is known."""

    id: int
    name: str
    version: str
    started_at: datetime
    dead_at: datetime | None
    alive: bool
    owned: int
    process: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What there is; counts are None where they take longer than a second.

    `learned` counts per source the tables of how long states last, of all replicas. `schema` is
    None in an empty database. `note` says why there is no more than that.
    """

    database: str
    engine: str
    size: int
    schema: int | None
    compatible_from: int | None = None
    watches: Counts | None = None
    deliveries: Counts | None = None
    attempts: Counts | None = None
    learned: Counts | None = None
    replicas: Sequence[Member] = ()
    note: str | None = None


def status(database: str) -> Description:
    """Describe a database, beside a running daemon or without one. Raises StoreError."""
    return within(database, Use.LOOK, lambda connection: _described(connection, database))


def _described(connection: Connection, database: str) -> Description:
    said = inscribed(connection)
    schema, oldest = _number(said, "revision"), _number(said, "compatible_from")
    known: dict[str, Any] = {
        "database": shown(database),
        "engine": _engine(connection),
        "size": _size(connection),
        "schema": schema,
        "compatible_from": oldest,
    }
    note = _unreadable(said, schema, oldest)
    if note is not None:
        return Description(**known, note=note)
    return Description(
        **known,
        watches=counted(connection, WATCHES),
        deliveries=counted(connection, DELIVERIES),
        attempts=counted(connection, ATTEMPTS),
        learned=counted(connection, LEARNED),
        replicas=_members(connection, database),
    )


def _number(said: Mapping[str, str], key: str) -> int | None:
    return int(said[key]) if said.get(key, "").isdecimal() else None


def _unreadable(
    said: Mapping[str, str], schema: int | None, oldest: int | None
) -> str | None:
    if MOVING in said:
        return "is being filled: run `genbridge db move` again"
    if schema is None or oldest is None:
        return "is empty"
    if schema < REVISION:
        return f"has an older schema than {REVISION}: run `genbridge db upgrade`"
    if oldest > REVISION:
        return "belongs to a newer genbridge"
    return None


def _engine(connection: Connection) -> str:
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.dialect.name]
    version = connection.dialect.server_version_info or ()
    return f"{name} {'.'.join(map(str, version))}"


def _size(connection: Connection) -> int:
    """Return bytes on the disk; SQLite's log and what a server keeps beside are not counted."""
    if connection.dialect.name == "postgresql":
        return int(connection.scalar(_RELATIONS) or 0)
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())


_RELATIONS = text(
    "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
    " WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
)

w, d, a = watches.c, deliveries.c, attempts.c
_running = case((w.active == true(), "running"), else_="ended")
WATCHES = select(_running, func.count()).group_by(_running)
_status = case({one.value: one.name.lower() for one in Status}, value=d.status)
DELIVERIES = select(_status, func.count()).group_by(d.status)
_answer = case(
    (a.code.is_(None), "unanswered"), (a.code.between(200, 299), "taken"), else_="refused"
)
ATTEMPTS = select(_answer, func.count()).group_by(_answer)
LEARNED = (
    select(pace.c.source, func.count()).group_by(pace.c.source).order_by(pace.c.source)
)


def counted(connection: Connection, query: Executable) -> Counts | None:
    """Return how often each word comes; None: a look may not last as long as that takes."""
    try:
        return {str(name): int(count) for name, count in connection.execute(query)}
    except DBAPIError:
        connection.rollback()
        return None


r = replicas.c
# A replica lives as long as its session, which holds this lock (STORE, section 4).
_LOCKED = literal_column(
    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = 'replicas'::regclass AND objid = replicas.id::oid)",
    Boolean(),
)
_OWNED = select(func.count()).where(w.owner == r.id).scalar_subquery()
_RUNNING = select(func.count()).where(w.active == true()).scalar_subquery()


def _members(connection: Connection, database: str) -> Sequence[Member]:
    """Return everybody that the database knows."""
    server = shared(database)
    process = None if server else holder(Path(database))
    alive = _LOCKED if server else literal_column("0" if process is None else "1")
    owned = _OWNED if server else _RUNNING
    rows = connection.execute(
        select(r.id, r.name, r.version, r.started_at, r.dead_at, alive, owned).order_by(
            r.id
        )
    )
    return [
        Member(
            id=id_,
            name=name,
            version=version,
            started_at=instant(started_at),
            dead_at=maybe(dead_at),
            alive=bool(lives) and dead_at is None,
            owned=owned,
            process=process,
        )
        for id_, name, version, started_at, dead_at, lives, owned in rows
    ]


def holder(database: Path) -> int | None:
    """Return the id of the process that holds a SQLite file, 0: one that is not known."""
    try:
        lock = os.open(database.with_name(database.name + ".lock"), os.O_RDONLY)
    except OSError:
        return None
    try:
        # Shared, and let go at once: for some microseconds a daemon could not start.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        number = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
        return int(number) if number.isdecimal() else 0
    else:
        return None
    finally:
        os.close(lock)
