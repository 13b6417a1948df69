"""One watch in one state: since when, last looked at when, and what its looks teach its table.

What counts as evidence (DETECTION.md, section 2): the sending time of the last look that found the
state unchanged, and the arrival of the one that found it changed. Trouble, busy, refused and lower
ranks are none: whoever executes this does not note them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from zlib import crc32

from bridge.core.pacing.table import Table

SPREAD = 0.05
"""Prices of watches differ by up to so much each way, lest those that began together stay so."""


def lean(id: str) -> float:  # noqa: A002  (a generation's id is called id everywhere)
    """Return a generation's own factor of the price: 0.95 to 1.05, the same for ever."""
    return 1.0 - SPREAD + 2.0 * SPREAD * crc32(id.encode()) / 0xFFFFFFFF


@dataclass(slots=True, kw_only=True)
class Rung:
    """A state that a watched generation is in. Moments are seconds on a clock that never goes back.

    `entered` is when the state began, as far as we know. `seen` is the moment as of which it was
    last found unchanged, None before the first answer; `opened` the first such moment: what was
    before it nobody could see. `weight`: a watch of weight w is looked at as if a second of its
    delay cost w. `not_before` is what the API asked for (a hint), until a look was sent after it.
    """

    table: Table
    entered: float
    weight: float = 1.0
    lean: float = 1.0
    seen: float | None = None
    opened: float | None = None
    not_before: float = -inf

    def age(self, moment: float) -> float:
        """Return the seconds from entering to a moment; never below zero."""
        return max(0.0, moment - self.entered)

    @property
    def last(self) -> float:
        """The age at which it was last found unchanged; 0 before the first answer."""
        if self.seen is None or self.seen <= self.entered:
            return 0.0
        return self.seen - self.entered

    def hazard(self, now: float) -> float:
        """Return the changes a second that its table expects of it now."""
        return self.table.curve.hazard_at(self.age(now))

    def unchanged(self, sent: float) -> None:
        """Note that a look sent at a moment found it unchanged.

        The first one only opens the exposure: what came before was not watched.
        """
        unchanged((self,), sent)

    def changed(self, answered: float) -> float:
        """Note that an answer found it changed; return when the next state began, as we know it.

        Nothing is learnt of one that was over at its first look. The next state began in the
        middle between the two looks.
        """
        if self.seen is None or self.opened is None:
            return answered
        answered = max(answered, self.seen)
        self.table.changed(self.last, self.age(answered), self.age(self.opened))
        return (self.seen + answered) / 2

    def jumped(self, over: Table, answered: float) -> None:
        """Note that the change passed over a state of which `over` is the table.

        It lasted something in (0, b-a], of the interval in which the change fell.
        """
        if self.seen is not None:
            over.changed(0.0, max(0.0, answered - self.seen))


def unchanged(rungs: Iterable[Rung], sent: float) -> None:
    """Note that a look sent at a moment found all of these unchanged."""
    spans: dict[Table, list[tuple[float, float]]] = {}
    last, watched = None, []
    for rung in rungs:
        if rung.not_before <= sent:
            rung.not_before = -inf
        seen, entered = rung.seen, rung.entered
        if seen is None:
            rung.seen = rung.opened = sent
        elif sent > seen:
            if rung.table is not last:
                last = rung.table
                watched = spans.setdefault(last, [])
            watched.append((seen - entered, sent - entered))
            rung.seen = sent
    for table, watched in spans.items():
        table.exposed_all(watched)
