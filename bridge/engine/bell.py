"""A bell that wakes one sleeping loop."""

import math

import anyio


class Bell:
    """Rung by anybody, heard by one loop; a ring while nobody sleeps is kept, two are one."""

    def __init__(self) -> None:
        self._rung = anyio.Event()

    def ring(self) -> None:
        """Wake the loop now, or at once when it next lies down."""
        self._rung.set()

    async def wait(self, until: float | None = None) -> None:
        """Sleep until the bell rings or the moment `until` (on `anyio.current_time`) has come.

        At most a millisecond later, so that it is a whole one: uvloop counts in these, and
        between two of them a deadline is asked for again and again (a third of the CPU of a
        poller that sleeps a hundred times a second).
        """
        with anyio.CancelScope(deadline=math.inf if until is None else _whole(until)):
            await self._rung.wait()
        if self._rung.is_set():
            self._rung = anyio.Event()


def _whole(moment: float) -> float:
    if not math.isfinite(moment):
        return moment
    return max(moment, math.ceil(moment * 1000) / 1000)
