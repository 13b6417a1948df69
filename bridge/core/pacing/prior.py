"""What is believed of a state's length before anything was seen: worth five jobs, then outweighed.

The law is log-logistic, S(t) = 1 / (1 + (t/m)^1.5), around a median m (DETECTION.md, section 2).
It is proper: it says that ages a hundred times the median are rare. One that gave every scale the
same weight spent 53 to 110 looks on each of the first jobs; a test keeps that in mind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bridge.core.pacing.grid import EDGES, HIGH, LOW, WIDTHS

JOBS = 5.0
"""How many seen jobs the belief is worth."""

SHAPE = 1.5
"""Steepness of the log-logistic law: 80 % of the jobs lie within a factor of 4.3 of the median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Pseudo-changes `n` and pseudo-seconds at risk `x` of each bin, all of them above zero.

    `median` is what was believed in seconds before any table of the source had learnt.
    """

    n: tuple[float, ...]
    x: tuple[float, ...]
    median: float


def log_logistic(median: float) -> Prior:
    """Return the belief that half of the jobs last up to `median` seconds.

    A median outside the grid counts as the grid's nearest edge.
    """
    middle = min(HIGH, max(LOW, median))
    alive = [1.0 / (1.0 + (age / middle) ** SHAPE) for age in EDGES]
    sides = list(pairwise(alive))
    return Prior(
        n=tuple(JOBS * (before - after) for before, after in sides),
        x=tuple(
            JOBS * (before + after) / 2 * width
            for (before, after), width in zip(sides, WIDTHS, strict=True)
        ),
        median=middle,
    )


def inherited(
    base: Prior, learnt: Sequence[tuple[Sequence[float], Sequence[float]]]
) -> Prior:
    """Return the belief about a new model: what its siblings learnt, thinned to five jobs.

    `learnt` are changes and seconds at risk of each sibling, in unit 1. They are added to `base`,
    so that a sibling that has seen two jobs says hardly more than the base, and one that has seen
    hundreds says nearly all; without siblings it is the base.
    """
    if not learnt:
        return base
    n, x = list(base.n), list(base.x)
    for changes, risk in learnt:
        n = [a + b for a, b in zip(n, changes, strict=True)]
        x = [a + b for a, b in zip(x, risk, strict=True)]
    share = JOBS / sum(n)
    return Prior(
        n=tuple(v * share for v in n), x=tuple(v * share for v in x), median=base.median
    )
