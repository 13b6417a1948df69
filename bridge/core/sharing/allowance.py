"""Starts of a rate that were paid for, so that the rate holds over restarts and for all replicas.

Whoever pays has a span of time to himself. Every start takes `1 / rate` seconds of such a span,
however late it is, and no span is given twice: so in any window of W seconds there are at most
rate·W + 1 starts, whoever makes them, and whatever dies in between.
"""

from dataclasses import dataclass

LENGTH = 1.0
"""Seconds of a rate that are paid for at once, unless one start is longer."""

_GRACE = 1e-6
"""Seconds by which moments may differ that are computed in different ways."""


@dataclass(slots=True, kw_only=True)
class Allowance:
    """A span from `begin` to `until` of which everything before `tat` is used up."""

    rate: float
    tat: float = float("-inf")
    begin: float = float("-inf")
    until: float = float("-inf")
    size: int = 1
    """How many starts the last payment was for."""

    def opens(self, now: float) -> float | None:
        """Return the earliest moment of a paid start, not before `now`; None: pay first."""
        at = max(now, self.tat, self.begin)
        return at if at + 1.0 / self.rate <= self.until + _GRACE else None

    def take(self, at: float) -> None:
        """Note a start at a moment, which may lie ahead."""
        self.tat = max(self.tat, at) + 1.0 / self.rate

    def wanted(self, now: float) -> int:
        """Return how many starts to pay for: twice as many while they are used up, else half."""
        most = max(1, int(self.rate * LENGTH))
        if now <= self.until + 1.0 / self.rate:
            return min(most, self.size * 2)
        return max(1, min(most, self.size // 2))

    def short(self, now: float, size: int, slack: float) -> float:
        """Return how many seconds to pay for, that so many starts can begin from now on.

        What is left of our span counts, if what we pay for follows on it; for the case that it
        does not, it is enough for one start. `slack` is what an answer may take: a span that has
        begun before we know of it is of no use to that extent.
        """
        if self.until <= now:
            return size / self.rate + slack
        needed = max(now, self.tat, self.begin) + size / self.rate + slack
        return max(needed - self.until, 1.0 / self.rate + slack)

    def pay(
        self, size: int, asked: float, told: float, begin: float, length: float
    ) -> None:
        """Note a span that begins `begin` seconds after a moment between `asked` and `told`.

        One that follows on what we have makes it longer; another one replaces it.
        """
        self.size = size
        follows = begin > 0.0 and asked + begin <= self.until + min(
            0.5 / self.rate, 2.0 * (told - asked) + _GRACE
        )
        if not follows:
            self.begin = told + begin
        self.until = asked + begin + length
