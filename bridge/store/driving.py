"""One PostgreSQL connection: how a transaction runs on it, and what its errors mean."""

from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg
from anyio import CancelScope
from sqlalchemy.dialects.postgresql import asyncpg as dialects

from bridge.errors import StoreBroken, StoreError, StoreRefused, StoreUnavailable
from bridge.store.sql import Query, Row, Statement, Transaction, compiled

T = TypeVar("T")
Connection: TypeAlias = Any
"""A connection of asyncpg, which ships no types."""

DIALECT = dialects.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy types it not

SETTINGS = {
    "application_name": "genbridge",
    "statement_timeout": "10s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
"""What every connection asks of its server (STORE, section 9)."""

_LOCAL = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit")
BEGIN_POOLED = "; ".join(
    ["BEGIN", *(f"SET LOCAL {name} = '{SETTINGS[name]}'" for name in _LOCAL)]
)
"""How a transaction begins behind a pooler, which takes no settings with a connection: its
connections to the server are everybody's."""

CONNECTING = 5.0
"""Seconds that a connection may take to be made."""

ANSWERING = 12.0
"""Seconds for one statement as the client counts them: more than the server's own limit, so that
it matters only where the server does not answer at all."""

RACES = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""A transaction that lost a race: nothing of it is written, run again it may win."""

_LATER = (
    *RACES,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.PostgresSystemError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
_REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ClientConfigurationError,
)
_POOLER = "unsupported startup parameter"
_DAMAGED = (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError)


class Wording:
    """A statement as PostgreSQL runs it: its text, and its values in their order."""

    def __init__(self, statement: Statement) -> None:
        text = compiled(statement, DIALECT)
        self.sql = text.sql
        self._names = text.names

    def values(self, query: Query) -> list[Any]:
        """Return the values of a query; each column of its batch is one array."""
        columns = [list(column) for column in zip(*query.rows, strict=True)]
        return [
            _column(columns, name) if name.startswith("rows_") else query.given[name]
            for name in self._names
        ]


_wordings: dict[Statement, Wording] = {}


def wording(statement: Statement) -> Wording:
    """Return the wording of a statement; each is compiled once."""
    if statement not in _wordings:
        _wordings[statement] = Wording(statement)
    return _wordings[statement]


def _column(columns: list[list[Any]], name: str) -> list[Any]:
    return columns[int(name.removeprefix("rows_"))] if columns else []


async def drive(connection: Connection, transaction: Transaction[T]) -> T:
    """Carry a transaction's queries to the server and the rows back; return its result."""
    rows: Sequence[Row] | None = None
    while True:
        try:
            query = next(transaction) if rows is None else transaction.send(rows)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # a generator's result
        known = wording(query.statement)
        rows = await connection.fetch(known.sql, *known.values(query))


async def committed(
    connection: Connection, transaction: Transaction[T], begin: str = "BEGIN"
) -> T:
    """Run a transaction and commit it; on any error nothing of it is written."""
    await connection.execute(begin)
    try:
        result = await drive(connection, transaction)
        await connection.execute("COMMIT")
    except BaseException:
        if not connection.is_closed():
            with suppress(Exception):
                await connection.execute("ROLLBACK")
        raise
    return result


async def whole(work: Awaitable[T]) -> T:
    """Return what comes of work that must not be broken off halfway."""
    done: list[T] = []
    with CancelScope(shield=True):
        done.append(await work)
    return done[0]


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn asyncpg's errors into ours; `where` names the database in their messages."""
    try:
        yield
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ) as e:
        raise _error(e, where) from e
    except (OSError, TimeoutError) as error:
        why = str(error) or "it does not answer"
        raise StoreUnavailable(f"database {where}: {why}") from error
    except (OverflowError, UnicodeError) as error:
        raise StoreError(f"database {where}: cannot be stored: {error}") from error


def _error(error: Exception, where: str) -> StoreError:
    # The detail of a message may quote a row, so it stays out.
    why = str(getattr(error, "message", None) or error).split("\n", 1)[0]
    text = f"database {where}: {why}"
    if isinstance(error, asyncpg.ProtocolViolationError) and _POOLER in why:
        return StoreRefused(
            f"{text}: where this is a pooler, give the server's own address as `session_url`"
        )
    if isinstance(error, asyncpg.DataError) or _poisonous(error):
        return StoreError(text)
    if isinstance(error, _REFUSED):
        return StoreRefused(text)
    if isinstance(error, _DAMAGED):
        return StoreBroken(text)
    if isinstance(error, _LATER) or _disowned(error):
        return StoreUnavailable(text)
    return StoreError(text)


def _poisonous(error: Exception) -> bool:
    """Whether the values of a query are at fault: asyncpg calls that an interface error, too."""
    return isinstance(error, ValueError)


def _disowned(error: Exception) -> bool:
    """Whether a row was to be owned by a replica that is no more: it returns under a new id."""
    return (
        isinstance(error, asyncpg.ForeignKeyViolationError)
        and getattr(error, "constraint_name", None) == "watches_owner_fkey"
    )


def shown(url: str) -> str:
    """Return a database URL without user, password and options, for messages."""
    parts = urlsplit(url)
    socket = parse_qs(parts.query).get("host", [""])[0]
    port = f":{parts.port}" if parts.port else ""
    return f"postgresql://{parts.hostname or socket}{port}{parts.path}"
