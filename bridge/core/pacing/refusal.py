"""A key that is refused: pauses the source, or concerns one generation only (DETECTION §6)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.core.pacing.backoff import probe

FRESH = 60.0
"""Seconds for which the answer to a look at another generation speaks for the key."""


class Whose(StrEnum):
    """What a refusal concerns."""

    KEY = "key"
    ONE = "one"
    """This generation; the key is good for others."""


@dataclass(slots=True, kw_only=True)
class Refusal:
    """Whether a source refuses our key; moments in seconds on a clock that never goes back.

    `row` counts the refusals of the key in a row, of which those that were on their way when one
    came are none. While it is refused one look at a time is a probe, from `next_at` on.
    `suspects` are generations that were refused since any was answered, `alone` those that were
    refused while others were answered.
    """

    row: int = 0
    next_at: float = float("-inf")
    probing: bool = False
    struck_at: float = float("-inf")
    answered_at: float = float("-inf")
    suspects: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)

    @property
    def refused(self) -> bool:
        """Whether only probes go out."""
        return self.row > 0

    def opens(self, now: float) -> float | None:
        """Return the earliest moment of a look, not before `now`; None: when the probe is back."""
        if not self.refused:
            return now
        return None if self.probing else max(now, self.next_at)

    def began(self) -> None:
        """Note that a look begins: while the key is refused it is the probe."""
        self.probing = self.refused

    def told(self, id: str | None, began: float, now: float) -> Whose:  # noqa: A002  (an id is an id)
        """Note a refusal of a look that began then; return what it concerns.

        A generation alone, if another was answered within a minute and no other was refused
        since. `id` None: a look at many, or at a list.
        """
        if began > self.struck_at:
            self.probing = False
        if id is not None and id in self.alone:
            return Whose.ONE
        if id is not None and self._speaks_of_one(id, now):
            self.suspects.add(id)
            return Whose.ONE
        if began > self.struck_at:
            self.row += 1
            self.struck_at = now
            self.next_at = now + probe(self.row)
        return Whose.KEY

    def _speaks_of_one(self, id: str, now: float) -> bool:  # noqa: A002  (as above)
        fresh = now - self.answered_at < FRESH
        return fresh and not self.refused and self.suspects <= {id}

    def answered(self, ids: Iterable[str], began: float, now: float) -> bool:
        """Note that a look was answered; return whether the key has just become good again.

        What was asked before the key was refused says nothing of it.
        """
        if self.refused and began <= self.struck_at:
            return False
        was_refused, self.row, self.probing = self.refused, 0, False
        self.answered_at = now
        if self.suspects or self.alone:
            # Were they refused for the key's sake, nothing is known of them.
            self.alone |= self.suspects if not was_refused else set()
            self.alone -= set(ids)
            self.suspects.clear()
        return was_refused

    def unanswered(self) -> None:
        """Note that a look taught nothing of the key: another probe may go out."""
        self.probing = False

    def forget(self, id: str) -> None:  # noqa: A002  (as above)
        """Forget a generation that is no longer watched."""
        self.alone.discard(id)
        self.suspects.discard(id)

    def renewed(self, now: float) -> None:
        """Begin anew with a new key: looks go out at once, what the old one was told is over."""
        self.row, self.next_at, self.probing = 0, now, False
        self.struck_at, self.answered_at = now, float("-inf")
        self.suspects.clear()
        self.alone.clear()
