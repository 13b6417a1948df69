"""The curtain: simulated time stands still until the first question is asked."""

from datetime import datetime

from bridge.core.ports import Clock


class Curtain:
    """A Clock whose monotonic time waits for its first reader after `ready`.

    However long the daemon takes to start, it finds the generations at their beginning.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost = 0.0
        self._closed_at: float | None = clock.monotonic()
        self._ready = False

    def ready(self) -> None:
        """Let time run from the next reading on."""
        self._ready = True

    def now(self) -> datetime:
        """Return the wall time: it never stands still."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Return seconds that have passed on the stage, from any beginning."""
        now = self._clock.monotonic()
        if self._closed_at is None:
            return now - self._lost
        moment = self._closed_at - self._lost
        if self._ready:
            self._lost += now - self._closed_at
            self._closed_at = None
        return moment
