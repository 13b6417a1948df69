"""An API on virtual time: jobs that last as long as they do, and a limit that is kept exactly."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from bridge.core.ladder import State
from bridge.core.looking import (
    Abilities,
    Asking,
    Batch,
    Busy,
    Get,
    Hold,
    Look,
    Observation,
    Seen,
    Trouble,
)
from bridge.core.network.exchange import Answer, Request, Response
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Clock

URL = "https://api.example/"

_TIGHT = 1e-6
"""Seconds that floating point may take off a limit."""


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A generation: when it is begun, how long it lasts, and what its watching came to."""

    id: str
    born: float
    lasts: float
    model: str = ""
    looks: int = 0
    holds: int = 0
    seen_first: float | None = None
    found: float | None = None
    """When its end was recorded."""
    live: bool = False
    """Whether a hold was open when it ended."""

    @property
    def ends(self) -> float:
        """When it is completed."""
        return self.born + self.lasts

    @property
    def delay(self) -> float:
        """Seconds from its end to the record of it."""
        return float("inf") if self.found is None else self.found - self.ends


@dataclass(slots=True, kw_only=True)
class Limit:
    """So many requests a second, counted in every sliding second and, apart from that, by GCRA.

    GCRA lets `depth` requests come at once: one second's worth, as most of those that use it.
    `refused` counts those that either of them refuses; `tight` those that a GCRA without any
    depth would, to see how even the requests are.
    """

    rate: float
    depth: float | None = None
    refused: int = 0
    tight: int = 0
    most: int = 0
    _let: deque[float] = field(default_factory=deque)
    _arrival: float = float("-inf")
    _even: float = float("-inf")

    def lets(self, now: float) -> bool:
        """Count a request; return whether it is let through. What is refused costs nothing."""
        while self._let and now - self._let[0] >= 1.0 - _TIGHT:
            self._let.popleft()
        depth = self.rate if self.depth is None else self.depth
        ahead = max(self._arrival, now) + 1.0 / self.rate
        self.tight += now < self._even - _TIGHT
        self._even = max(self._even, now) + 1.0 / self.rate
        if len(self._let) >= self.rate or ahead - now > depth / self.rate + _TIGHT:
            self.refused += 1
            return False
        self._arrival = ahead
        self._let.append(now)
        self.most = max(self.most, len(self._let))
        return True


class Api:
    """Provider and Http in one: asked without a network, answered after `trip` seconds."""

    def __init__(
        self,
        clock: Clock,
        abilities: Abilities,
        *,
        limit: Limit | None = None,
        trip: float = 0.0,
    ) -> None:
        self.abilities = abilities
        self.jobs: dict[str, Job] = {}
        self.limit = limit
        self.moments: list[float] = []
        """When requests came."""
        self.ids = 0
        """How many generations they were about."""
        self._clock = clock
        self._trip = trip

    # ---------------------------------------------------------------- the provider

    def ask(self, look: Look) -> Asking:
        """Ask; how long the round trip takes is the network's matter."""
        match look:
            case Get(id=one):
                request = Request(method="GET", url=URL + "get", body=one.encode())
            case Hold(id=one):
                request = Request(method="GET", url=URL + "hold", body=one.encode())
            case Batch(ids=ids):
                request = Request(
                    method="GET", url=URL + "many", body=",".join(ids).encode()
                )
            case _:
                request = Request(method="GET", url=URL + "none")
        answer = yield request
        if not isinstance(answer, Response):
            return Trouble(why="no answer")
        if answer.status != 200:
            return Busy()
        asked = request.body.decode().split(",")
        done = answer.body
        return Seen(
            observations=tuple(
                self._observed(one, done[i] == 49, answer) for i, one in enumerate(asked)
            )
        )

    def _observed(self, one: str, done: bool, answer: Response) -> Observation:
        job = self.jobs[one]
        return Observation(
            id=one,
            native_state="done" if done else "dreaming",
            state=State.COMPLETED if done else State.DREAMING,
            observed_at=answer.received_at,
            model=job.model,
        )

    # ---------------------------------------------------------------- the network

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ARG002, ASYNC109  (the port's words)
        limit: int,  # noqa: ARG002
        way: Way = DIRECT,  # noqa: ARG002
    ) -> Answer:
        """Answer with a digit for each generation: 1 is over."""
        now = anyio.current_time()
        self.moments.append(now)
        if self.limit is not None and not self.limit.lets(now):
            return self._answer(429, b"")
        jobs = [self.jobs[one] for one in request.body.decode().split(",")]
        self.ids += len(jobs)
        for job in jobs:
            job.looks += 1
            job.seen_first = now if job.seen_first is None else job.seen_first
        if request.url.endswith("hold"):
            await self._hold(jobs[0], now)
        elif self._trip:
            await anyio.sleep(self._trip)
        return self._answer(200, _states(jobs, anyio.current_time()))

    async def _hold(self, job: Job, now: float) -> None:
        job.holds += 1
        longest = self.abilities.hold
        assert longest is not None
        if now < job.ends:
            await anyio.sleep_until(min(job.ends, now + longest.total_seconds()))
            job.live = job.ends <= anyio.current_time()

    def _answer(self, status: int, body: bytes) -> Response:
        return Response(status=status, body=body, received_at=self._clock.now())


def _states(jobs: Sequence[Job], now: float) -> bytes:
    return b"".join(b"1" if job.ends <= now else b"0" for job in jobs)
