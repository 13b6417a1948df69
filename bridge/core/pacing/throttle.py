"""A key that is asked too often: it pauses, asks less, and slowly more again (DETECTION §6)."""

from dataclasses import dataclass, field
from datetime import timedelta

from bridge.core.pacing.backoff import pause

LESS, LESS_EVERY = 0.7, 10.0
"""A 429 takes the rate down to this share, once in so many seconds."""

MORE, MORE_EVERY = 0.05, 10.0
"""Then this share of the full rate comes back every so many seconds."""

QUIET = 60.0
"""Seconds without a 429 before it does."""

LEAST = 0.05
"""The share of the full rate below which nothing takes it: somebody has to notice the end of it."""


@dataclass(slots=True, kw_only=True)
class Throttle:
    """What a key may ask a second, never more than `full`; moments in seconds.

    `row` counts the 429s in a row; those that were on their way when one came say no more than
    that one. `until` is the end of the pause, `counted_at` the last 429 that counted, `struck_at`
    the last of all, `less_at` when the rate went down last.
    """

    full: float
    low: float = field(init=False)
    row: int = 0
    until: float = float("-inf")
    counted_at: float = float("-inf")
    struck_at: float = float("-inf")
    less_at: float = float("-inf")

    def __post_init__(self) -> None:
        """Begin with the full rate."""
        self.low = self.full

    def busy(self, began: float, now: float, asked: timedelta | None) -> float:
        """Note a 429 to a look that began then; return the moment until which the key pauses."""
        if began > self.counted_at:
            self.row, self.counted_at = self.row + 1, now
        if now - self.less_at >= LESS_EVERY:
            self.low = max(LEAST * self.full, LESS * self.rate(now))
            self.less_at = now
        self.struck_at = max(self.struck_at, now)
        self.until = max(self.until, now + pause(self.row, asked))
        return self.until

    def answered(self, began: float) -> None:
        """Note that a look which began then was let through: no 429s in a row any more."""
        if began > self.counted_at:
            self.row = 0

    def rate(self, now: float) -> float:
        """Return how many requests a second the key may make, were it not for a pause."""
        if self.low >= self.full:
            return self.full
        quiet = now - self.struck_at - QUIET
        steps = int(quiet // MORE_EVERY) + 1 if quiet >= 0.0 else 0
        return min(self.full, self.low + steps * MORE * self.full)
