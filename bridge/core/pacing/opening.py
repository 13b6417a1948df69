"""When to open a hold, what holding costs, and what one may catch (DETECTION §5)."""

import math
from typing import Protocol

SHARE = 0.02
"""The share of rungs that may end before a hold is opened, as the table expects it.

Tables are smoothed: of a log-normal law (60 s, sigma .4) the age at which 2 % are expected
to have ended is the one at which 1.2 % have (bench looks). That costs 0.05 s and saves 0.8 holds.
"""

SUMMED = 256
"""Holds of one rung that are summed one by one; what lasts longer is integrated coarsely."""

NEGLIGIBLE = 1e-4
"""A survival below which nothing more is added."""


class Law(Protocol):
    """How long a rung lasts, as far as it is known (`Table.curve`); ages in seconds."""

    def within(self, age: float, share: float) -> float:
        """Return the age by which that share ends of the rungs that have lasted `age`."""
        ...

    def survival(self, age: float) -> float:
        """Return the share of rungs that last longer than `age`."""
        ...

    def phi_at(self, age: float) -> float:
        """Return Φ, the mass of change up to an age."""
        ...


def opening(law: Law) -> float:
    """Return the age at which a hold is opened: before it, plain looks see next to nothing."""
    return law.within(0.0, SHARE)


def requests(law: Law, limit: float) -> float:
    """Return how many requests a rung costs that is held from its opening to its end.

    F(q) + Σ S(q + j·limit): one that finds it ended already, or one hold after the other.
    """
    opened = opening(law)
    total, age, step = 1.0 - law.survival(opened), opened, limit
    for count in range(SUMMED * 8):
        alive = law.survival(age)
        total += alive * step / limit
        if alive < NEGLIGIBLE:
            break
        step = step * 1.1 if count >= SUMMED else step
        age += step
    return total


def gain(law: Law, last: float, age: float, limit: float, weight: float = 1.0) -> float:
    """Return the mass of change that a hold catches which begins at `age`.

    It waits `limit` seconds, and the last look was at the age `last`.
    """
    return math.sqrt(weight) * (law.phi_at(age + limit) - law.phi_at(last))
