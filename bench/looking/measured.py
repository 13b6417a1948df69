"""The process that is measured: a poller, the real client, and nobody else.

usage: python -m bench.looking.measured single|hundred|batch|held URL     prints figures as JSON
"""

import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import httpx
import uvloop

from bench.looking.server import asked
from bench.looking.stage import Quiet
from bridge.core.change import Change, Recipient, Recorded
from bridge.core.ladder import State
from bridge.core.looking import Abilities, Asking, Look
from bridge.core.looking import asked as ids_of
from bridge.core.network.exchange import Request, Response
from bridge.core.reading.api import Batching
from bridge.core.settings import Rate, Source
from bridge.core.watch import Generation, Watch
from bridge.engine.poller import Poller
from bridge.http import Client
from bridge.providers.aimlapi_luma import Provider
from bridge.telemetry.clock import SystemChance, SystemClock

SLICE = 1000
"""Watches that a store hands out at once."""

HELD = 30.0
"""Seconds for which holds are watched: each of them begins anew once."""

_URL = "/v2/generate/video/luma-ai/generation"


class Wide(Provider):
    """aimlapi-luma, as if it took a hundred ids at once."""

    assert Provider.api.batch is not None
    _batch: ClassVar[Batching] = replace(Provider.api.batch, most=100)
    api = replace(Provider.api, batch=_batch)


class Counted:
    """Asks as aimlapi-luma is asked, with other abilities, and counts."""

    def __init__(self, url: str, **changes: Any) -> None:
        self._provider = Wide(api_key="key", base_url=url)
        self.abilities: Abilities = replace(self._provider.abilities, **changes)
        self.looks = self.ids = 0
        self.first = 0.0

    def ask(self, look: Look) -> Asking:
        """Ask as the provider does."""
        self.looks += 1
        self.ids += len(ids_of(look))
        self.first = self.first or time.monotonic()
        return self._provider.ask(look)


class Ledger:
    """Takes down the moment of each end; tells nobody."""

    def __init__(self) -> None:
        self.ends: dict[str, float] = {}

    async def record(self, change: Change) -> Recorded:
        """Note it."""
        if change.rank >= State.COMPLETED:
            self.ends[change.watch.generation.id] = time.monotonic()
        return Recorded(accepted=True)

    def recipients(self, watch: Watch, tag: str) -> tuple[Recipient, ...]:  # noqa: ARG002
        """Return nobody."""
        return ()

    def wants_rungs(self, watch: Watch) -> bool:  # noqa: ARG002
        """Say that only the end counts."""
        return False

    def deliver(self, change: Change, recorded: Recorded) -> None:
        """Deliver nothing."""

    async def watch(self, generation: Generation) -> Watch | None:  # noqa: ARG002
        """Know of no watch."""
        return None


def watches(count: int, letter: str) -> Iterator[Watch]:
    """Give watches as a store does: nothing in them is shared but what is the same for all."""
    for n in range(count):
        yield Watch(
            id=n,
            uid=UUID(int=n + 1),
            fence=1,
            generation=Generation("bench", f"{letter}5b1c7d2e-{n:08d}"),
            until=State.COMPLETED,
            webhooks=(1,),
            metadata={},
            rank=State.DREAMING,
            native_state="dreaming",
            seq=0,
            age=timedelta(seconds=60 + n % 60),
            left=timedelta(hours=23),
            state_age=timedelta(seconds=60 + n % 60),
        )


def rss() -> float:
    """Return MiB of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@asynccontextmanager
async def polling(
    provider: Counted, ledger: Ledger, *, rate: float, looks: int, connections: int
) -> AsyncIterator[tuple[Poller, Client]]:
    """Run a poller with the real client."""
    source = Source(
        name="bench",
        provider_name="aimlapi-luma",
        provider=provider,
        rate=Rate(per_second=rate),
        max_connections=connections,
        looks=looks,
    )
    async with Client(clock=SystemClock(), allow=(ip_network("127.0.0.0/8"),)) as client:
        poller = Poller(
            source,
            http=client,
            recorder=ledger,
            audience=ledger,
            rereader=ledger,
            clock=SystemClock(),
            chance=SystemChance(),
            log=Quiet(),
        )
        run = asyncio.create_task(poller.run())
        try:
            yield poller, client
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


async def taken_up(poller: Poller, count: int, letter: str) -> None:
    """Hand watches to the poller as the daemon does at its start."""
    gc.disable()
    part: list[Watch] = []
    for one in watches(count, letter):
        part.append(one)
        if len(part) == SLICE:
            poller.add(part)
            part = []
            await asyncio.sleep(0)
    poller.add(part)
    gc.freeze()
    gc.enable()


async def spent(provider: Counted, seconds: float) -> tuple[float, int, int]:
    """Return CPU seconds, looks and ids of a while."""
    cpu, looks, ids = time.process_time(), provider.looks, provider.ids
    await asyncio.sleep(seconds)
    return time.process_time() - cpu, provider.looks - looks, provider.ids - ids


async def single(url: str) -> dict[str, float]:
    """Look at 2,000 generations that do not change, a thousand times a second."""
    provider = Counted(url, hold=None, batch=None, rate=1000.0)
    async with polling(provider, Ledger(), rate=1000, looks=10**6, connections=200) as (
        poller,
        client,
    ):
        await taken_up(poller, 2000, "q")
        await asyncio.sleep(4)
        cpu, looks, _ = await spent(provider, 8)
        for one in poller.watches():
            poller.drop(one.generation.id)
        return {
            "ms": cpu / looks * 1e3,
            "rate": looks / 8,
            "ours": await bare(client, url),
            "httpx": await httpx_gets(url),
        }


async def hundred(url: str) -> dict[str, float]:
    """Look at 20,000 generations that do not change, 100 at once, 500 times a second."""
    provider = Counted(url, hold=None, batch=100, rate=500.0)
    async with polling(provider, Ledger(), rate=500, looks=10**6, connections=200) as (
        poller,
        _,
    ):
        await taken_up(poller, 20_000, "q")
        await asyncio.sleep(6)
        used, looks, ids = await spent(provider, 8)
        return {"us": used / ids * 1e6, "full": ids / looks, "rate": looks / 8}


async def bare(client: Client, url: str) -> float:
    """Return milliseconds of CPU of a bare GET of the same document by our client."""
    request = Request(method="GET", url=f"{url}{_URL}?generation_id=q1")

    async def once() -> None:
        answer = await client.send(request, timeout=timedelta(seconds=30), limit=1 << 20)
        assert isinstance(answer, Response), answer

    return await each(once, 4000)


async def httpx_gets(url: str) -> float:
    """Return milliseconds of CPU of a bare GET by httpx."""
    async with httpx.AsyncClient(trust_env=False) as client:

        async def once() -> None:
            await client.get(f"{url}{_URL}?generation_id=q1")

        return await each(once, 1000)


async def each(once: Callable[[], Coroutine[Any, Any, None]], times: int) -> float:
    """Return milliseconds of CPU of one call, eight at a time."""

    async def some(count: int) -> None:
        for _ in range(count):
            await once()

    await some(8)
    began = time.process_time()
    await asyncio.gather(*(some(times // 8) for _ in range(8)))
    return (time.process_time() - began) / times * 1e3


async def batch(url: str) -> dict[str, float]:
    """Look at 100,000 generations in batches of 100."""
    bare_rss = rss()
    provider = Counted(url, hold=None, batch=100, rate=100.0)
    async with polling(provider, Ledger(), rate=100, looks=10**6, connections=200) as (
        poller,
        _,
    ):
        began, cpu = time.monotonic(), time.process_time()
        await taken_up(poller, 100_000, "q")
        took, cpu = time.monotonic() - began, time.process_time() - cpu
        while not provider.first:
            await asyncio.sleep(0.001)
        await asyncio.sleep(14)
        used, looks, ids = await spent(provider, 10)
        return {
            "bare": bare_rss,
            "rss": rss(),
            "most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "first": provider.first - began,
            "took": took,
            "taking": cpu,
            "us": used / ids * 1e6,
            "full": ids / looks,
            "rate": looks / 10,
        }


async def held(url: str) -> dict[str, float]:
    """Hold 10,000 generations at once; they end at random within 20 s."""
    count = 10_400
    bare_rss, ledger = rss(), Ledger()
    provider = Counted(url, rate=1000.0)
    async with polling(
        provider, ledger, rate=1000, looks=24, connections=count * 10 // 9 + 10
    ) as (poller, _):
        await taken_up(poller, count, "h")
        most, until = 0, time.monotonic() + 90
        while most < 10_000 and time.monotonic() < until:
            await asyncio.sleep(1)
            most = max(most, poller.report().holds)
        cpu, looks, _ids = await spent(provider, HELD)
        full = rss()
        most = max(most, poller.report().holds)
        busy = time.process_time()
        await asyncio.to_thread(asked, f"{url}/go?20")
        await asyncio.sleep(26)
        busy = time.process_time() - busy
        left = json.loads(await asyncio.to_thread(asked, f"{url}/left"))
        late = sorted((at - left[one]) * 1e3 for one, at in ledger.ends.items())
        return {
            "bare": bare_rss,
            "rss": full,
            "most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "holds": most,
            "mode": 0.0 if poller.report().mode == "hold all" else 1.0,
            "cpu": cpu / HELD * 100,
            "each": cpu / max(1, looks) * 1e3,
            "told": len(late),
            "end": busy / max(1, len(late)) * 1e3,
            "p50": late[len(late) // 2],
            "p99": late[int(len(late) * 0.99)],
            "max": late[-1],
        }


PARTS = {"single": single, "hundred": hundred, "batch": batch, "held": held}


def main() -> None:
    """Measure, as the daemon runs: on uvloop, and looking for garbage seldom."""
    gc.set_threshold(20_000, 4, 250)
    part, url = sys.argv[1:]
    print(json.dumps(uvloop.run(PARTS[part](url))))


if __name__ == "__main__":
    main()
