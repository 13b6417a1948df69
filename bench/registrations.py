"""Registrations a second over HTTP, single and in batches, and pages of a long list.

Every 201 is on the disk (SQLite, synchronous=FULL). The client is a process of its own with
as many connections as named, and sends the next request once the last was answered.

usage: python -m bench.registrations [--single 4000] [--batches 20] [--clients 16]
                                     [--stored 1000000]
"""

import argparse
import json
import multiprocessing
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import anyio
import httpx

from bench.daemon import running
from bridge.core.ladder import State
from bridge.core.listing import WatchFilter
from bridge.core.watch import Generation, Origin, WatchWish
from bridge.store.sqlite import SqliteStore
from bridge.telemetry.clock import SystemClock

NOWHERE = "http://127.0.0.1:9"
TOKEN = "a-token-of-the-bench"


def order(number: str) -> dict[str, object]:
    """Return an order as callers send them."""
    return {"source": "aiml", "id": f"generation-{number}", "metadata": {"order": number}}


class Caller:
    """One connection that asks and waits; the least that can stand between."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def post(self, path: str, document: object) -> int:
        """Return the status of the answer, all of which is read."""
        body = json.dumps(document).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {TOKEN}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        status = int(self._file.readline().split()[1])
        length = 0
        while (line := self._file.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self._file.read(length)
        return status

    def close(self) -> None:
        """End the connection."""
        self._file.close()
        self._socket.close()


def calls(port: int, path: str, documents: Sequence[object], wanted: int) -> None:
    """Ask for one thing after the other."""
    with closing(Caller(port)) as caller:
        for document in documents:
            status = caller.post(path, document)
            if status != wanted:
                raise SystemExit(f"answered {status}")


def timed(port: int, path: str, shares: Sequence[Sequence[object]], wanted: int) -> float:
    """Return the seconds that it takes so many callers, each with its share."""
    context = multiprocessing.get_context("fork")
    callers = [
        context.Process(target=calls, args=(port, path, share, wanted)) for share in shares
    ]
    began = time.perf_counter()
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    if any(one.exitcode for one in callers):
        raise SystemExit("a caller failed")
    return time.perf_counter() - began


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def line(what: str, count: int, seconds: float, cpu: float, asked: str) -> None:
    """Print a row of the table."""
    print(f"{what:40}{count / seconds:12,.0f}{cpu / count * 1e6:14.0f}   {asked}")


def single(
    port: int, count: int, clients: int, cpu: Callable[[], float], asked: str
) -> None:
    """Measure one watch per call."""
    each = count // clients
    shares = [[order(f"{clients}-{c}-{i}") for i in range(each)] for c in range(clients)]
    before = cpu()
    seconds = timed(port, "/v1/watches", shares, 201)
    what = f"single, {clients} caller{'s' if clients > 1 else ''}"
    line(what, each * clients, seconds, cpu() - before, asked)


def batches(port: int, count: int, cpu: Callable[[], float]) -> None:
    """Measure a thousand watches per call."""
    documents = [
        {"watches": [order(f"b{number}-{i}") for i in range(1000)]}
        for number in range(count)
    ]
    before = cpu()
    seconds = timed(port, "/v1/watches:batch", [documents], 200)
    line(
        "batches of 1,000, one caller",
        count * 1000,
        seconds,
        cpu() - before,
        "asked: ≥ 3,000",
    )


async def pages(stored: int) -> None:
    """Measure pages of a list of very many watches, the most of them over."""
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        path = Path(folder, "bench.db")
        async with await SqliteStore.open(path, clock=SystemClock(), uid=uuid4) as store:
            await fill(store, stored)
            print(
                f"\n{f'ms for a page of 100 of {stored:,}':40}{'median':>10}{'p99':>8}{'worst':>8}"
            )
            for what, wanted in (
                ("all, from anywhere", WatchFilter()),
                ("running ones of a source", WatchFilter(source="aiml", active=True)),
                ("in a state that none is in", WatchFilter(state=State.FAILED)),
            ):
                await page(store, what, wanted, stored)


async def fill(store: SqliteStore, stored: int) -> None:
    """Leave so many watches, of which one in ten runs."""
    hook = (await store.webhooks(["name:bench"]))["name:bench"].id
    for start in range(0, stored, 10_000):
        generations = [Generation("aiml", f"{i:07d}") for i in range(start, start + 10_000)]
        wishes = [
            WatchWish(generation=one, origin=Origin.API, webhooks=(hook,))
            for one in generations
        ]
        await store.register(wishes)
        await store.unwatch([g for i, g in enumerate(generations) if i % 10])


async def page(store: SqliteStore, what: str, wanted: WatchFilter, stored: int) -> None:
    """Print how long a page takes."""
    took = []
    for number in range(200):
        began = time.perf_counter()
        await store.list_watches(
            wanted, before=stored - number * (stored // 220), limit=100
        )
        took.append((time.perf_counter() - began) * 1e3)
    took.sort()
    print(
        f"{what:40}{statistics.median(took):10.2f}{took[197]:8.2f}{took[-1]:8.2f}   asked: p99 ≤ 20"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--single", type=int, default=4000)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--stored", type=int, default=1_000_000)
    options = parser.parse_args()
    port = free_port()
    server = {"listen": f"127.0.0.1:{port}", "token": TOKEN}
    print(f"{'registrations over HTTP, SQLite FULL':40}{'a second':>12}{'CPU µs each':>14}")
    with running(NOWHERE, f"{NOWHERE}/hook", [], server=server) as daemon:
        headers = {"authorization": f"Bearer {TOKEN}"}
        httpx.get(f"http://127.0.0.1:{port}/v1/sources", headers=headers)
        single(port, options.single // 4, 1, daemon.cpu, "")
        single(port, options.single, options.clients, daemon.cpu, "asked: ≥ 500")
        batches(port, options.batches, daemon.cpu)
    if options.stored:
        anyio.run(pages, options.stored)


if __name__ == "__main__":
    main()
