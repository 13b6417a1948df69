"""A simulated generation, and the picture of it that one answer shows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.core.ladder import State
from bridge.simulator.links import link
from bridge.simulator.switches import Switches
from bridge.simulator.timeline import Step, Timeline

PROMPT = "a paper boat crossing a rain puddle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A simulated generation; `started` is a monotonic moment.

    `kind` is video or image or what else the API makes; an empty `model` means the API's own
    default; `place` is where it lives, for APIs that have regions.
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
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A job as one answer shows it: at this age in seconds, at this step.

    `timeline` is the one that the switches leave; `origin` is where links are served, `issued`
    when they are signed, and `life` how many seconds they live.
    """

    job: Job
    timeline: Timeline
    age: float
    step: Step
    has_output: bool
    origin: str
    issued: datetime
    life: float
    switches: Switches = field(repr=False)

    @property
    def id(self) -> str:
        """The generation's id."""
        return self.job.id

    @property
    def word(self) -> str:
        """The state in the API's word."""
        return self.step.word

    @property
    def scripted(self) -> str:
        """The state in the script's word."""
        return self.step.scripted

    @property
    def rank(self) -> int:
        """The rank of the state."""
        return self.step.rank

    @property
    def progress(self) -> float:
        """The share of the dreaming that is over."""
        return self.timeline.progress(self.age)

    @property
    def began(self) -> datetime | None:
        """When the dreaming began; None: not yet."""
        return self._since(State.DREAMING)

    @property
    def ended(self) -> datetime | None:
        """When the end came; None: not yet."""
        return self._since(State.COMPLETED)

    @property
    def queued(self) -> bool:
        """Whether nothing has begun yet."""
        return self.rank == State.QUEUED

    @property
    def dreaming(self) -> bool:
        """Whether it is being made."""
        return self.rank == State.DREAMING

    @property
    def completed(self) -> bool:
        """Whether it was made; its output may still be absent."""
        return self.rank == State.COMPLETED

    @property
    def failed(self) -> bool:
        """Whether there is a failure to be shown."""
        return self.rank == State.FAILED

    @property
    def moderated(self) -> bool:
        """Whether it failed for its content."""
        return self.scripted == "moderated"

    @property
    def updated(self) -> datetime:
        """When it last moved from one rung to another."""
        return self.ended or self.began or self.job.created_at

    @property
    def percent(self) -> str:
        """The progress, as `46%`."""
        return f"{int(self.progress * 100)}%"

    def link(self, ending: str) -> str:
        """Return a link to the job's file with this ending."""
        name = f"{self.job.id}.{ending}"
        return link(self.origin, name, issued=self.issued, life=self.life)

    def _since(self, state: State) -> datetime | None:
        if self.rank < state:
            return None
        return after(self.job, self.timeline.reaches(state))


def seconds(moment: datetime | None) -> int:
    """Return a moment as whole seconds since 1970; 0: not yet."""
    return int(moment.timestamp()) if moment else 0


def milliseconds(moment: datetime | None) -> int:
    """Return a moment as milliseconds since 1970; 0: not yet."""
    return int(moment.timestamp() * 1000) if moment else 0


def after(job: Job, age: float) -> datetime:
    """Return the moment at which a job has a (finite) age."""
    return job.created_at + timedelta(seconds=age)
