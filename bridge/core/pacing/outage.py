"""A source that answers with trouble only: probes, and then a gentle return (DETECTION §6)."""

from collections.abc import Iterable
from dataclasses import dataclass

IN_A_ROW = 5
SEVERAL = 2
"""So many troubles in a row, on so many generations, open the breaker."""

FIRST, LONGEST = 5.0, 120.0
"""Seconds until the first probe, and between two probes at most; doubling."""

GENTLY, OVER = 0.1, 30.0
"""The share of the rate that a source comes back with, and the seconds until it has all of it."""


@dataclass(slots=True, kw_only=True)
class Outage:
    """The breaker of a source; moments in seconds on a clock that never goes back.

    `row` counts looks in a row that ended in trouble, `ids` are two of those they asked about.
    While it is open one look at a time is a probe, from `next_at` on; `failed` counts the probes
    that failed.
    """

    row: int = 0
    ids: frozenset[str] = frozenset()
    opened_at: float | None = None
    closed_at: float = float("-inf")
    next_at: float = float("-inf")
    failed: int = 0
    probing: bool = False

    @property
    def open(self) -> bool:
        """Whether only probes go out."""
        return self.opened_at is not None

    def opens(self, now: float) -> float | None:
        """Return the earliest moment of a look, not before `now`; None: when the probe is back."""
        if not self.open:
            return now
        return None if self.probing else max(now, self.next_at)

    def began(self) -> None:
        """Note that a look begins: while the breaker is open it is the probe."""
        self.probing = self.open

    def troubled(self, ids: Iterable[str], began: float, now: float) -> bool:
        """Note trouble in a look that began then; return whether it has just opened the breaker."""
        if self.opened_at is not None:
            # What was on its way when it opened says nothing new.
            if began >= self.opened_at:
                self._failed(now)
            return False
        self.row += 1
        if len(self.ids) < SEVERAL:
            self.ids |= frozenset(ids)
        if self.row < IN_A_ROW or len(self.ids) < SEVERAL:
            return False
        self.opened_at, self.next_at, self.failed = now, now + FIRST, 0
        return True

    def _failed(self, now: float) -> None:
        self.failed += 1
        self.next_at = now + min(LONGEST, FIRST * 2.0 ** min(self.failed, 30))
        self.probing = False

    def unanswered(self) -> None:
        """Note that a look was given up before anything came: another probe may go out."""
        self.probing = False

    def answered(self, now: float) -> bool:
        """Note an answer that is no trouble; return whether it has just closed the breaker."""
        was_open = self.open
        if was_open:
            self.closed_at = now
        self.row, self.ids, self.opened_at, self.probing = 0, frozenset(), None, False
        return was_open

    def share(self, now: float) -> float:
        """Return which share of its rate the source may use; never 0, for probes pass too."""
        if self.open:
            return GENTLY
        return min(1.0, GENTLY + (1.0 - GENTLY) * max(0.0, now - self.closed_at) / OVER)
