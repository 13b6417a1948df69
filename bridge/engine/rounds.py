"""Rounds through the listing of one source: when one begins, and whom it tells of."""

from collections.abc import Iterable
from math import inf

from bridge.engine.roster import Roster

TRIED_EVERY = 600.0
"""Seconds from one trial of the listing to the next, while looks go out in another way."""

WORTH_FROM = 20
"""Watches below which a trial costs more than a listing could save."""

PAGES_LEAST = 2
"""Pages that a round may read, however few are watched."""


class Rounds:
    """What rounds have shown. Moments are monotonic seconds.

    `pages` of a whole round, None: not known. `covered` is the share of the watches that it speaks
    of, `births` how many generations the account makes in a second.
    """

    def __init__(self, roster: Roster, *, page: int | None) -> None:
        self._roster = roster
        self._page = page
        self._began, self._since = -inf, inf
        self._known: frozenset[str] = frozenset()
        self._seen: set[str] = set()
        self._left: set[str] = set()
        self._read = self._watched = 0
        self.running = False
        self.pages: int | None = None
        self.covered = 0.0
        self.births = 0.0

    @property
    def ids(self) -> float:
        """How many watches a request of a round tells of."""
        return self.covered * len(self._roster) / self.pages if self.pages else 0.0

    def due(self, every: float | None) -> float | None:
        """Return when the next round begins, None: there is no use in one.

        `every`: seconds from one to the next, None: the source is looked at in another way.
        """
        if self._page is None or self.running:
            return None
        if every is not None:
            return self._began + every
        return self._began + TRIED_EVERY if len(self._roster) >= WORTH_FROM else None

    def begin(self, now: float) -> None:
        """Note that a round begins."""
        self._since, self._began = now - self._began, now
        self.running, self._read = True, 0
        self._seen, self._left = set(), {one.id for one in self._roster}
        self._watched = len(self._left)

    def page(self, ids: Iterable[str]) -> bool:
        """Note a page; return whether the next one may tell of a watch that was not seen yet."""
        self._read += 1
        found = set(ids)
        self._seen |= found
        self._left -= found
        return bool(self._left) and self._read < max(PAGES_LEAST, self._watched // 2)

    def end(self, *, whole: bool) -> None:
        """Note the end of a round; one that is not `whole` broke off and shows nothing."""
        self.running = False
        if not whole:
            return
        for one in self._roster:
            one.listed = one.id in self._seen
        self.pages = self._read
        self.covered = 1.0 - len(self._left) / max(1, self._watched)
        fresh = len(self._seen - self._known) if self._known else 0
        self.births = fresh / max(1.0, self._since)
        self._known = frozenset(self._seen)
