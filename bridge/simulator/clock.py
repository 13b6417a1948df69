"""The simulated time: the real one, or the same so many times as fast."""

from datetime import datetime, timedelta

from bridge.core.ports import Clock


class ScaledClock:
    """A Clock that begins with the clock it is given and then runs `speed` times as fast."""

    def __init__(self, clock: Clock, speed: float = 1.0) -> None:
        if not 0 < speed < float("inf"):
            raise ValueError(f"a clock runs forward, not {speed!r} times as fast")
        self._clock = clock
        self._speed = speed
        self._wall = clock.now()
        self._began = clock.monotonic()

    def now(self) -> datetime:
        """Return the simulated wall time."""
        return self._wall + timedelta(seconds=self.monotonic() - self._began)

    def monotonic(self) -> float:
        """Return simulated seconds that never jump."""
        return self._began + (self._clock.monotonic() - self._began) * self._speed

    def left(self, moment: float) -> float:
        """Return the real seconds until a simulated moment."""
        return self.real(max(0.0, moment - self.monotonic()))

    def real(self, seconds: float) -> float:
        """Return how long so many simulated seconds take."""
        return seconds / self._speed
