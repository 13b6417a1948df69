"""The machine's own clock and luck, for whoever is handed a Clock or a Chance."""

import random
import time
from datetime import UTC, datetime


class SystemClock:
    """The wall clock, and the one that the event loop waits on."""

    def now(self) -> datetime:
        """Return the wall time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds of the clock that asyncio's loops wait on."""
        return time.monotonic()


def steady() -> float:
    """Return seconds of a clock that goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemChance:
    """Numbers nobody foresees; not for secrets."""

    def draw(self) -> float:
        """Return a number in [0, 1)."""
        return random.random()
