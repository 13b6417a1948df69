"""CPU per 1 KiB POST over kept connections: this client beside what it could have been.

usage: python -m bench.http [--posts 20000] [--only NAME]
The receiver is a process of its own; only this process's CPU is counted. Wall time and requests
a second are not shown: on a shared machine they say nothing.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import TypeAlias

import aiohttp
import httpx
import uvloop

from bench.receiver import running
from bridge.core.network.exchange import Request, Response
from bridge.http import Client

Post: TypeAlias = Callable[[], Awaitable[None]]

BODY = b"x" * 1024
HEADERS = (
    ("content-type", "application/json"),
    ("user-agent", "genbridge/0"),
    ("webhook-id", "9f0c3c9e-6f0f-5d3e-8a6b-0c1d2e3f4a5b"),
    ("webhook-timestamp", "1795249800"),
    ("webhook-signature", "v1,pVIE+CCkfXaekucHXCFHHIbVk0z58S2y8xG7NBUNI3k="),
    ("webhook-attempt", "1"),
)
CONCURRENCY = (1, 32, 256)


class Clock:
    """The machine's."""

    def now(self) -> datetime:
        """Return the wall time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds."""
        return time.monotonic()


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[Post]:
    """Write and read on bare streams of asyncio: what no client can undercut by much."""
    port = httpx.URL(url).port
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS)
    written = (
        f"POST /hook HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{head}"
        f"content-length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY
    idle: list[_Raw] = []

    async def post() -> None:
        line = idle.pop() if idle else await _Raw.connected(port or 80)
        await line.ask(written)
        idle.append(line)

    yield post
    for line in idle:
        line.close()


class _Raw(asyncio.Protocol):
    """A connection that takes any bytes for the whole answer."""

    transport: asyncio.Transport
    answer: asyncio.Future[bytes]

    @classmethod
    async def connected(cls, port: int) -> "_Raw":
        _, line = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a TCP connection's is one

    async def ask(self, written: bytes) -> None:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(written)
        if not (await self.answer).startswith(b"HTTP/1.1 204"):
            raise RuntimeError("not the answer of bench.receiver")

    def data_received(self, data: bytes) -> None:
        self.answer.set_result(data)

    def close(self) -> None:
        self.transport.close()


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Post]:
    """Use bridge.http.Client, as the sender does."""
    allow = (ip_network("127.0.0.0/8"),)
    async with Client(clock=Clock(), allow=allow) as client:

        async def post() -> None:
            answer = await client.send(
                Request(method="POST", url=url, headers=HEADERS, body=BODY),
                timeout=timedelta(seconds=15),
                limit=65536,
            )
            if not isinstance(answer, Response) or answer.status != 204:
                raise RuntimeError(answer)

        yield post


@asynccontextmanager
async def bare_aiohttp(url: str) -> AsyncIterator[Post]:
    """Use a session of aiohttp without limits and without cookies."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    ) as session:

        async def post() -> None:
            async with session.post(url, data=BODY, headers=HEADERS) as answer:
                await answer.read()

        yield post


@asynccontextmanager
async def httpx_pool(url: str) -> AsyncIterator[Post]:
    """Use httpx with its own pool."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client:

        async def post() -> None:
            await client.post(url, content=BODY, headers=dict(HEADERS))

        yield post


CLIENTS: Mapping[str, Callable[[str], AbstractAsyncContextManager[Post]]] = {
    "raw asyncio": raw,
    "bridge.http": ours,
    "aiohttp": bare_aiohttp,
    "httpx": httpx_pool,
}


async def cost(post: Post, posts: int, concurrency: int) -> float:
    """Return microseconds of CPU per post, connections made beforehand."""

    async def repeat(times: int) -> None:
        for _ in range(times):
            await post()

    async def drive(times: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(concurrency):
                tasks.create_task(repeat(times))

    await drive(3)
    each = max(1, posts // concurrency)
    before = time.process_time()
    await drive(each)
    return (time.process_time() - before) / (each * concurrency) * 1e6


async def row(name: str, url: str, posts: int) -> list[float]:
    """Measure one client at every concurrency; httpx with fewer posts, it would take minutes."""
    costs = []
    for concurrency in CONCURRENCY:
        async with CLIENTS[name](url) as post:
            many = posts if name != "httpx" else max(2 * concurrency, posts // 20)
            costs.append(
                await cost(post, many if concurrency > 1 else many // 4, concurrency)
            )
    return costs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--only", choices=CLIENTS)
    options = parser.parse_args()
    print(f"{'CPU µs per POST at':20}" + "".join(f"{c:>14}" for c in CONCURRENCY))
    base: list[float] = []
    with running() as port:
        for name in [options.only] if options.only else CLIENTS:
            costs = uvloop.run(row(name, f"http://127.0.0.1:{port}/hook", options.posts))
            base = base or costs
            cells = (f"{c:7.0f} {c / b:5.1f}x" for c, b in zip(costs, base, strict=True))
            print(f"{name:20}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
