"""What a poller remembers of one running watch between two looks."""

from dataclasses import dataclass, field
from datetime import datetime

import anyio

from bridge.core.ladder import UNSEEN
from bridge.core.pacing.missing import Misses
from bridge.core.watch import Watch


@dataclass(slots=True, kw_only=True)
class Running:
    """A watch and its moments, in seconds on the monotonic clock.

    `climbed` is when the generation entered its state, as far as we know. `errors` counts looks
    in a row that taught nothing, `blanks` looks that saw it completed without its outputs.
    `refused_at` is when our key was first refused for it, since it was last seen.
    `asking` is the question under way: once it is answered, what it teaches is recorded.
    """

    watch: Watch
    born: float
    deadline: float
    climbed: float
    seen_at: datetime | None = None
    misses: Misses = field(default_factory=Misses)
    errors: int = 0
    blanks: int = 0
    refused_at: float | None = None
    flying: bool = False
    asking: anyio.CancelScope | None = None
    over: bool = False

    @classmethod
    def begun(cls, watch: Watch, now: float) -> "Running":
        """Return a watch as it is taken up at the moment `now`."""
        climbed = watch.state_age if watch.state_age is not None else watch.age
        return cls(
            watch=watch,
            born=now - watch.age.total_seconds(),
            deadline=now + watch.left.total_seconds(),
            climbed=now - climbed.total_seconds(),
        )

    @property
    def recording(self) -> bool:
        """Whether a look was answered whose news is not yet on the disk."""
        return self.flying and self.asking is None

    @property
    def seen(self) -> bool:
        """Whether any look has found the generation."""
        return self.watch.rank != UNSEEN
