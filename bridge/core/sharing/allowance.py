"""Starts of a shared rate that one replica has paid for."""

from dataclasses import dataclass

LENGTH = 1.0
"""Seconds of a rate that one replica takes for itself at once, unless one start is longer."""

LATE = 1.0
"""Seconds after the end of a chunk in which what is left of it may still be used."""


@dataclass(slots=True, kw_only=True)
class Allowance:
    """So many starts, the next one not before `at`, none after `until`; `rate` a second.

    What is late is not caught up with: two starts are never closer than the rate has them.
    """

    rate: float
    at: float = 0.0
    left: int = 0
    until: float = float("-inf")
    size: int = 1
    """How many starts the last chunk had."""

    def opens(self, now: float) -> float | None:
        """Return the earliest moment of a paid start; None: pay first."""
        at = max(now, self.at)
        return at if self.left > 0 and at <= self.until else None

    def take(self, at: float) -> None:
        """Note a start at a moment, which may lie ahead."""
        self.left -= 1
        self.at = max(self.at, at) + 1.0 / self.rate

    def wanted(self) -> int:
        """Return how many starts to pay for next: twice as many as were used up, else half."""
        most = max(1, int(self.rate * LENGTH))
        used_up = self.left <= 0 and self.until > float("-inf")
        return min(most, self.size * 2) if used_up else max(1, min(most, self.size // 2))

    def pay(self, size: int, begin: float) -> None:
        """Note a chunk of so many starts that begins at a moment."""
        self.size = self.left = size
        self.at = max(begin, self.at)
        self.until = begin + size / self.rate + LATE
