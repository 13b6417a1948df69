"""The real poller on virtual time: watches come, are looked at, and what is told is noted."""

import gc
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import anyio
import trio
import trio.testing

from bench.looking.api import Api, Job, Limit
from bridge.core.change import Change, Recipient, Recorded
from bridge.core.ladder import State
from bridge.core.looking import Abilities
from bridge.core.settings import Rate, Source
from bridge.core.watch import Generation, Watch
from bridge.engine.poller import Poller

_EPOCH = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
_NOBODY = UUID(int=0)

PATIENCE = timedelta(days=30)
"""No watch of a measurement meets its deadline."""


class Clock:
    """The loop's own time."""

    def now(self) -> datetime:
        """Return the wall time."""
        return _EPOCH + timedelta(seconds=anyio.current_time())

    def monotonic(self) -> float:
        """Return seconds."""
        return anyio.current_time()


class Quiet:
    """A Log that keeps the phrases and how often each came."""

    def __init__(self) -> None:
        self.phrases: dict[str, int] = {}

    def debug(self, event: str, /, **fields: object) -> None:  # noqa: ARG002  (the port's)
        """Count it."""
        self.phrases[event] = self.phrases.get(event, 0) + 1

    info = warning = error = debug


class Chance:
    """Seeded luck."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def draw(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()


class Ledger:
    """Recorder, Audience and Rereader in one: everything is taken down, nobody is told."""

    def __init__(self, jobs: dict[str, Job]) -> None:
        self._jobs = jobs
        self.ended = 0

    async def record(self, change: Change) -> Recorded:
        """Note the moment of an end."""
        if change.rank >= State.COMPLETED:
            self._jobs[change.watch.generation.id].found = anyio.current_time()
            self.ended += 1
        return Recorded(accepted=True)

    def recipients(self, watch: Watch, tag: str) -> Sequence[Recipient]:  # noqa: ARG002
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


def watch(number: int, name: str, *, rank: int = -1, age: float = 0.0) -> Watch:
    """Return a watch as a store hands it out."""
    return Watch(
        id=number,
        uid=_NOBODY,
        fence=0,
        generation=Generation("bench", name),
        until=State.COMPLETED,
        webhooks=(),
        metadata={},
        rank=rank,
        seq=-1 if rank < 0 else 0,
        age=timedelta(seconds=age),
        left=PATIENCE,
        state_age=None if rank < 0 else timedelta(seconds=age),
    )


@dataclass(kw_only=True)
class Scene:
    """What is played: `limit` and round `trip` of the API, and what came of it."""

    abilities: Abilities
    rate: float
    looks: int = 24
    connections: int = 200
    limit: Limit | None = None
    trip: float = 0.0
    seed: int = 1
    cpu: float = 0.0

    def play(self, jobs: Sequence[Job], seconds: float) -> "Api":
        """Watch jobs, ordered by birth, for so many virtual seconds; return the API they were at.

        Each is registered when it is born; those that are born before 0 are watched already.
        """
        began = time.process_time()
        gc.collect()
        clock = trio.testing.MockClock(autojump_threshold=0)
        api: Api = trio.run(self._play, jobs, seconds, clock=clock)
        self.cpu = time.process_time() - began
        return api

    async def _play(self, jobs: Sequence[Job], seconds: float) -> Api:
        api = Api(Clock(), self.abilities, limit=self.limit, trip=self.trip)
        self.poller = self._poller(api)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.poller.run)
            tasks.start_soon(self._come, api, jobs)
            await anyio.sleep_until(seconds)
            tasks.cancel_scope.cancel()
        return api

    def _poller(self, api: Api) -> Poller:
        self.log = Quiet()
        ledger = Ledger(api.jobs)
        return Poller(
            Source(
                name="bench",
                provider_name="bench",
                provider=api,
                rate=Rate(per_second=self.rate),
                max_connections=self.connections,
                looks=self.looks,
            ),
            http=api,
            recorder=ledger,
            audience=ledger,
            rereader=ledger,
            clock=Clock(),
            chance=Chance(self.seed),
            log=self.log,
        )

    async def _come(self, api: Api, jobs: Iterable[Job]) -> None:
        known = [(n, job) for n, job in enumerate(jobs) if job.born < 0]
        api.jobs.update((job.id, job) for _, job in known)
        self.poller.add(
            watch(n, job.id, rank=State.DREAMING, age=-job.born) for n, job in known
        )
        for n, job in enumerate(jobs):
            if job.born >= 0:
                await anyio.sleep_until(job.born)
                api.jobs[job.id] = job
                self.poller.add([watch(n, job.id)])
