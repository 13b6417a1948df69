"""What a table tells people: when it will end, that it hangs, what looking costs (DETECTION §7)."""

import math
from dataclasses import dataclass

from bridge.core.pacing.grid import EDGES
from bridge.core.pacing.rung import Rung
from bridge.core.pacing.table import Table

TOLD_FROM = 20
"""Changes below which no time is foretold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eta:
    """Seconds from now in which half, and nine tenths, of such generations will have changed."""

    p50: float
    p90: float


def eta(rung: Rung, now: float) -> Eta | None:
    """Return when a generation is expected to leave its state, None: not enough is known."""
    if round(rung.table.changes) < TOLD_FROM:
        return None
    age, table = rung.age(now), rung.table
    return Eta(p50=table.within(age, 0.5) - age, p90=table.within(age, 0.9) - age)


def stalled(rung: Rung, now: float) -> bool:
    """Return whether a generation is in its state longer than nearly every other one was."""
    return rung.age(now) > rung.table.stalled_from


def looks(table: Table, price: float) -> float:
    """Return the looks that a rung costs at a price."""
    return table.integral / price + 0.5


def delay(table: Table, price: float) -> float:
    """Return the mean of seconds from a change to the look that finds it, at a price."""
    return table.integral * price / 2


def histogram(table: Table) -> tuple[tuple[float, float], ...]:
    """Return (up to so many seconds, how many changes) of each bin; what has faded counts less.

    The last bin is open.
    """
    ends = (*EDGES[1:-1], math.inf)
    return tuple(zip(ends, table.n, strict=True))
