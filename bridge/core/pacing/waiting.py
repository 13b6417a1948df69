"""What a batch waits for that is asked to wait: none of its ids, any, or all (DETECTION §5).

No page says it, so it is probed while the key is idle; only a batch that waits for any is held.
Moments and spans are seconds.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

AT_ONCE = 1.0
"""What comes back sooner was not held."""

AGREEING = 3
"""Answers in a row that must say the same."""

DAILY = 86_400.0
"""Until it is asked anew."""

BETWEEN = 10.0
"""Between the end of a probe and the next one."""

SURE = 25 / 30
"""The share of the limit from which on a batch counts as held to the end."""

EARLY = 2
"""Held batches in a row that come back too soon without news: then nothing is known any more."""

TRIAL = 600.0
"""Seconds from then on until it is asked anew."""

GATHERED = 1.0
"""Seconds over which those are gathered who wait together; nobody is asked about more often."""


class Waits(StrEnum):
    """What a batch that is asked to wait waits for."""

    NONE = "none"
    ANY = "any"
    ALL = "all"


def answered(
    *, asked: int, changed: int, elapsed: float, limit: float, seen_meanwhile: bool
) -> Waits | None:
    """Return what the answer to a waiting batch shows, None: nothing.

    `asked` ids of which none had reached the rung, `changed` of them have in the answer.
    `seen_meanwhile`: a plain look saw one reach it well before the answer came.
    """
    if elapsed < AT_ONCE:
        # A change that it brings may have happened just before it was asked.
        return Waits.NONE if not changed else None
    if elapsed >= limit * SURE:
        return Waits.ALL if seen_meanwhile else None
    return Waits.ANY if 0 < changed < asked else None


def gathered(at: float) -> float:
    """Return the moment, not before `at`, at which a hold begins for all who are due by then."""
    return math.ceil(at / GATHERED) * GATHERED


@dataclass(slots=True, kw_only=True)
class Probe:
    """What is known of it, and what the last probes said."""

    known: Waits | None = None
    said: Waits | None = None
    times: int = 0
    next_at: float = float("-inf")
    flying: bool = False
    early: int = 0

    @property
    def word(self) -> str:
        """What is known, for people: none, any, all or unknown."""
        return "unknown" if self.known is None else str(self.known)

    @property
    def held(self) -> bool:
        """Whether batches are to be held."""
        return self.known is Waits.ANY

    def due(self, now: float, *, idle: bool) -> bool:
        """Return whether to send a batch that waits; its ids keep their plain looks."""
        return idle and not self.flying and now >= self.next_at

    def began(self) -> None:
        """Note that a probe is on its way."""
        self.flying = True

    def ended(self, said: Waits | None, now: float) -> bool:
        """Note what it showed; return whether this has decided anew."""
        self.flying = False
        self.next_at = now + BETWEEN
        if said is None:
            return False
        self.times = self.times + 1 if said is self.said else 1
        self.said = said
        if self.times < AGREEING:
            return False
        anew = self.known is not said
        self.known, self.said, self.times = said, None, 0
        self.next_at = now + DAILY
        return anew

    def used(self, now: float, *, early: bool) -> bool:
        """Note the end of a batch that was held; return whether holding them is over.

        `early`: it came back too soon, and without news.
        """
        self.early = self.early + 1 if early else 0
        if self.early < EARLY or not self.held:
            return False
        self.known, self.said, self.times, self.early = None, None, 0, 0
        self.next_at = now + TRIAL
        return True
