"""Arrivals: when those who are taken up are first looked at, one or a hundred thousand of them."""

from collections.abc import Sequence
from datetime import timedelta

from bridge.core.pacing import startup
from bridge.engine.running import Running

AT_ONCE = timedelta(seconds=1)
"""Who is to wait no longer than that is due as soon as the rate lets it."""

FULL = 0.95
"""The share of its fair time that a look of a crowd gets: none of the rate stays unused."""


class Arrivals:
    """A virtual queue at the full rate: who comes in a crowd is due in turn.

    So whoever is new and alone does not wait for the crowd. Moments are monotonic seconds.
    """

    def __init__(self) -> None:
        self.full_until = float("-inf")
        """When the last of the crowd is due: so long nobody is looked at for a second time."""

    def first(
        self, arrived: Sequence[tuple[Running, timedelta]], now: float, rate: float
    ) -> list[tuple[Running, float]]:
        """Return when each is looked at first, that is to wait for so long at least.

        `rate` is how many generations can be looked at in a second. A generation that was never
        looked at is due now; of the others those come first that may have changed most.
        """
        crowd = [(self._mass(one, now), one) for one, wait in arrived if _crowds(one, wait)]
        due = [(one, now + w.total_seconds()) for one, w in arrived if not _crowds(one, w)]
        self.full_until = max(self.full_until, now)
        for one in startup.order(crowd):
            due.append((one, self.full_until))
            self.full_until += FULL / rate
        return due

    @staticmethod
    def _mass(running: Running, now: float) -> float:
        rung = running.rung
        age = rung.age(now)
        # Of one that another life of this daemon has looked at, only the last news is kept.
        silence = age if rung.seen is None else now - rung.seen
        return startup.mass(rung.table.curve, age, silence, rung.weight)


def _crowds(running: Running, wait: timedelta) -> bool:
    return running.seen and wait <= AT_ONCE
