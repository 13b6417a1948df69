"""The PostgreSQL store as the suite sees it: its server has the test's own clock."""

import os
from typing import Any

import asyncpg

from bridge.core.delivering.delivery import Status
from bridge.core.sharing.liveness import Pace
from bridge.store.moments import Moments
from bridge.store.postgres import PostgresStore
from tests.fakes.postgres import Server
from tests.store.world import HandClock, Kept, Logged, uids

HINTING = Pace(hints=os.environ.get("GENBRIDGE_TEST_HINTS") != "off")
"""A hint is only a hint: the whole suite must pass without any."""

# Found before the server's own, because the search path names the server's schema last.
CLOCK = """
CREATE FUNCTION public.statement_timestamp() RETURNS timestamptz STABLE LANGUAGE sql AS $$
SELECT coalesce(
    'epoch'::timestamptz + current_setting('test.now', true)::bigint * interval '1 microsecond',
    pg_catalog.statement_timestamp())
$$
"""


def template(server: Server) -> str:
    """Make a database with the test's clock; return its name."""
    url = server.database()
    name = url.rpartition("/")[2]
    server.sql(CLOCK, url)
    return name


class PostgresWorld:
    """A database of its own on a server."""

    store: PostgresStore

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = HandClock()
        self._uids = uids()
        self._moments = Moments(self.clock)

    async def open(self, *, pace: Pace = HINTING, **more: Any) -> None:
        self._moments = Moments(self.clock)
        self.store = await PostgresStore.open(
            self.url, uid=self._uids.__next__, prepare=self._turn_clock, pace=pace, **more
        )

    async def _turn_clock(self, connection: Any) -> None:
        # In force until the connection is used again.
        await connection.execute(
            "SELECT set_config('search_path', 'public, pg_catalog', false),"
            f" set_config('test.now', '{self._moments.now()}', false)"
        )

    async def restart(self) -> None:
        await self.store.close()
        await self.open()

    async def deliveries(self) -> list[Kept]:
        rows = await self.sql(
            "SELECT id, watch_id, webhook_id, seq, status, manual, attempt, tries, claimed_by,"
            " fence, last_code, last_why FROM deliveries ORDER BY id"
        )
        return [
            Kept(
                id=row[0],
                watch=row[1],
                webhook=row[2],
                seq=row[3],
                status=Status(row[4]),
                manual=row[5],
                attempt=row[6],
                tries=row[7],
                claimed=row[8] is not None,
                fence=row[9],
                code=row[10],
                why=row[11],
            )
            for row in rows
        ]

    async def attempts(self) -> list[Logged]:
        rows = await self.sql(
            "SELECT delivery_id, attempt, code, why, body FROM attempts"
            " LEFT JOIN bodies ON sha256 = answer ORDER BY delivery_id, attempt, attempts.at"
        )
        return [
            Logged(delivery=delivery, number=number, code=code, why=why, answer=answer)
            for delivery, number, code, why, answer in rows
        ]

    async def make_manual(self, delivery: int) -> None:
        await self.sql("UPDATE deliveries SET manual = true WHERE id = $1", delivery)

    async def close(self) -> None:
        await self.store.close()

    async def sql(self, text: str, *values: object) -> list[Any]:
        """Run a statement on a connection of its own."""
        connection = await asyncpg.connect(self.url)
        try:
            return list(await connection.fetch(text, *values))
        finally:
            await connection.close()
