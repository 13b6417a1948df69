"""The kept connections of one way: taken, put by, ended when they were idle for too long."""

import asyncio
from collections.abc import Iterator

from bridge.core.network.proxy import read_proxy
from bridge.core.network.way import Way
from bridge.http import failure
from bridge.http.line import Line
from bridge.http.opening import Opener
from bridge.http.place import Place
from bridge.http.trip import Trip


class Pool:
    """Connections of one way, the idle ones by place; `idle` is in seconds.

    There is no limit, neither in all nor for one place: whoever sends has one.
    """

    def __init__(self, way: Way, opener: Opener, idle: float) -> None:
        self.way = way
        self.proxy = None if way.proxy is None else read_proxy(way.proxy)
        self._opener = opener
        self._idle_for = idle
        self._loop = asyncio.get_running_loop()
        self.used = self._loop.time()
        """When it was last needed, on the loop's clock."""
        self._idle: dict[Place, list[Line]] = {}
        self._lines: set[Line] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._retired = False
        self._ended = False

    @property
    def in_use(self) -> int:
        """How many connections there are."""
        return len(self._lines)

    def take(self, place: Place) -> Line | None:
        """Return a connection that nothing is known against: the one put by last."""
        self.used = self._loop.time()
        idle = self._idle.get(place)
        oldest = self.used - self._idle_for
        while idle:
            line = idle.pop()
            if line.since > oldest and line.quiet:
                return line
            line.abort()
        return None

    async def opened(self, trip: Trip) -> Line:
        """Return a new connection; raises Failed."""
        line = await self._opener.line(trip, self.way, self.proxy, self._lines.discard)
        if self._ended:
            line.abort()
            raise failure.over()
        # One that has ended already is never discarded again.
        if line.transport is not None:
            self._lines.add(line)
        return line

    def give(self, place: Place, line: Line, *, keep: bool) -> None:
        """Put a connection by for the next request, or end it."""
        if not keep or self._retired or not line.written:
            line.abort()
            return
        line.since = self.used = self._loop.time()
        self._idle.setdefault(place, []).append(line)
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._idle_for, self._sweep_up)

    def retire(self) -> None:
        """End what is idle, and what is in use after its request."""
        self._retired = True
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for line in self._idle_lines():
            line.abort()
        self._idle.clear()

    def end(self) -> None:
        """End every connection at once: a peer that takes nothing must not hold up the end."""
        self._ended = True
        self.retire()
        for line in list(self._lines):
            line.abort()

    def _idle_lines(self) -> Iterator[Line]:
        for lines in self._idle.values():
            yield from lines

    def _sweep_up(self) -> None:
        self._sweep = None
        oldest = self._loop.time() - self._idle_for
        for place, lines in list(self._idle.items()):
            fresh = [line for line in lines if line.open and line.since > oldest]
            for line in lines:
                if line.since <= oldest:
                    line.abort()
            if fresh:
                self._idle[place] = fresh
            else:
                del self._idle[place]
        if self._idle:
            self._sweep = self._loop.call_later(self._idle_for, self._sweep_up)
