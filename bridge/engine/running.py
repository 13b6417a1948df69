"""What a poller remembers of one running watch between two looks."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf

import anyio

from bridge.core.ladder import UNSEEN
from bridge.core.pacing.missing import Misses
from bridge.core.pacing.rung import Rung
from bridge.core.watch import Watch


@dataclass(slots=True, kw_only=True, eq=False)
class Running:
    """A watch and its moments, in seconds on the monotonic clock.

    `id` is the provider's. `rung` is the state that the generation is in, and what looks teach
    of it. It was created at `created`, None: its provider has not said. `errors` counts looks in
    a row that taught nothing, `blanks` looks that saw it completed without its outputs. `urgent`:
    the next look does not wait for the price, `alone`: it is about this one only. `met`: an answer
    has told what it is. `listed`: the listing speaks of it. `stalled`: that was told already.

    From `due` on it may be looked at, as was reckoned last, at the price `priced`. `flying`: a
    look is under way; the last one was sent at `asked_at`, and `asking` is that one, where it is
    about this one only. Once it is answered, what it teaches is recorded, and so long `recording`
    is set. `place` is the roster's.
    """

    watch: Watch
    id: str = field(init=False)
    born: float
    deadline: float
    rung: Rung
    created: float | None = None
    due: float = inf
    priced: float = 0.0
    model: str = ""
    seen_at: datetime | None = None
    misses: Misses | None = None
    errors: int = 0
    blanks: int = 0
    urgent: bool = False
    met: bool = False
    alone: bool = False
    listed: bool = False
    stalled: bool = False
    flying: bool = False
    asked_at: float = -inf
    recording: bool = False
    asking: anyio.CancelScope | None = None
    over: bool = False
    place: int = 0

    def __post_init__(self) -> None:
        self.id = self.watch.generation.id

    @property
    def seen(self) -> bool:
        """Whether any look has found the generation."""
        return self.watch.rank != UNSEEN

    def standing(self, now: float) -> Watch:
        """Return the watch with its spans as they are at a moment, for whoever goes on with it."""
        in_state = timedelta(seconds=self.rung.age(now)) if self.seen else None
        return replace(
            self.watch,
            age=timedelta(seconds=now - self.born),
            left=timedelta(seconds=self.deadline - now),
            state_age=in_state,
        )

    def shift(self, seconds: float) -> None:
        """Make everything older by so much: the machine slept, and its clock with it."""
        self.born -= seconds
        self.deadline -= seconds
        self.rung.entered -= seconds
        if self.created is not None:
            self.created -= seconds
        if self.rung.seen is not None:
            self.rung.seen -= seconds
        if self.rung.opened is not None:
            self.rung.opened -= seconds
