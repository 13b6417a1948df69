"""An account at a simulated API: its generations, and how they look at a moment."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from bridge.core.ladder import State
from bridge.core.ports import Clock
from bridge.simulator.links import link
from bridge.simulator.switches import Links, Switches
from bridge.simulator.timeline import Timeline

PROMPT = "a paper boat crossing a rain puddle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A simulated generation; `started` is a monotonic moment.

    `kind` is video or image; an empty `model` means the API's own default.
    """

    id: str
    timeline: Timeline
    started: float
    created_at: datetime
    kind: str = "video"
    model: str = ""
    prompt: str = PROMPT
    code: str = "generation_failed"
    reason: str = "The simulated generation was told to fail"

    def reaches(self, state: State) -> float:
        """Return the monotonic moment at which the rank is at least the state's."""
        return self.started + self.timeline.reaches(state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A job as one answer shows it; `word` is the script's, `origin` where links are served."""

    job: Job
    word: str
    rank: int
    has_output: bool
    origin: str
    issued: datetime
    life: float

    @property
    def failed(self) -> bool:
        """Whether there is a failure to be shown."""
        return self.rank == State.FAILED

    def link(self, ending: str) -> str:
        """Return a link to the job's file with this ending."""
        name = f"{self.job.id}.{ending}"
        return link(self.origin, name, issued=self.issued, life=self.life)


@dataclass(kw_only=True)
class Account:
    """The generations of one key's owner, oldest first."""

    clock: Clock
    chance: Random
    switches: Switches
    origin: str = ""
    jobs: dict[str, Job] = field(default_factory=dict)

    def add(self, job: Job) -> None:
        """Keep a generation; an earlier one of the same id is forgotten."""
        self.jobs.pop(job.id, None)
        self.jobs[job.id] = job

    def new_id(self) -> str:
        """Return a random UUID."""
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def find(self, id: str, at: float) -> Job | None:  # noqa: A002  (the domain's word)
        """Return a generation that can be seen at the moment."""
        job = self.jobs.get(id)
        return job if job and at - job.started >= self.switches.hidden else None

    def is_stale(self) -> bool:
        """Draw whether the answer in the making comes from a stale replica."""
        return self.switches.stale > 0 and self.chance.random() < self.switches.stale

    def picture(self, job: Job, at: float, *, stale: bool) -> Picture:
        """Return how a generation looks at the moment, or looked before its last transition."""
        timeline, age = job.timeline, at - job.started
        if self.switches.odd_word is not None:
            timeline = timeline.with_word(self.switches.odd_word)
        step = timeline.before(age) if stale else timeline.at(age)
        since = age - timeline.reaches(State.COMPLETED)
        return Picture(
            job=job,
            word=step.word,
            rank=step.rank,
            has_output=step.word == State.COMPLETED.word
            and since >= self.switches.without_output,
            origin=self.origin,
            issued=self._issued(job, since),
            life=self.switches.link_life,
        )

    def _issued(self, job: Job, since: float) -> datetime:
        if self.switches.links is Links.RENEWED or since < 0:
            return self.clock.now()
        return job.created_at + timedelta(seconds=job.timeline.reaches(State.COMPLETED))
