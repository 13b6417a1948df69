"""Replaying: carries replays out, a step after the other, until none is left."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeAlias

import anyio

from bridge.core.ports import Clock, Log
from bridge.core.replay import Replayed
from bridge.engine.bell import Bell
from bridge.errors import StoreBroken, StoreError

IDLE = 60.0
"""Seconds after which the store is asked whatever is known: another replica may have died."""

BREATH = 0.02
"""Seconds between two steps, for everybody else's transactions: 500 rows lock out the others."""

AGAIN = 1.0
"""Seconds until the store is asked again that was away."""

Wake: TypeAlias = Callable[[Iterable[int]], Awaitable[None]]
"""Lets the sender look for deliveries of webhooks."""


class Shelf(Protocol):
    """The part of the store that keeps replays."""

    async def advance_replay(self) -> Replayed | None:
        """Do the next step of the oldest replay; None: there is none, or another is at it."""
        ...


class Replayer:
    """Works off replays for as long as `run` runs; of several replicas, whoever comes first."""

    def __init__(self, shelf: Shelf, *, wake: Wake, clock: Clock, log: Log) -> None:
        self._shelf = shelf
        self._wake = wake
        self._clock = clock
        self._log = log
        self._bell = Bell()

    def ring(self) -> None:
        """Look for work now: a replay has begun."""
        self._bell.ring()

    async def run(self) -> None:
        """Work for ever. Where a crash ends it, the next run goes on where it stood."""
        while True:
            try:
                step = await self._shelf.advance_replay()
            except StoreBroken:
                raise
            except StoreError as error:
                self._log.debug("no replay", reason=str(error))
                await anyio.sleep(AGAIN)
                continue
            if step is None:
                await self._bell.wait(until=self._clock.monotonic() + IDLE)
            else:
                await self._told(step)
                await anyio.sleep(BREATH)

    async def _told(self, step: Replayed) -> None:
        try:
            await self._wake(step.woken)
        except StoreBroken:
            raise
        except StoreError as error:
            # They are due on the disk: the sender finds them by itself, only later.
            self._log.debug("no replay", reason=str(error))
        if step.replay.over:
            self._log.info(
                "replay over", replay=step.replay.id, deliveries=step.replay.done
            )
