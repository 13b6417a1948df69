"""An account at a simulated API: its generations, and how they look at a moment."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TypeAlias
from uuid import UUID

from bridge.core.ladder import State
from bridge.core.ports import Clock
from bridge.simulator.outbox import Callback
from bridge.simulator.picture import Job, Picture, after
from bridge.simulator.switches import Links, Switches
from bridge.simulator.timeline import Timeline
from bridge.simulator.words import LADDER, Words

Ids: TypeAlias = Callable[[Random], str]
"""Makes the id of a new generation."""


def uuid(chance: Random) -> str:
    """Return a random UUID."""
    return str(UUID(int=chance.getrandbits(128), version=4))


def digits(count: int) -> Ids:
    """Return a maker of ids of so many digits."""
    return lambda chance: str(chance.randrange(10 ** (count - 1), 10**count))


@dataclass(kw_only=True)
class Account:
    """The generations of one key's owner, oldest first.

    `wall` is the clock that clients live by, which a scaled `clock` leaves behind. `asked` counts
    the second calls about a generation. `outbox` holds the callbacks that are to be posted, those
    of all accounts together.
    """

    clock: Clock
    wall: Clock
    chance: Random
    switches: Switches
    words: Words = LADDER
    ids: Ids = uuid
    link_life: float = 3600.0
    origin: str = ""
    jobs: dict[str, Job] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    outbox: list[Callback] = field(default_factory=list)

    def add(self, job: Job) -> None:
        """Keep a generation; an earlier one of the same id is forgotten."""
        self.jobs.pop(job.id, None)
        self.jobs[job.id] = job

    def new_id(self) -> str:
        """Return a random UUID."""
        return uuid(self.chance)

    def find(self, id: str, at: float) -> Job | None:  # noqa: A002  (the domain's word)
        """Return a generation that can be seen at the moment."""
        job = self.jobs.get(id)
        return job if job and at - job.started >= self.switches.hidden else None

    def found(self, ids: Iterable[str], at: float) -> Sequence[Job]:
        """Return those of the generations that can be seen at the moment."""
        return [job for one in ids if (job := self.find(one, at))]

    def newest(self, at: float) -> Sequence[Job]:
        """Return every generation that can be seen at the moment, the newest first."""
        return self.found(reversed(self.jobs), at)

    def is_stale(self) -> bool:
        """Draw whether the answer in the making comes from a stale replica."""
        return self.switches.stale > 0 and self.chance.random() < self.switches.stale

    def reaches(self, job: Job, state: State) -> float:
        """Return the monotonic moment at which a job's rank is at least the state's."""
        age = self._timeline(job).reaches(state)
        moment = job.started + age
        # A sum is rounded, so that the age of that moment may be a hair too young.
        while moment - job.started < age:
            moment = math.nextafter(moment, math.inf)
        return moment

    def pictures(self, jobs: Sequence[Job], at: float) -> Sequence[Picture]:
        """Return how generations look to one answer: a stale replica has another order, too."""
        stale = self.is_stale()
        ordered = reversed(jobs) if stale else jobs
        return [self.picture(job, at, stale=stale) for job in ordered]

    def picture(self, job: Job, at: float, *, stale: bool) -> Picture:
        """Return how a generation looks at the moment, or looked before its last transition."""
        timeline, age = self._timeline(job), at - job.started
        step = timeline.before(age) if stale else timeline.at(age)
        missed = math.nextafter(timeline.at(age).starts, 0.0)
        ended, life = timeline.reaches(State.COMPLETED), self.switches.link_life
        return Picture(
            job=job,
            timeline=timeline,
            age=missed if stale else age,
            step=step,
            has_output=step.rank == State.COMPLETED
            and age - ended >= self.switches.without_output,
            origin=self.origin,
            issued=self._issued(job, age, ended),
            life=self.link_life if life is None else life,
            switches=self.switches,
        )

    def _timeline(self, job: Job) -> Timeline:
        timeline, switches = job.timeline, self.switches
        if switches.odd_word is not None:
            timeline = timeline.with_word(switches.odd_word)
        return (
            timeline if switches.stuck_word is None else timeline.stuck(switches.stuck_word)
        )

    def _issued(self, job: Job, age: float, ended: float) -> datetime:
        if self.switches.links is Links.RENEWED or age < ended or not math.isfinite(ended):
            return self.clock.now()
        return after(job, ended)
