"""The retry schedule: how long to wait after a failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The waits after the first, second … failure, each spread by `jitter` (a share of it)."""

    schedule: tuple[timedelta, ...]
    jitter: float


DEFAULT_SCHEDULE = tuple(
    timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
"""10 attempts in 75 h 35 min 5 s (DESIGN, section 2)."""

DEFAULT_RETRY = RetryPolicy(schedule=DEFAULT_SCHEDULE, jitter=0.2)

LONGEST = timedelta(days=30)
"""No wait is longer, whatever the schedule and the jitter say."""


def wait(
    schedule: Sequence[timedelta], jitter: float, failures: int, spread: float
) -> timedelta | None:
    """Return the wait after the n-th failure, None: the schedule is used up.

    `failures` counts from 1, `spread` is chance in [-1, 1]; the wait is the schedule's
    times `1 + jitter * spread`, within 0 and `LONGEST`.
    """
    if failures > len(schedule):
        return None
    return capped(schedule[failures - 1].total_seconds() * (1 + jitter * spread), LONGEST)


def capped(seconds: float, longest: timedelta) -> timedelta:
    """Return seconds as a span within 0 and the longest one; never overflows.

    Spans are computed as floats and converted once: `timedelta * 3.0**n` raises
    OverflowError. What is not a number counts as the longest.
    """
    most = longest.total_seconds()
    return timedelta(seconds=max(0.0, seconds)) if seconds < most else longest
