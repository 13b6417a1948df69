"""Time and chance for tests: a clock that jumps, and dice that always fall alike."""

from datetime import UTC, datetime, timedelta
from random import Random

import anyio

EPOCH = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
"""The wall time at which every test begins, where the loop's clock begins at 0."""


class VirtualClock:
    """The Clock port over the clock of the running loop: under trio's MockClock it jumps."""

    def now(self) -> datetime:
        """Return EPOCH and what has passed since."""
        return EPOCH + timedelta(seconds=anyio.current_time())

    def monotonic(self) -> float:
        """Return the loop's own time."""
        return anyio.current_time()


class TickingClock(VirtualClock):
    """A VirtualClock that is a little later at each reading, as real ones are."""

    def __init__(self, tick: float) -> None:
        self._tick = tick
        self._last = float("-inf")

    def monotonic(self) -> float:
        """Return the loop's own time, or a little more than last time."""
        self._last = max(anyio.current_time(), self._last + self._tick)
        return self._last


class WatchfulClock(TickingClock):
    """A TickingClock that finds a loop which never sleeps: it reads again and again."""

    def __init__(self, tick: float) -> None:
        super().__init__(tick)
        self._at = 0.0
        self._readings = 0

    def monotonic(self) -> float:
        """Return the time; raise AssertionError when it has stood still for too long."""
        now = anyio.current_time()
        self._readings = self._readings + 1 if now == self._at else 0
        self._at = now
        assert self._readings < MOST_READINGS, "a loop never sleeps"
        return super().monotonic()


MOST_READINGS = 20_000
"""Readings at one and the same moment."""


class Dice:
    """The Chance port with a seed: the same numbers in every run."""

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(seed)

    def draw(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()


class LoadedDice:
    """The Chance port that always falls on the same number."""

    def __init__(self, number: float = 0.5) -> None:
        self.number = number

    def draw(self) -> float:
        """Return that number."""
        return self.number
