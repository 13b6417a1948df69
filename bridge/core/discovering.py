"""A round through a source's list: which generations are new to us, and where the round ends.

A list shows the newest first. What we have read before marks where the new ones end; the mark is
not enough alone, for whoever deletes what is new makes what is old come up again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.core.discovery import Discovery
from bridge.core.looking import Observation

MARKS = 500
"""Ids of a round that mark for the next one what is known: the largest page of any API."""

SLACK = timedelta(minutes=10)
"""How much older than the round before a generation may be and still be new: clocks differ, and
a list may show a generation late."""


COARSE = timedelta(seconds=10)
"""How much older than the first round the first new one may seem: many APIs tell whole seconds, and
their clocks may be behind ours. What the first round has seen is known by its id anyway."""


@dataclass(slots=True, kw_only=True)
class Round:
    """One round, page by page; `before` is what the last complete one left, None: it is the first.

    `over`: no further page can tell of anything new.
    """

    before: Discovery | None
    ids: list[str] = field(default_factory=list)
    over: bool = False
    _past: bool = False
    """Whether what comes now stands behind something known."""

    def page(self, seen: Sequence[Observation]) -> list[str]:
        """Note a page; return the ids on it that are to be watched from now on."""
        known = frozenset(() if self.before is None else self.before.anchor)
        fresh: list[str] = []
        for one in seen:
            if one.id in known:
                self._past = True
            elif self._is_new(one):
                fresh.append(one.id)
        self.ids += [one.id for one in seen]
        self.over = self._past or not fresh
        return fresh

    def _is_new(self, one: Observation) -> bool:
        """Return whether a generation that is not known came after the round before.

        One that still runs is worth watching, however old it is. In the first round that is all.
        """
        if one.state is None or not one.state.terminal:
            return True
        if self.before is None:
            return False
        last = self.before.updated_at or self.before.since
        if one.created_at is not None:
            return one.created_at > max(self.before.since - COARSE, last - SLACK)
        return not self._past

    def left(self, source: str, now: datetime) -> Discovery:
        """Return what a complete round leaves for the next one."""
        known = () if self.before is None else self.before.anchor
        marks = dict.fromkeys((*self.ids, *known))
        return Discovery(
            source=source,
            since=now if self.before is None else self.before.since,
            anchor=tuple(marks)[:MARKS],
        )
