"""Receivers on loopback sockets that play a script, and the client that must bear them."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, TypeAlias

import pytest
import trustme

from bridge.core.network.exchange import Answer, Request, Response, Unanswered
from bridge.core.network.way import DIRECT, Way
from bridge.http import Client
from tests.fakes.clock import VirtualClock

Script: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes what follows a request; then the connection is closed unless `keep` is set."""

LOOPBACK = (ip_network("127.0.0.0/8"),)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """One listening socket; `requests` holds the exact bytes of every request."""

    def __init__(self, script: Script, *, keep: bool, takes_bodies: bool) -> None:
        self.script = script
        self.keep = keep
        self.takes_bodies = takes_bodies
        self.url = ""
        self.requests: list[bytes] = []
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            taken = int(length or 0) if self.takes_bodies else 0
            self.requests.append(head + await reader.readexactly(taken))
            await self.script(writer)
            await writer.drain()
            if not self.keep:
                return

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Aborted transports close themselves in the next turns of the loop.
        await asyncio.sleep(0.01)


Receive: TypeAlias = Callable[..., Awaitable[Receiver]]
Send: TypeAlias = Callable[..., Coroutine[Any, Any, Answer]]


def saying(answer: bytes) -> Script:
    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return script


def answered(answer: Answer) -> Response:
    assert isinstance(answer, Response), answer
    return answer


def unanswered(answer: Answer) -> Unanswered:
    assert isinstance(answer, Unanswered), answer
    return answer


@contextlib.contextmanager
def full(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Listen on a port whose queue is full: whoever connects hangs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket(family))
        listening.bind((host, port))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket(family))
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


PHASES = ("name", "connection", "TLS", "sending", "waiting", "body", "CONNECT")


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """The daemon runs on uvloop; where there is none, on asyncio's own loop."""
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="Test CA")


@pytest.fixture
async def receive() -> AsyncIterator[Receive]:
    """Start receivers, stop them at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            script: Script | bytes = NO_CONTENT,
            *,
            keep: bool = False,
            takes_bodies: bool = True,
            tls: ssl.SSLContext | None = None,
            host: str = "127.0.0.1",
            port: int = 0,
        ) -> Receiver:
            played = saying(script) if isinstance(script, bytes) else script
            receiver = Receiver(played, keep=keep, takes_bodies=takes_bodies)
            server = await asyncio.start_server(receiver.serve, host, port, ssl=tls)
            stack.push_async_callback(receiver.end)
            stack.callback(server.close)
            bound = server.sockets[0].getsockname()[1]
            receiver.url = f"https://localhost:{bound}" if tls else f"http://{host}:{bound}"
            return receiver

        yield start


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(clock=VirtualClock(), allow=LOOPBACK) as client:
        yield client


@pytest.fixture
def send(client: Client) -> Send:
    return sender(client)


def sender(client: Client) -> Send:
    """Return a POST with short arguments, bounded far beyond its own deadline."""

    async def post(
        url: str,
        *,
        method: str = "POST",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"{}",
        seconds: float = 5,
        limit: int = 65536,
        way: Way = DIRECT,
    ) -> Answer:
        request = Request(method=method, url=url, headers=headers, body=body)
        async with asyncio.timeout(15):
            return await client.send(
                request, timeout=timedelta(seconds=seconds), limit=limit, way=way
            )

    return post
