"""How many a second: a mean that forgets, for admissions and for changes (DETECTION §5)."""

import math
from dataclasses import dataclass

SPAN = 300.0
"""Seconds after which an occurrence weighs 1/e."""


@dataclass(slots=True, kw_only=True)
class Flow:
    """Occurrences a second over the last minutes; moments are seconds that never go back.

    It begins with nothing, so a crowd that comes at once weighs as if it came over five minutes.
    """

    level: float = 0.0
    at: float = 0.0
    since: float | None = None
    """When it first happened."""

    def note(self, now: float, count: int = 1) -> None:
        """Note that it happened so many times, now."""
        self.since = now if self.since is None else self.since
        self.level = self.a_second(now) + count / SPAN
        self.at = now

    def a_second(self, now: float) -> float:
        """Return how often it happens."""
        return self.level * math.exp(-max(0.0, now - self.at) / SPAN)

    def counted(self, now: float) -> float | None:
        """Return how often it happens, once it was counted for long enough to say; else None.

        What the mean lacks for having begun with nothing is made up for.
        """
        if self.since is None or now - self.since < SPAN:
            return None
        return self.a_second(now) / -math.expm1((self.since - now) / SPAN)
