"""The one connection of a replica that stays: it holds the lock that says "I live"."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import anyio
import asyncpg

from bridge.errors import StoreRefused, StoreUnavailable
from bridge.store import liveness
from bridge.store.driving import (
    ANSWERING,
    CONNECTING,
    SETTINGS,
    Connection,
    committed,
    drive,
    shown,
    translated,
    whole,
)
from bridge.store.pool import Prepare
from bridge.store.sql import Query, Transaction

T = TypeVar("T")

LOOKS = 3
"""How often the lock is looked for at the start: through a pooler it is seldom seen thrice."""


class Session:
    """A connection of its own, straight to the server; one transaction at a time.

    Once it is lost its lock is lost, too, and the same object opens the next one.
    """

    def __init__(self, url: str, *, prepare: Prepare | None = None) -> None:
        self.heard: Callable[[], None] = lambda: None
        """Called at every hint of another replica."""
        self.passed: Callable[[str], None] = lambda _: None
        """Called with every note of generations that may have changed."""
        self._url = url
        self._prepare = prepare
        self._connection: Connection | None = None
        self._one_at_a_time = anyio.Lock()
        self.where = shown(url)

    @property
    def open(self) -> bool:
        """Whether the session is unbroken, as far as is known."""
        return self._connection is not None and not self._connection.is_closed()

    async def connect(self) -> None:
        """Open a new session and listen; raises StoreUnavailable or StoreRefused."""
        await self.close()
        with anyio.CancelScope(shield=True), translated(self.where):
            connection = await asyncpg.connect(
                self._url,
                timeout=CONNECTING,
                command_timeout=ANSWERING,
                server_settings={**SETTINGS, "application_name": "genbridge session"},
                target_session_attrs="read-write",
            )
            try:
                await connection.add_listener(liveness.CHANNEL, self._told)
                await connection.add_listener(liveness.LOOKS, self._noted)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection

    async def run(self, transaction: Transaction[T]) -> T:
        """Run a transaction on the session; a session that does not answer is given up."""
        with translated(self.where):
            return await whole(self._run(committed, transaction))

    async def look(self, transaction: Transaction[T]) -> T:
        """Run a transaction that only reads, each statement by itself."""
        with translated(self.where):
            return await whole(self._run(drive, transaction))

    async def prove(self) -> None:
        """Raise StoreRefused where the session is none: every statement may go elsewhere."""
        seen = [await self.look(_held()) for _ in range(LOOKS)]
        if len({pid for pid, _ in seen}) > 1 or not all(held for _, held in seen):
            raise StoreRefused(
                f"database {self.where}: behind a pooler a replica cannot show that it lives; "
                "give the server's own address as `session_url`"
            )

    async def close(self) -> None:
        """End the session; its lock goes with it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(2.0):
                await connection.close()
                return
            connection.terminate()

    async def _run(self, how: "_How", transaction: Transaction[T]) -> T:
        async with self._one_at_a_time:
            try:
                return await how(await self._ready(), transaction)
            except (TimeoutError, asyncpg.QueryCanceledError):
                self._give_up()
                raise

    async def _ready(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            raise StoreUnavailable(f"database {self.where}: the session is lost")
        if self._prepare is not None:
            await self._prepare(self._connection)
        return self._connection

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _told(self, *_: object) -> None:
        self.heard()

    def _noted(self, _connection: object, _pid: int, _channel: str, note: object) -> None:
        self.passed(str(note))


class _How(Protocol):
    async def __call__(self, connection: Connection, transaction: Transaction[T]) -> T: ...


def _held() -> Transaction[tuple[int, bool]]:
    ((pid, held),) = yield Query(liveness.HELD)
    return pid, held
