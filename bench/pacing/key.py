"""One key and the generations watched with it, on virtual time: round trip 0, nothing fails.

The decisions are the project's own: tables, price, the rule when a watch is due. What a poller
adds is here in a few lines: a heap of wake-ups, the gate, a reckoning each second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush, heapreplace
from itertools import accumulate
from random import Random

from bridge.core.pacing import due
from bridge.core.pacing.due import Bounds
from bridge.core.pacing.price import Price, sampled
from bridge.core.pacing.rung import Rung, lean
from bridge.core.pacing.tables import Tables
from bridge.core.sharing.gate import Gate

STATE = "dreaming"

WIDE = Bounds(longest=1e6)

_TIGHT = 1e-9


@dataclass(slots=True, kw_only=True)
class Job:
    """A generation: when it is admitted, how long it lasts, and what its watching came to."""

    born: float
    lasts: float
    model: str = ""
    looks: int = 0
    delay: float = 0.0


@dataclass(slots=True, kw_only=True)
class Key:
    """What watches; `decisions` counts how often the rule was asked.

    A request asks about `batch` ids: those that are due, filled up with the soonest. `requests`
    are their moments. `free`: the look at an admission costs no request, as in the figures of
    DETECTION.md; else it goes through the gate like any other.
    """

    tables: Tables
    price: Price
    gate: Gate = field(default_factory=lambda: Gate(rate=None))
    bounds: Bounds = WIDE
    batch: int = 1
    free: bool = False
    requests: list[float] = field(default_factory=list)
    now: float = 0.0
    decisions: int = 0
    turn: int = 0
    reckon_at: float = 0.0
    jobs: Sequence[Job] = ()
    _rungs: dict[int, Rung] = field(default_factory=dict)
    _heap: list[tuple[float, int]] = field(default_factory=list)

    def watch(self, jobs: Sequence[Job]) -> None:
        """Watch all jobs, ordered by birth, to their ends."""
        self.jobs = jobs
        coming = 0
        while coming < len(jobs) or self._heap:
            while coming < len(jobs) and jobs[coming].born <= self.now:
                self._admit(coming)
                coming += 1
            self._reckon()
            if not self._step():
                self._sleep(jobs[coming].born if coming < len(jobs) else None)

    def _admit(self, i: int) -> None:
        job = self.jobs[i]
        table = self.tables.find(job.model, STATE)
        rung = self._rungs[i] = Rung(table=table, entered=job.born, lean=lean(f"g{i}"))
        self.price.admitted(table)
        if self.free:
            rung.unchanged(job.born)
        at = due.at(rung, self.price, self.bounds) if self.free else job.born
        heappush(self._heap, (due.wake(at, self.now, len(self._rungs)), i))

    def _reckon(self) -> None:
        if self.now < self.reckon_at:
            return
        self.reckon_at = self.now + 1.0
        self.turn += 1
        rungs = sampled(list(self._rungs.values()), self.turn)
        found = [(rung.weight, rung.hazard(self.now)) for rung in rungs]
        self.price.reckon(self.now, found, len(self._rungs))
        self.tables.replan(self.price.value)

    def _step(self) -> bool:
        """Make a request, or ask the rule once; False: nothing to do at this moment."""
        if not self._heap or self.gate.opens(self.now) > self.now + _TIGHT:
            return False
        moment, i = self._heap[0]
        if moment <= self.now:
            if not self._due(i):
                return True
        elif not self._early(i):
            return False
        self.gate.take(self.now)
        self.requests.append(self.now)
        self._pay(i)
        self._along()
        return True

    def _due(self, i: int) -> bool:
        """Return whether the first in the heap is due; where it is not, it goes back."""
        self.decisions += 1
        at = due.at(self._rungs[i], self.price, self.bounds)
        if at > self.now:
            self._later(i, at)
        return at <= self.now

    def _early(self, i: int) -> bool:
        self.decisions += 1
        idle = self.price.idle
        return idle and due.early(self._rungs[i], self.price, self.bounds) <= self.now

    def _along(self) -> None:
        """Fill a batch: first who is due, then whoever would be asked about soonest.

        Those are looked at for nothing: a request is made anyway, so they take no token.
        """
        room = self.batch - 1
        while room and self._heap and self._heap[0][0] <= self.now:
            i = self._heap[0][1]
            if self._due(i):
                self._pay(i)
                room -= 1
        while room and self._heap:
            i = self._heap[0][1]
            rung = self._rungs[i]
            if rung.seen is not None and self.now < rung.seen + due.LEAST:
                return
            self._look(i, rung)
            room -= 1

    def _pay(self, i: int) -> None:
        self.price.bucket.take(1.0, self.now)
        self._look(i, self._rungs[i])

    def _later(self, i: int, at: float) -> None:
        heapreplace(self._heap, (due.wake(at, self.now, len(self._rungs)), i))

    def _look(self, i: int, rung: Rung) -> None:
        job = self.jobs[i]
        job.looks += rung.seen is not None
        if self.now < job.born + job.lasts:
            rung.unchanged(self.now)
            self._later(i, due.at(rung, self.price, self.bounds))
            return
        job.delay = self.now - job.born - job.lasts
        rung.changed(self.now)
        del self._rungs[i]
        heappop(self._heap)

    def _sleep(self, birth: float | None) -> None:
        """Go on to the next moment at which anything can happen."""
        moments = [self.reckon_at] if self._rungs else []
        if birth is not None:
            moments.append(birth)
        if self._heap:
            moments.append(max(self._heap[0][0], self.gate.opens(self.now)))
        self.now = max(self.now, min(moments))


def arrivals(times: Sequence[float], rate: float, seed: int) -> list[Job]:
    """Return jobs of these durations that come at random, `rate` a second."""
    draw = Random(seed)
    born = accumulate(draw.expovariate(rate) for _ in times)
    return [Job(born=at, lasts=t) for at, t in zip(born, times, strict=True)]
