"""Connections to a PostgreSQL server, and whole transactions run on them.

asyncpg's own pool, without the four statements that it would add to every use of a connection:
nothing of ours outlives a transaction, so there is nothing to reset.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeAlias, TypeVar

import anyio
import asyncpg

from bridge.store.driving import (
    ANSWERING,
    BEGIN_POOLED,
    CONNECTING,
    RACES,
    SETTINGS,
    Connection,
    committed,
    drive,
    shown,
    translated,
    whole,
)
from bridge.store.sql import Transaction

T = TypeVar("T")
Make: TypeAlias = Callable[[], Transaction[T]]
"""Makes a transaction anew: one that lost a race runs again from its start."""

Prepare: TypeAlias = Callable[[Connection], Awaitable[None]]
"""Called with a connection before each use, as a test does that brings a clock of its own."""

SIZE = 6
"""Connections at most (STORE, section 9)."""

PAUSES = (0.0, 0.01, 0.03, 0.1, 0.3)
"""Seconds before a transaction that lost a race is tried again."""


class Pool:
    """Runs transactions, each on a connection of its own and never interrupted halfway."""

    def __init__(self, pool: Any, where: str, *, pooled: bool) -> None:  # noqa: ANN401  (asyncpg has no types)
        self._pool = pool
        self.where = where
        self._pooled = pooled
        self._begin = BEGIN_POOLED if pooled else "BEGIN"

    @classmethod
    async def open(
        cls, url: str, *, prepare: Prepare | None = None, pooled: bool = False
    ) -> Self:
        """Return a pool that connects when it is used; an address is looked at now.

        `pooled`: the address is that of a pooler, where each transaction may have another server
        connection. So nothing is prepared beyond one, and even what reads is one.
        """
        where = shown(url)
        kind: dict[str, Any] = {
            "server_settings": SETTINGS,
            "target_session_attrs": "read-write",
        }
        if pooled:
            kind = {"statement_cache_size": 0}
        with translated(where):
            pool = await asyncpg.create_pool(
                url,
                min_size=0,
                max_size=SIZE,
                timeout=CONNECTING,
                command_timeout=ANSWERING,
                setup=prepare,
                reset=_nothing,
                **kind,
            )
        return cls(pool, where, pooled=pooled)

    async def write(self, make: Make[T]) -> T:
        """Run a transaction and commit it; on any error nothing of it is written."""
        with translated(self.where):
            return await whole(self._win(make))

    async def read(self, make: Make[T]) -> T:
        """Run a transaction that only reads: each of its statements sees what is committed."""
        with translated(self.where):
            return await whole(self._read(make))

    async def attempt(self, make: Make[T]) -> T:
        """Run a transaction as `write` does, but let it be cancelled; then nobody knows its end."""
        with translated(self.where):
            return await self._win(make)

    async def _win(self, make: Make[T]) -> T:
        for pause in PAUSES:
            try:
                return await self._write(make)
            except RACES:
                await anyio.sleep(pause)
        return await self._write(make)

    async def _read(self, make: Make[T]) -> T:
        async with self._pool.acquire(timeout=ANSWERING) as connection:
            if self._pooled:
                return await committed(connection, make(), self._begin)
            return await drive(connection, make())

    async def _write(self, make: Make[T]) -> T:
        try:
            async with self._pool.acquire(timeout=ANSWERING) as connection:
                return await committed(connection, make())
        except asyncpg.ReadOnlySQLTransactionError:
            # The server was demoted: every connection goes, and new ones look for a primary.
            await self._pool.expire_connections()
            raise

    async def close(self) -> None:
        """End every connection, at once where the server does not answer."""
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(2.0):
                await self._pool.close()
                return
            self._pool.terminate()


async def _nothing(_: Connection) -> None:
    """Reset nothing."""
