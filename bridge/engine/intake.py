"""The intake: takes watches up, a slice at a time, each once the lanes that it needs are open.

What a daemon owns at its start is taken up while it already works: 100,000 watches take seconds,
and nobody whose generation is due now should wait for the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import anyio

from bridge.core.ports import Chance, Log
from bridge.core.watch import Generation, Watch
from bridge.engine.bell import Bell
from bridge.errors import StoreBroken, StoreError

SLICE = 500
"""Watches that are taken up at once: some 10 ms in which nothing else happens."""

BREATH = 0.002
"""Seconds between two slices, for everybody else."""

SPREAD = 1.0
"""Seconds over which the first looks at a slice are spread, that would all be due at once."""

AGAIN = 1.0
"""Seconds until the store is asked again that was away."""


class Owner(Protocol):
    """The part of the store that hands watches out."""

    async def claim_watches(self, limit: int) -> Sequence[Watch]:
        """Return up to `limit` watches that are ours from now on and were not handed out."""
        ...

    async def next_due(self) -> Mapping[int, timedelta]:
        """Return per webhook how long until something is due."""
        ...


class Lanes(Protocol):
    """Opens the lanes of callers' webhooks."""

    async def meet(self, webhooks: Iterable[int]) -> None:
        """Get to know webhooks by their ids."""
        ...


class Pollers(Protocol):
    """Those who look."""

    def add(self, watches: Iterable[Watch]) -> None:
        """Begin watches."""
        ...

    def drop(self, generations: Iterable[Generation]) -> None:
        """End watches."""
        ...


class Intake:
    """Hands watches to their pollers; what the store holds up is handed over later."""

    def __init__(
        self, owner: Owner, lanes: Lanes, pollers: Pollers, *, chance: Chance, log: Log
    ) -> None:
        self._owner = owner
        self._lanes = lanes
        self._pollers = pollers
        self._chance = chance
        self._log = log
        self._waiting: dict[Generation, Watch] = {}
        self._bell = Bell()
        self.done = False
        """Whether all that was there at the start is being looked at."""

    async def begin(self, watches: Iterable[Watch]) -> None:
        """Watch these from now on, or as they are now; while the store is away, once it is back."""
        new = list(watches)
        self._waiting |= {watch.generation: watch for watch in new}
        if not await self._hand_over(new):
            self._bell.ring()

    def drop(self, generations: Iterable[Generation]) -> None:
        """Watch these no more."""
        gone = list(generations)
        for generation in gone:
            self._waiting.pop(generation, None)
        self._pollers.drop(gone)

    def forget(self) -> None:
        """Forget what waits: it belongs to others."""
        self._waiting.clear()

    async def take_up(self) -> None:
        """Take up all that is there, and open the lanes for which anything is pending."""
        while not self.done:
            try:
                self.done = await self._slice()
            except StoreBroken:
                raise
            except StoreError as error:
                self._log.debug("no watches", reason=str(error))
                await anyio.sleep(AGAIN)

    async def _slice(self) -> bool:
        """Take up some; return whether nothing was left."""
        watches = await self._owner.claim_watches(SLICE)
        if not watches:
            await self._lanes.meet(await self._owner.next_due())
            return True
        spread = SPREAD * len(watches) / SLICE
        await self.begin([self._later(watch, spread) for watch in watches])
        await anyio.sleep(BREATH)
        return False

    async def run(self) -> None:
        """Hand over what the store holds up, for ever."""
        while True:
            if self._waiting and not await self._hand_over(list(self._waiting.values())):
                await anyio.sleep(AGAIN)
            else:
                await self._bell.wait()

    def _later(self, watch: Watch, spread: float) -> Watch:
        wait = timedelta(seconds=spread * self._chance.draw())
        return watch if watch.wait >= wait else replace(watch, wait=wait)

    async def _hand_over(self, watches: Sequence[Watch]) -> bool:
        """Open the lanes of watches and hand them over; return whether the store let us."""
        try:
            await self._lanes.meet({id_ for watch in watches for id_ in watch.webhooks})
        except StoreBroken:
            raise
        except StoreError as error:
            self._log.debug("no lanes", reason=str(error))
            return False
        # Meanwhile some may have ended, or begun anew as others.
        ready = [one for one in watches if self._waiting.get(one.generation) is one]
        for watch in ready:
            del self._waiting[watch.generation]
        self._pollers.add(ready)
        return True
