"""The retry schedule: how long to wait after a failure."""

from collections.abc import Sequence
from datetime import timedelta

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
