"""How long a state lasts, as curves over age: what decisions are read from.

Within a bin the hazard h (changes a second among those that have not changed) is constant, so that
every curve is a chain of straight pieces:

- `load` is ∫h, the survival is exp(-load);
- `phi` is ∫√h. Looking whenever phi has grown by a price s gives the least mean delay for its
  looks, whatever the law (DETECTION.md, section 1);
- `integral` I = ∫√h·S is the mean of phi at the change: a rung costs I/s + ½ looks, and its
  change waits s·I/2 on average.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

from bridge.core.pacing.grid import BINS, EDGES, WIDTHS, bin_of

NEAR = 3
"""Bins on each side that a bin leans on."""

LEAN = 2.0
"""Pseudo-changes with which it does: 4 to 20 % less delay from job 100 to 1,000 on wide laws."""


class Curve:
    """The curves of one law; never changed once made, so that it may be kept while others learn."""

    __slots__ = ("hazard", "integral", "load", "phi", "root")

    def __init__(self, hazard: Sequence[float]) -> None:
        self.hazard = hazard
        self.root = [math.sqrt(h) for h in hazard]
        phi, load, alive, integral = 0.0, 0.0, 1.0, 0.0
        self.phi, self.load = [phi], [load]
        for b, width in enumerate(WIDTHS):
            phi += self.root[b] * width
            load += hazard[b] * width
            left = math.exp(-load) if b < BINS - 1 else 0.0  # the last bin is open
            integral += (alive - left) / self.root[b]
            alive = left
            self.phi.append(phi)
            self.load.append(load)
        self.integral = integral

    def phi_at(self, age: float) -> float:
        """Return Φ at an age."""
        b = bin_of(age)
        return self.phi[b] + (age - EDGES[b]) * self.root[b]

    def load_at(self, age: float) -> float:
        """Return the cumulative hazard at an age."""
        b = bin_of(age)
        return self.load[b] + (age - EDGES[b]) * self.hazard[b]

    def hazard_at(self, age: float) -> float:
        """Return the changes a second among those that are unchanged at an age."""
        return self.hazard[bin_of(age)]

    def survival(self, age: float) -> float:
        """Return the share that is unchanged at an age."""
        return math.exp(-self.load_at(age))

    def age_of_phi(self, value: float) -> float:
        """Return the age at which Φ has a value."""
        b = min(BINS, bisect_right(self.phi, value)) - 1
        return EDGES[b] + (value - self.phi[b]) / self.root[b]

    def age_of_load(self, value: float) -> float:
        """Return the age at which the cumulative hazard has a value."""
        b = min(BINS, bisect_right(self.load, value)) - 1
        return EDGES[b] + (value - self.load[b]) / self.hazard[b]

    def next(self, last: float, price: float) -> float:
        """Return the age of the next look after one at the age `last`; always later than it.

        `price` is what Φ has to grow by, above zero.
        """
        b = bin_of(last)
        value = self.phi[b] + (last - EDGES[b]) * self.root[b] + price
        if value <= self.phi[b + 1] or b == BINS - 1:
            after = last + price / self.root[b]
        else:
            after = self.age_of_phi(value)
        return after if after > last else math.nextafter(last, math.inf)

    def within(self, age: float, share: float) -> float:
        """Return the age up to which a `share` of those has changed that had not at `age`.

        0 ≤ share < 1. Half of the jobs that are unchanged now change by `within(now, 0.5)`.
        """
        return max(age, self.age_of_load(self.load_at(age) - math.log1p(-share)))


def learnt(n: Sequence[float], x: Sequence[float]) -> Curve:
    """Return the curves that `n` changes in `x` seconds at risk suggest, both above zero.

    Two pseudo-changes at the mean hazard of seven bins around make a bin smooth that has seen
    little: h = (n+2) / (x + 2/ĥ) with ĥ = Σn/Σx.
    """
    hazard = []
    for b in range(BINS):
        near = slice(max(0, b - NEAR), b + NEAR + 1)
        around = sum(x[near]) / sum(n[near])
        hazard.append((n[b] + LEAN) / (x[b] + LEAN * around))
    return Curve(hazard)
