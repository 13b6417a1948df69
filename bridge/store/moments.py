"""The store's own time: the wall clock of the start, moved on by a steady one."""

from bridge.core.ports import Clock


class Moments:
    """Tells microseconds UTC that a stepped wall clock does not move.

    What is due is compared with this time only, so a clock that jumps fires nothing and
    holds nothing back; the next start takes the wall clock anew.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.monotonic()
        self._wall = round(clock.now().timestamp() * 1e6)

    def now(self) -> int:
        """Return the time in microseconds since 1970, UTC."""
        return self._wall + round((self._clock.monotonic() - self._start) * 1e6)
