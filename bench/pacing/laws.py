"""How long jobs last: the seven laws of DETECTION.md, section 11, and others that are not in it."""

import math
from collections.abc import Callable
from random import Random
from typing import TypeAlias

Law: TypeAlias = Callable[[Random], float]
"""Draws one duration in seconds."""


def log_normal(median: float, sigma: float) -> Law:
    """Return the law whose logarithm is normal."""
    return lambda draw: median * math.exp(sigma * draw.gauss(0.0, 1.0))


def normal(mean: float, deviation: float) -> Law:
    """Return the normal law, at least a second."""
    return lambda draw: max(1.0, draw.gauss(mean, deviation))


def two(one: Law, other: Law, share: float) -> Law:
    """Return the law that is `one` for a share of the jobs."""
    return lambda draw: one(draw) if draw.random() < share else other(draw)


def lomax(draw: Random) -> float:
    """Draw of a heavy tail, cut at a day."""
    return min(102.1 * (draw.paretovariate(1.5) - 1.0), 86_400.0)


KNOWN: dict[str, Law] = {
    "logn .5": log_normal(60, 0.5),
    "logn .25": log_normal(60, 0.25),
    "logn 1": log_normal(60, 1.0),
    "modes": two(log_normal(20, 0.2), log_normal(180, 0.2), 0.6),
    "Lomax": lomax,
    "normal": normal(60, 3),
    "exponent": lambda draw: draw.expovariate(1 / 60),
}

OTHERS: dict[str, Law] = {
    "Weibull 3": lambda draw: draw.weibullvariate(60, 3),
    "late exp": lambda draw: 30.0 + draw.expovariate(1 / 15),
}
"""Nothing was tuned to these, nor to those above."""


def drawn(law: Law, count: int, seed: int) -> list[float]:
    """Return so many durations; the same for the same seed."""
    draw = Random(seed)
    return [law(draw) for _ in range(count)]
