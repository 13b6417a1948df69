"""A meter: what this process may use of a rate, over restarts and together with other replicas."""

from datetime import timedelta
from typing import Protocol

import anyio

from bridge.core.ports import Clock
from bridge.core.sharing.allowance import Allowance
from bridge.errors import StoreError

AGAIN = 1.0
"""Seconds until a chunk is asked for again when the database gave none."""

SLACK = 0.005
"""Seconds that an answer of the database is expected to take at least."""


class Purse(Protocol):
    """Where starts are paid for."""

    async def chunk(self, key: str, length: timedelta) -> timedelta:
        """Take the next `length` of a rate for us alone; return when it begins, from now."""
        ...


class Meter:
    """Lets starts through that were paid for, in chunks, so that the rate holds for all together.

    Without a purse, or without a rate (None), every start is free. Moments are seconds on the
    monotonic clock.
    """

    def __init__(
        self, key: str, rate: float | None, *, clock: Clock, purse: Purse | None
    ) -> None:
        self.rate = rate
        self._key = key
        self._clock = clock
        self._purse = purse
        self._paid = Allowance(rate=rate or 1.0)
        self._slack = SLACK
        self._paying = anyio.Lock()

    @property
    def free(self) -> bool:
        """Whether nothing has to be paid for."""
        return self._purse is None or self.rate is None

    def opens(self, now: float) -> float | None:
        """Return the earliest moment, not before `now`, of a start; None: `pay` first."""
        return now if self.free else self._paid.opens(now)

    def take(self, at: float) -> None:
        """Note a start at a moment that `opens` gave."""
        self._paid.take(at)

    async def pay(self) -> None:
        """Pay for some starts, unless somebody just has; without a database wait a little."""
        async with self._paying:
            now = self._clock.monotonic()
            if self._purse is None or self.opens(now) is not None:
                return
            size = self._paid.wanted(now)
            length = timedelta(seconds=self._paid.short(now, size, self._slack))
            try:
                begin = await self._purse.chunk(self._key, length)
            except StoreError:
                await anyio.sleep(AGAIN)
                return
            told = self._clock.monotonic()
            # The next answer may take as long as this one.
            self._slack = max(SLACK, 0.9 * self._slack, 2.0 * (told - now))
            self._paid.pay(size, now, told, begin.total_seconds(), length.total_seconds())
