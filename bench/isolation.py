"""1,000 webhooks, an event a second each, of which 300 hang: what the healthy ones notice.

usage: python -m bench.isolation [--healthy 700] [--hanging 300] [--seconds 25]

The engine's half that delivers, on a real database (SQLite, FULL) and real sockets. Measured is
the time from the moment at which a change is handed in to that at which its POST has arrived, at
the healthy webhooks, with and without the others beside them. Those answer after 30 s, later than
the 15 s that an attempt may take. Receivers and each run are processes of their own.
"""

import argparse
import asyncio
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import anyio
import structlog
import uvloop

from bridge.core.change import Change
from bridge.core.delivering.signing import read_key
from bridge.core.event import event_id
from bridge.core.ladder import State
from bridge.core.message import Message
from bridge.core.settings import Webhook
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.daemon import collect_seldom
from bridge.engine.courier import Courier
from bridge.engine.sender import Sender
from bridge.engine.writer import Writer
from bridge.formats.standard import Format
from bridge.http import Client
from bridge.store.sqlite import SqliteStore
from bridge.telemetry.clock import SystemChance, SystemClock

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
HANG = 30.0
AFTER = 3.0
"""Seconds after the last event until it is counted what has arrived."""

_END = b"\r\n\r\n"
_AT = re.compile(rb'"at":(\d+)')
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver(asyncio.Protocol):
    """All webhooks: those under /healthy answer at once, the others late; GET tells the waits."""

    waits: list[float]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP's is one
        self.pending = b""

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is whole: one at a time comes on a connection."""
        self.pending += data
        if self.pending.startswith(b"GET "):
            told = json.dumps(self.waits).encode()
            head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(told)
            self.transport.write(head + told)
        elif _END in self.pending and self.pending.endswith(b"}}"):
            self._take(self.pending)
            self.pending = b""

    def _take(self, request: bytes) -> None:
        if not request.startswith(b"POST /healthy"):
            asyncio.get_running_loop().call_later(HANG, self._late)
            return
        if found := _AT.search(request):
            self.waits.append((time.monotonic_ns() - int(found[1])) / 1e6)
        self.transport.write(_ANSWER)

    def _late(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_ANSWER)


async def serve() -> None:
    """Be the receivers; print the port."""
    kind = type("_Receiver", (Receiver,), {"waits": []})
    loop = asyncio.get_running_loop()
    server = await loop.create_server(kind, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)  # its whole output
    await server.serve_forever()


@contextmanager
def serving() -> Iterator[int]:
    """Run the receivers in a process of their own; give their port."""
    command = [sys.executable, "-m", "bench.isolation", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run brought: sorted waits in milliseconds, MiB at most, attempts at most at once."""

    waits: list[float]
    memory: float
    flying: int

    def share(self, part: float) -> float:
        """Return the wait that a share of all did not exceed."""
        return self.waits[min(len(self.waits) - 1, int(part * len(self.waits)))]


class Work:
    """The engine's half that delivers, and its webhooks by their names."""

    def __init__(
        self, store: SqliteStore, client: Client, names: list[str], port: int
    ) -> None:
        clock, log = SystemClock(), structlog.get_logger()
        self.store = store
        self.writer = Writer(store, clock=clock, log=log)
        self.sender = Sender(
            outbox=store,
            settler=self.writer,
            courier=Courier(http=client, clock=clock, version="bench"),
            clock=clock,
            chance=SystemChance(),
            log=log,
        )
        self.writer.on_written = self.sender.written
        key = read_key(SECRET)
        self.webhooks = [
            Webhook(
                name=name,
                url=f"http://127.0.0.1:{port}/{name}",
                keys=(key,),
                format=Format(),
            )
            for name in names
        ]
        self.ids: list[int] = []
        self.most = 0

    async def open(self) -> None:
        """Make the webhooks known, and open their lanes."""
        states = await self.store.webhooks([f"name:{one.name}" for one in self.webhooks])
        of = {one.name: states[f"name:{one.name}"] for one in self.webhooks}
        self.ids = [state.id for state in of.values()]
        self.sender.set_lanes((one, of[one.name]) for one in self.webhooks)

    async def watches(self, seconds: int) -> list[list[Watch]]:
        """Register a watch for each second and webhook."""
        found: list[list[Watch]] = []
        for _ in range(seconds):
            wishes = [
                WatchWish(
                    generation=Generation("aiml", str(uuid4())),
                    origin=Origin.API,
                    webhooks=(id_,),
                )
                for id_ in self.ids
            ]
            some: list[Watch] = []
            for start in range(0, len(wishes), 500):
                some += (await self.store.register(wishes[start : start + 500])).started
            found.append(some)
        return found

    async def tell(self, watch: Watch) -> None:
        """Hand in the end of a generation."""
        body = b'{"type":"generation.completed","timestamp":"%s","data":{"at":%d}}'
        stamp = b"2026-11-21T08:30:00Z"
        change = Change(
            watch=watch,
            rank=State.COMPLETED,
            native_state="completed",
            ended="completed",
            tag="completed",
            message=Message(
                id=event_id(watch.uid, "completed"),
                body=body % (stamp, time.monotonic_ns()),
            ),
            recipients=tuple(self.sender.recipients(watch, "completed")),
        )
        self.sender.deliver(change, await self.writer.record(change))

    async def second(self, watches: list[Watch]) -> None:
        """Tell all of these within a second, evenly."""
        began = time.monotonic()
        async with anyio.create_task_group() as tasks:
            for number, watch in enumerate(watches):
                wait = began + number / len(watches) - time.monotonic()
                if wait > 0:
                    await anyio.sleep(wait)
                tasks.start_soon(self.tell, watch)
        standings = [self.sender.standing(id_) for id_ in self.ids]
        self.most = max(self.most, sum(one.in_flight for one in standings if one))
        await anyio.sleep(max(0.0, began + 1.0 - time.monotonic()))


async def run(names: list[str], port: int, seconds: int) -> int:
    """Tell every webhook something each second; return how many attempts were under way at most."""
    clock = SystemClock()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        async with (
            await SqliteStore.open(
                Path(folder, "bench.db"), clock=clock, uid=uuid4
            ) as store,
            Client(clock=clock, allow=(ip_network("127.0.0.0/8"),)) as client,
            anyio.create_task_group() as tasks,
        ):
            work = Work(store, client, names, port)
            await work.open()
            watches = await work.watches(seconds)
            tasks.start_soon(work.writer.run)
            tasks.start_soon(work.sender.run)
            for some in watches:
                await work.second(some)
            await anyio.sleep(AFTER)
            tasks.cancel_scope.cancel()
    return work.most


def part(options: argparse.Namespace, hanging: int) -> Outcome:
    """Make one run in a process of its own."""
    with serving() as port:
        numbers = map(str, (options.healthy, hanging, options.seconds, port))
        command = [sys.executable, "-m", "bench.isolation", "--run", *numbers]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        waits = uvloop.run(_waits(port))
    flying, memory = told.split()
    return Outcome(waits=sorted(waits), memory=float(memory), flying=int(flying))


async def _waits(port: int) -> list[float]:
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(b"GET / HTTP/1.1\r\n\r\n")
        told = b""
        while not told.endswith(b"]"):
            told += await stream.receive()
    waits: list[float] = json.loads(told.partition(_END)[2])
    return waits


def alone(healthy: int, hanging: int, seconds: int, port: int) -> None:
    """Be one run; print what `part` reads."""
    names = [f"healthy{n}" for n in range(healthy)] + [f"hung{n}" for n in range(hanging)]
    most = uvloop.run(run(names, port, seconds))
    print(most, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--healthy", type=int, default=700)
    parser.add_argument("--hanging", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=25)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--run", type=int, nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    collect_seldom()
    if options.serve:
        uvloop.run(serve())
    elif options.run:
        alone(*options.run)
    else:
        table(options)


def table(options: argparse.Namespace) -> None:
    """Measure and print."""
    clean, beside = part(options, 0), part(options, options.hanging)
    wanted = options.healthy * options.seconds
    print(f"{options.healthy} healthy webhooks, an event a second each, ms to the receiver")
    print(f"{'':28}{'p50':>8}{'p99':>8}{'worst':>8}{'arrived':>12}{'under way':>11} MiB")
    for name, one in (
        ("alone", clean),
        (f"beside {options.hanging} that hang", beside),
    ):
        print(
            f"{name:28}{one.share(0.5):8.1f}{one.share(0.99):8.1f}{one.waits[-1]:8.1f}"
            f"{len(one.waits):7}/{wanted}{one.flying:9}{one.memory:7.0f}"
        )
    ratio = beside.share(0.99) / clean.share(0.99)
    print(f"p99, beside / alone {ratio:.2f}   asked: ≤ 1.5")


if __name__ == "__main__":
    main()
