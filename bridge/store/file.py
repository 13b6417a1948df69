"""A SQLite file: its settings, its schema, and whole transactions run on it. It blocks."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from bridge.errors import StoreBroken, StoreError, StoreRefused, StoreUnavailable
from bridge.store import ddl, keeping, place
from bridge.store.prepared import Prepared
from bridge.store.sql import Row, Statement, Transaction

T = TypeVar("T")

OLDEST = (3, 38, 0)
"""STRICT tables, `->>` and RETURNING."""

APPLICATION_ID = 0x67656E62
"""Marks a file as ours (`genb`)."""

HEADER = b"SQLite format 3\0"
"""How every database begins that is not empty (shorter texts SQLite takes for an empty one)."""

CHECKED_AT_START = 32 * 1024 * 1024
"""Bytes up to which a file is checked after a crash, before it is used: at worst 0.6 s
from a cold disk (115 MB took 2.2 s, measured)."""

WORN_OUT = 3
"""Input/output errors in a row, each on a new connection: then the disk is given up."""

SETTINGS: Mapping[str, tuple[object, object]] = {
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "foreign_keys": ("ON", 1),
    "trusted_schema": ("OFF", 0),
    "mmap_size": (0, 0),
    "journal_size_limit": (64 * 1024 * 1024, 64 * 1024 * 1024),
    "busy_timeout": (5000, 5000),
    # Pages that change again and again are copied once for four of SQLite's own 1000.
    "wal_autocheckpoint": (4000, 4000),
    "cache_size": (-16 * 1024, -16 * 1024),
} | ({"fullfsync": ("ON", 1)} if sys.platform == "darwin" else {})
"""What a connection sets, and what it must read back (STORE, section 7)."""

_LATER = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class File:
    """One connection to one file; its caller lets one thread at a time in."""

    def __init__(self, path: Path, *, kind: Callable[[Path], int] = place.magic) -> None:
        self._path = path
        self._kind = kind
        self._holding = ExitStack()
        self._held = False
        self._connection: sqlite3.Connection | None = None
        self._prepared: dict[Statement, Prepared] = {}
        self._worn = 0

    def open(self, now: int) -> None:
        """Take the file, make or check its schema.

        Raises StoreRefused, StoreBroken, or StoreUnavailable; nothing stays held then.
        """
        if sqlite3.sqlite_version_info < OLDEST:
            raise StoreRefused(
                f"SQLite {sqlite3.sqlite_version} is too old: genbridge needs 3.38 or newer"
            )
        with ExitStack() as holding:
            holding.enter_context(place.held(self._path, kind=self._kind))
            holding.callback(self._let_go)
            self._held = True
            crashed = self._left_behind()
            with self._translated():
                self._open(now)
                if crashed and self._path.stat().st_size < CHECKED_AT_START:
                    self._check()
            self._holding = holding.pop_all()

    def close(self) -> None:
        """Checkpoint and let go. What cannot be checkpointed now is at the next start."""
        self._holding.close()

    def write(self, transaction: Transaction[T], now: int) -> T:
        """Run a transaction and commit it; on any error nothing of it is written."""
        return self._run("BEGIN IMMEDIATE", transaction, now)

    def read(self, transaction: Transaction[T], now: int) -> T:
        """Run a transaction that only reads."""
        return self._run("BEGIN", transaction, now)

    def glance(self, transaction: Transaction[T], now: int) -> T:
        """Run a transaction that reads on a connection of its own, beside whoever writes.

        What walks through much holds nobody up then. Raises StoreUnavailable.
        """
        if not self._held:
            raise StoreUnavailable(f"database {self._path} is closed")
        address = f"file:{quote(str(self._path))}?mode=ro"
        try:
            with closing(
                sqlite3.connect(address, uri=True, isolation_level=None)
            ) as connection:
                return self._drive(connection, transaction, now)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"database {self._path}: {error}") from error

    def shrink(self, pages: int = 1000) -> None:
        """Give free pages back to the file system."""
        with self._translated():
            # As a script, for `execute` takes one step, and each step frees one page.
            self._connected().executescript(f"PRAGMA incremental_vacuum({pages})")

    def plan(self, statement: Statement) -> list[str]:
        """Return how SQLite would run a statement."""
        text = self._known(statement).text(2)
        values = [None] * text.count("?")
        rows = self._connected().execute(f"EXPLAIN QUERY PLAN {text}", values)
        return [str(row[3]) for row in rows]

    def setting(self, name: str) -> Any:  # noqa: ANN401  (a pragma's value)
        """Return a setting of the connection as it is in force."""
        return self._connected().execute(f"PRAGMA {name}").fetchone()[0]

    def _run(self, begin: str, transaction: Transaction[T], now: int) -> T:
        with self._translated():
            connection = self._connected()
            connection.execute(begin)
            try:
                result = self._drive(connection, transaction, now)
                connection.execute("COMMIT")
            except BaseException:
                self._roll_back(connection)
                raise
            self._worn = 0
            return result

    def _drive(
        self, connection: sqlite3.Connection, transaction: Transaction[T], now: int
    ) -> T:
        rows: Sequence[Row] | None = None
        while True:
            try:
                query = next(transaction) if rows is None else transaction.send(rows)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # a generator's result
            known = self._known(query.statement)
            text = known.text(len(query.rows))
            rows = connection.execute(text, known.values(query, now)).fetchall()

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        """End the transaction, if the error has not done so itself."""
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        if connection.in_transaction:
            self._disconnect()

    def _known(self, statement: Statement) -> Prepared:
        if statement not in self._prepared:
            self._prepared[statement] = Prepared(statement)
        return self._prepared[statement]

    def _connected(self) -> sqlite3.Connection:
        if not self._held:
            raise StoreUnavailable(f"database {self._path} is closed")
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            apply(connection, self._path)
            # What would undo half a statement: beyond 64 KiB it would be put into a file.
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection

    def _let_go(self) -> None:
        self._held = False
        self._disconnect()

    def _disconnect(self) -> None:
        """Close the connection, which checkpoints."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _open(self, now: int) -> None:
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=rw", uri=True, isolation_level=None
        )
        try:
            empty = recognised(connection, self._path)
        finally:
            connection.close()
        if empty:
            self._create(now)
        keeping.supported(self.read(keeping.described(), now), str(self._path))

    def _create(self, now: int) -> None:
        """Make the schema in one transaction: a crash leaves all of it or nothing."""
        connection = self._connected()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in ddl.statements("sqlite"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._drive(connection, keeping.inscribe(), now)
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise

    def _left_behind(self) -> bool:
        """Say whether the last run ended without closing the file."""
        log = self._path.with_name(self._path.name + "-wal")
        return log.exists() and log.stat().st_size > 0

    def _check(self) -> None:
        answer = self._connected().execute("PRAGMA quick_check(3)").fetchall()
        if answer != [("ok",)]:
            raise StoreBroken(self._broken("; ".join(str(row[0]) for row in answer)))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLite's errors into ours; an input/output error ends the connection.

        (A connection that has seen one may keep refusing when the disk is well again.)
        """
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(error) from error
        except (OverflowError, UnicodeError) as error:
            raise StoreError(f"database {self._path}: cannot be stored: {error}") from error

    def _error(self, error: sqlite3.Error) -> StoreError:
        primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if primary in _DAMAGED:
            return StoreBroken(self._broken(str(error)))
        if primary == sqlite3.SQLITE_IOERR:
            self._disconnect()
            self._worn += self._has_room()
            if self._worn >= WORN_OUT:
                return StoreBroken(
                    f"database {self._path}: {error}, {self._worn} times in a row"
                )
        if primary in _LATER:
            return StoreUnavailable(f"database {self._path}: {error}")
        return StoreError(f"database {self._path}: {error}")

    def _has_room(self) -> bool:
        """Say whether the disk has room: a full one shows as an input/output error, too."""
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail > 0

    def _broken(self, why: str) -> str:
        return (
            f"database {self._path} is damaged ({why}): it is kept as it is; restore a "
            "backup, or move it away to begin anew"
        )


def apply(connection: sqlite3.Connection, path: Path) -> None:
    """Set what a connection needs and read it back, for a refused setting says nothing."""
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    for name, (value, expected) in SETTINGS.items():
        connection.execute(f"PRAGMA {name} = {value}")
        (got,) = connection.execute(f"PRAGMA {name}").fetchone()
        if got != expected:
            raise StoreRefused(f"database {path}: {name} is {got!r}, must be {expected!r}")


def recognised(connection: sqlite3.Connection, path: Path) -> bool:
    """Say whether the file is empty; raises StoreRefused where it is not ours."""
    with path.open("rb") as file:
        beginning = file.read(len(HEADER))
    if beginning not in (b"", HEADER):
        raise StoreRefused(
            f"{path} is not a SQLite database: name another file (this one is kept)"
        )
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (things,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if mark != APPLICATION_ID and (things or mark):
        raise StoreRefused(
            f"{path} is the database of another program: name another file (it is kept)"
        )
    return not things
