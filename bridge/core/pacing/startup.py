"""The first looks after a start or a sleep: who has most to tell comes first (DETECTION §8)."""

import math
from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

from bridge.core.pacing.opening import Law

Id = TypeVar("Id", bound=Hashable)

UNSEEN_MASS = math.inf
"""The mass of a generation that was never looked at."""


def mass(law: Law, age: float, silence: float, weight: float = 1.0) -> float:
    """Return how much may have changed: √w·(Φ(age) - Φ(age at the last look)).

    The last look was at the last saved beat, `silence` seconds ago; before it was created
    nothing has changed. One that was never looked at has `UNSEEN_MASS` instead.
    """
    return math.sqrt(weight) * (law.phi_at(age) - law.phi_at(max(0.0, age - silence)))


def order(masses: Iterable[tuple[float, Id]]) -> list[Id]:
    """Return who is looked at first: most mass first, equals in the order they came in."""
    return [one for _, one in sorted(masses, key=lambda pair: -pair[0])]


def moments(count: int, now: float, *, rate: float, batch: int = 1) -> Iterator[float]:
    """Yield when each of so many is due, in that order: `batch` at once, `rate` times a second.

    All are seen within `count / (rate · batch)`, as far as the gate lets looks through.
    """
    for place in range(count):
        yield now + (place // batch) / rate
