"""Discovery: generations that nobody has ordered are found in a source's list, and watched.

A round that is broken off, by the source or by our end, leaves no trace: the next one begins at
the same marks, and what is watched already is not ordered again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol, TypeAlias

from bridge.core.discovering import Round
from bridge.core.discovery import Discovery
from bridge.core.listing import ListedWatch
from bridge.core.looking import Reading, Seen
from bridge.core.ports import Clock, Log
from bridge.core.settings import Source
from bridge.core.watch import Generation
from bridge.engine.calendar import Calendar

EVERY = timedelta(seconds=10)
"""How long lies between two rounds through a source's list: mostly one request each."""

FRESH = timedelta(hours=1)
"""How old marks may grow while nothing new appears: what is not touched for long is forgotten."""

Page: TypeAlias = Callable[[str, str | None], Awaitable[Reading]]
"""Asks for a page of a source's list."""

Duty: TypeAlias = Callable[[str, timedelta], Awaitable[bool]]
"""Says whether a duty that one replica does for all is ours now."""

Watch: TypeAlias = Callable[[Sequence[Generation]], Awaitable[object]]
"""Begins watches; returns once they are on the disk. Raises StoreError."""


class Marks(Protocol):
    """The part of the store that knows how far rounds have come, and what is watched."""

    async def discovery(self, source: str) -> Discovery | None:
        """Return what the last complete round has left."""
        ...

    async def set_discovery(self, discovery: Discovery) -> None:
        """Keep what a round has left."""
        ...

    async def listed(self, generations: Sequence[Generation]) -> Sequence[ListedWatch]:
        """Return the watches of generations, running or over."""
        ...


class Discoverer:
    """Goes round the lists of sources."""

    def __init__(
        self,
        marks: Marks,
        *,
        page: Page,
        watch: Watch,
        duty: Duty,
        clock: Clock,
        log: Log,
    ) -> None:
        self._marks = marks
        self._duty = duty
        self._page = page
        self._watch = watch
        self._clock = clock
        self._log = log
        self._failing: set[str] = set()
        self._jobs: set[str] = set()

    def keep(self, calendar: Calendar, sources: Mapping[str, Source]) -> None:
        """Have the calendar go round the lists of those that want it, and no others."""
        wanted = {name for name, source in sources.items() if source.discover}
        for name in self._jobs - wanted:
            calendar.drop(f"discover {name}")
        for name in wanted - self._jobs:
            calendar.add(f"discover {name}", EVERY, partial(self._turn, name), at_once=True)
        self._jobs = wanted

    async def _turn(self, source: str) -> None:
        if await self._duty(f"discover:{source}", EVERY / 2):
            await self.round(source)

    async def round(self, source: str) -> None:
        """Go round one source's list once. Raises StoreError."""
        before = await self._marks.discovery(source)
        turn, found = Round(before=before), 0
        cursor: str | None = None
        while not turn.over:
            reading = await self._page(source, cursor)
            if not isinstance(reading, Seen):
                self._broken_off(source, reading)
                return
            found += await self._ordered(source, turn.page(reading.observations))
            cursor = reading.next
            if cursor is None:
                break
        self._failing.discard(source)
        left = turn.left(source, self._clock.now())
        if found or before is None or self._worth_writing(left, before):
            await self._marks.set_discovery(left)
        if found:
            self._log.info("discovered generations", source=source, count=found)

    def _worth_writing(self, left: Discovery, before: Discovery) -> bool:
        old = before.updated_at is None or self._clock.now() - before.updated_at > FRESH
        return old or left.anchor != before.anchor

    async def _ordered(self, source: str, ids: Sequence[str]) -> int:
        """Watch those that nobody has watched before; return how many they are."""
        generations = [Generation(source, id_) for id_ in dict.fromkeys(ids)]
        if not generations:
            return 0
        known = {one.generation for one in await self._marks.listed(generations)}
        new = [one for one in generations if one not in known]
        # The newest stand first in the list; who came first is watched first.
        if new:
            await self._watch(new[::-1])
        return len(new)

    def _broken_off(self, source: str, reading: Reading) -> None:
        why = getattr(reading, "why", "")
        level = self._log.debug if source in self._failing else self._log.warning
        self._failing.add(source)
        level("a list could not be read", source=source, reason=why)
