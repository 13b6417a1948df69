"""How many connections deliveries take, over real sockets and in real time."""

import asyncio
from ipaddress import ip_network

import anyio
import pytest

from bridge.core.delivering.delivery import WebhookState
from bridge.engine.courier import Courier
from bridge.engine.sender import Sender
from bridge.http import Client
from bridge.telemetry.clock import SystemClock
from tests.engine.rig import Lines, webhook
from tests.fakes.clock import Dice
from tests.fakes.outbox import Pile

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

DELIVERIES = 1000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Counting:
    """A receiver that takes everything, and counts the connections it is taken over."""

    def __init__(self) -> None:
        self.connections = 0
        self.taken = 0
        self.open = 0
        self.most = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            while head := await self._head(reader):
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                await reader.readexactly(int(length))
                self.taken += 1
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        finally:
            self.open -= 1
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_a_thousand_deliveries_take_no_more_connections_than_may_be_under_way(
    concurrency: int,
) -> None:
    clock, receiver = SystemClock(), Counting()
    pile = Pile(clock)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    client = Client(clock=clock, allow=(ip_network("127.0.0.0/8"),))
    async with server, client, anyio.create_task_group() as tasks:
        sender = Sender(
            outbox=pile,
            settler=pile,
            courier=Courier(http=client, clock=clock, version="test"),
            clock=clock,
            chance=Dice(1),
            log=Lines(),
        )
        pile.sender = sender
        studio = webhook(url=url, concurrency=concurrency)
        sender.set_lanes([(studio, WebhookState(id=1, key="name:studio"))])
        tasks.start_soon(pile.run)
        tasks.start_soon(sender.run)
        for _ in range(DELIVERIES):
            pile.add(1)
        while len(pile.accepted()) < DELIVERIES:  # noqa: ASYNC110  (the pile rings no bell)
            await anyio.sleep(0.02)
        tasks.cancel_scope.cancel()
    assert receiver.taken == DELIVERIES
    assert receiver.most <= receiver.connections <= concurrency
