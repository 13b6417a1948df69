"""The bins of age in which it is learnt how long a state lasts (DETECTION.md, section 2).

The first bin is [0, 0.25 s), each later one 14.4 % longer than the one before it; the last begins
at about 78,600 s and is open. Bins this wide see a law as narrow as ±14 %.
"""

import math
from bisect import bisect_right

BINS = 96
LOW, HIGH = 0.25, 90_000.0
"""Seconds: the end of the first bin, and the last number of the grid: a day and an hour."""

_STEP = math.log(HIGH / LOW) / (BINS - 1)

EDGES: tuple[float, ...] = (0.0, *(LOW * math.exp(_STEP * i) for i in range(BINS)))
"""The 97 ages between which the bins lie."""

WIDTHS: tuple[float, ...] = tuple(EDGES[b + 1] - EDGES[b] for b in range(BINS))

LAYOUT = f"{BINS}:{LOW:g}:{HIGH:g}"
"""Names the grid in what is saved: numbers of another grid mean nothing here."""


def bin_of(age: float) -> int:
    """Return the bin of an age in seconds; every age beyond the grid is in the last one."""
    return bisect_right(EDGES, age, 0, BINS) - 1
