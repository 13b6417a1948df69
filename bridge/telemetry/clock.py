"""The machine's own clock and luck, for whoever is handed a Clock or a Chance."""

import random
import time
from datetime import UTC, datetime
from functools import partial


class SystemClock:
    """The wall clock, and the one that the event loop waits on.

    Both are the machine's own functions: every delivery asks a dozen times.
    """

    now = staticmethod(partial(datetime.now, UTC))
    """Return the wall time in UTC."""

    monotonic = staticmethod(time.monotonic)
    """Return seconds of the clock that asyncio's loops wait on."""


def steady() -> float:
    """Return seconds of a clock that goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemChance:
    """Numbers nobody foresees; not for secrets."""

    draw = staticmethod(random.random)
    """Return a number in [0, 1)."""
