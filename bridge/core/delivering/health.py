"""The health of a webhook: what outlasts a restart of what its attempts have shown."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a webhook does.

    `open`: the breaker is open, only probes go out; `opened` counts the probes since, which set
    the pause before the next. A *streak* begins with a failure or a throttle after the last
    accepted delivery: `streak` is its number, `failing` its age (None: there is none), `failures`
    the attempts in it, `told` the share of `disable_after`, in per cent, that people were told of
    last.
    """

    open: bool = False
    opened: int = 0
    streak: int = 0
    failing: timedelta | None = None
    failures: int = 0
    told: int = 0


HEALTHY = Health()
"""Nothing is known against it."""
