"""A way of asking that a provider rejects is left alone for a while (DETECTION §6)."""

from collections.abc import Hashable
from dataclasses import dataclass, field

IN_A_ROW = 3
"""Rejections of batches or of lists in a row that switch them off."""

OFF_FOR = 600.0
"""Seconds for which they are."""


@dataclass(slots=True, kw_only=True)
class Rejections:
    """Which ways of asking are off; moments in seconds on a clock that never goes back."""

    rows: dict[Hashable, int] = field(default_factory=dict)
    until: dict[Hashable, float] = field(default_factory=dict)

    def rejected(self, way: Hashable, now: float) -> bool:
        """Note a rejection; return whether this way has just been switched off."""
        if self.off(way, now):
            return False  # on its way already
        row = self.rows[way] = self.rows.get(way, 0) + 1
        if row < IN_A_ROW:
            return False
        self.rows[way], self.until[way] = 0, now + OFF_FOR
        return True

    def answered(self, way: Hashable) -> None:
        """Note an answer that was understood: no rejections in a row any more."""
        self.rows.pop(way, None)

    def off(self, way: Hashable, now: float) -> bool:
        """Return whether not to ask in this way."""
        return now < self.until.get(way, float("-inf"))
