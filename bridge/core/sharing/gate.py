"""A rate limit: at most so many starts a second, exactly (GCRA).

The generic cell rate algorithm keeps one number, the theoretical arrival time: the moment at
which the next start would be exactly on the rate.
"""

import sys
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Gate:
    """Lets starts through at `rate` a second, `burst` seconds' worth of them ahead of time.

    In any window of W seconds at most rate·(W + burst) + 1 starts pass. `rate` None: no limit.
    Moments are seconds on any clock that never goes back.
    """

    rate: float | None
    burst: float = 0.0
    tat: float = float("-inf")

    def opens(self, now: float) -> float:
        """Return the earliest moment, not before `now`, at which a start may pass."""
        return now if self.rate is None else max(now, self.tat - self.burst)

    def starts(self, now: float, span: float) -> int:
        """Return how many starts can pass within `span` seconds, if no more are taken."""
        if self.rate is None:
            return sys.maxsize
        rest = now + span + self.burst - max(now, self.tat)
        # A microsecond of grace, for moments that are computed in different ways.
        return 0 if rest < -1e-6 else int(max(0.0, rest) * self.rate) + 1

    def take(self, now: float) -> None:
        """Note a start that passes now."""
        if self.rate is not None:
            self.tat = max(self.tat, now) + 1.0 / self.rate

    def shut(self, until: float) -> None:
        """Let nothing pass before the moment `until`."""
        self.tat = max(self.tat, until + self.burst)
