"""Memory per attempt against answers that never end, and how much of them is taken.

usage: python -m bench.memory [--attempts 200]
The receiver is a process of its own: it sends 10 GB, the same by TLS-less chunks of two bytes, or a
gzip bomb. Shown are the peak of Python's own memory (tracemalloc) and of the process (RSS), for
each of the attempts that are under way at the same time.
"""

import argparse
import asyncio
import functools
import gzip
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_network

import uvloop

from bench.http import Clock
from bridge.core.network.exchange import Request, Response
from bridge.http import Client

OK = b"HTTP/1.1 200 OK\r\n"
TEN_GB = 10 << 30
LIMIT = 65536
_BLOCK = b"x" * 65536
_TINY = b"2\r\nab\r\n" * 8192
CASES = ("endless", "tiny", "bomb")


async def _pour(writer: asyncio.StreamWriter, head: bytes, block: bytes) -> None:
    writer.write(OK + head + b"\r\n\r\n")
    for _ in range(TEN_GB // len(block)):
        writer.write(block)
        await writer.drain()


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(bytes(200 << 20))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        case = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode().strip("/")
        await reader.read(LIMIT)
        if case == "endless":
            await _pour(writer, b"content-length: %d" % TEN_GB, _BLOCK)
        elif case == "tiny":
            await _pour(writer, b"transfer-encoding: chunked", _TINY)
        else:
            bomb = _bomb()
            head = b"content-encoding: gzip\r\ncontent-length: %d" % len(bomb)
            await _pour(writer, head, bomb)
    except OSError:
        pass
    finally:
        writer.transport.abort()


async def _serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def _receiver() -> Iterator[int]:
    command = [sys.executable, "-m", "bench.memory", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def _attempts(client: Client, url: str, attempts: int) -> None:
    request = Request(method="POST", url=url, body=b"{}")

    async def one() -> None:
        answer = await client.send(request, timeout=timedelta(seconds=60), limit=LIMIT)
        assert isinstance(answer, Response), answer
        assert answer.cut
        assert len(answer.body) == LIMIT
        kept.append(answer)

    kept: list[Response] = []
    async with asyncio.TaskGroup() as tasks:
        for _ in range(attempts):
            tasks.create_task(one())


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


async def _measure(port: int, attempts: int) -> None:
    allow = (ip_network("127.0.0.0/8"),)
    async with Client(clock=Clock(), allow=allow) as client:
        for case in CASES:
            url = f"http://127.0.0.1:{port}/{case}"
            await _attempts(client, url, 2)
            resident = _resident()
            await _attempts(client, url, attempts)
            grown = _resident() - resident
            tracemalloc.start()
            await _attempts(client, url, attempts)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            each = f"{peak / attempts / 1024:8.0f} {grown / attempts / 1024:8.0f}"
            print(f"{case:10} {each}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=200)
    parser.add_argument("--serve", action="store_true", help="be the receiver")
    options = parser.parse_args()
    if options.serve:
        uvloop.run(_serve())
        return
    print(f"{'KiB each':10} {'Python':>8} {'process':>8}   of {options.attempts} at once")
    with _receiver() as port:
        uvloop.run(_measure(port, options.attempts))


if __name__ == "__main__":
    main()
