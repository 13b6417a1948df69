"""CPU per signed, durably logged delivery, beside Alertmanager, httpx and a bare asyncio client.

usage: python -m bench.delivery [--count 20000] [--concurrency 32] [--profile FILE]

Ours does the whole of it: the change, its event and its delivery are committed (SQLite, WAL, FULL),
the body is rendered and signed, posted, the answer judged, the delivery settled and its attempt
logged in another commit. The clients only post, unsigned, and remember nothing; Alertmanager
(Debian's, one group an alert, GOMAXPROCS=1) is told of alerts 500 at a time, posts each, and stores
nothing. All of them run on one core, the receiver where the machine likes. CPU counts a whole
process with its threads.
"""

import argparse
import cProfile
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import anyio
import structlog
import uvloop

from bench import alertmanager
from bench.http import cost, httpx_pool, raw
from bench.receiver import running
from bridge.core.change import Change
from bridge.core.delivering.signing import read_key
from bridge.core.event import Event, envelope, event_id
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
RAW = (
    b'{"id":"9f0c2d1e","state":"completed","assets":{"video":"https://cdn.example/v.mp4"}}'
)


class Work:
    """The engine's half that delivers, on a database of its own."""

    def __init__(
        self, store: SqliteStore, client: Client, url: str, concurrency: int
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
        self.webhook = Webhook(
            name="bench",
            url=url,
            keys=(read_key(SECRET),),
            format=Format(),
            concurrency=concurrency,
        )
        self.clock = clock

    async def watches(self, count: int) -> list[Watch]:
        """Register so many watches of one webhook."""
        states = await self.store.webhooks(["name:bench"])
        self.sender.set_lanes([(self.webhook, states["name:bench"])])
        wishes = [
            WatchWish(
                generation=Generation("aiml", str(uuid4())),
                origin=Origin.API,
                webhooks=(states["name:bench"].id,),
            )
            for _ in range(count)
        ]
        return list((await self.store.register(wishes)).started)

    def change(self, watch: Watch) -> Change:
        """Return what the poller would make of a completed generation."""
        now = self.clock.now()
        event = Event(
            tag="completed",
            occurred_at=now,
            source="aiml",
            provider="aimlapi-luma",
            generation_id=watch.generation.id,
            state=State.COMPLETED,
            native_state="completed",
            previous_state=State.DREAMING,
            observed_at=now,
            metadata={"order": 1042, "note": "x" * 200},
            sequence=0,
        )
        return Change(
            watch=watch,
            rank=State.COMPLETED,
            native_state="completed",
            ended="completed",
            tag="completed",
            message=Message(
                id=event_id(watch.uid, "completed"), body=envelope(event), raw=RAW
            ),
            recipients=tuple(self.sender.recipients(watch, "completed")),
        )

    async def run(self, watches: list[Watch], pollers: int) -> None:
        """Record a change of every watch, and return once all are delivered and settled."""
        left = iter(watches)

        async def poll() -> None:
            for watch in left:
                change = self.change(watch)
                self.sender.deliver(change, await self.writer.record(change))

        async with anyio.create_task_group() as tasks:
            for _ in range(pollers):
                tasks.start_soon(poll)
        while (await self.store.census()).pending:
            await anyio.sleep(0.02)


@asynccontextmanager
async def work(url: str, concurrency: int) -> AsyncIterator[Work]:
    """Open a database and a client, and run the loops."""
    allow = (ip_network("127.0.0.0/8"),)
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        path = Path(folder, "bench.db")
        async with (
            await SqliteStore.open(path, clock=SystemClock(), uid=uuid4) as store,
            Client(clock=SystemClock(), allow=allow) as client,
            anyio.create_task_group() as tasks,
        ):
            one = Work(store, client, url, concurrency)
            watches = await one.watches(concurrency)
            tasks.start_soon(one.writer.run)
            tasks.start_soon(one.sender.run)
            await one.run(watches, concurrency)
            yield one
            tasks.cancel_scope.cancel()


async def ours(
    url: str, count: int, concurrency: int, profile: str | None
) -> tuple[float, float]:
    """Return CPU µs per delivery, and deliveries a second."""
    async with work(url, concurrency) as one:
        watches = await one.watches(count)
        profiler = cProfile.Profile()
        if profile:
            profiler.enable()
        cpu, wall = time.process_time(), time.perf_counter()
        await one.run(watches, 2 * concurrency)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if profile:
            profiler.disable()
            profiler.dump_stats(profile)
    return cpu / count * 1e6, count / wall


async def reference(name: str, url: str, count: int, concurrency: int) -> float:
    """Return CPU µs per bare POST of another client."""
    async with {"raw": raw, "httpx": httpx_pool}[name](url) as post:
        return await cost(post, count, concurrency)


def on_one_core() -> None:
    """Keep to one core, with every process that is begun from here on; not on macOS."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--profile")
    options = parser.parse_args()
    collect_seldom()
    with running() as port:
        on_one_core()
        url = f"http://127.0.0.1:{port}/hook"
        rival = alertmanager.cost(url, options.count) if alertmanager.installed() else None
        many, few = options.count, max(500, options.count // 20)
        bare = uvloop.run(reference("raw", url, many, options.concurrency))
        stock = uvloop.run(reference("httpx", url, few, options.concurrency))
        whole, rate = anyio.run(
            partial(ours, url, many, options.concurrency, options.profile),
            backend_options={"use_uvloop": True},
        )
    print(
        f"concurrency {options.concurrency}, {many:,} deliveries    CPU µs each        /s"
    )
    print(f"bare asyncio client, posts only      {bare:14.0f}")
    print(f"httpx.AsyncClient.post, posts only   {stock:14.0f}")
    if rival is None:
        print("Alertmanager: not installed (apt-get install prometheus-alertmanager)")
    else:
        print(f"Alertmanager, posts, stores nothing  {rival[0]:14.0f} {rival[1]:9,.0f}")
    print(f"genbridge, recorded, signed, settled {whole:14.0f} {rate:9,.0f}")
    print("asked: ≤ 150 µs, ≥ 5,000/s on one core")
    if rival is not None:
        print(f"genbridge / Alertmanager = {whole / rival[0]:.2f} in CPU")
    print(f"httpx / genbridge = {stock / whole:.1f}")


if __name__ == "__main__":
    main()
