"""Schedules that learn nothing, tuned in hindsight to spend exactly as many looks."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

END = 1e7
"""Seconds: later than any job."""

Family: TypeAlias = Callable[[float], Sequence[float]]
"""A schedule's ages of looks by its first pause."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Looks a job with the finding one, and the mean delay in seconds."""

    looks: float
    delay: float


def fixed(times: Sequence[float], looks: float) -> float:
    """Return the mean delay of the fixed interval that spends so many looks on these jobs."""
    return tuned(times, looks, _fixed)


def backoff(factor: float, cap: float) -> Family:
    """Return exponential polling: each pause a factor longer than the last, up to a cap."""

    def ages(first: float) -> list[float]:
        found, age, pause = [], 0.0, first
        while age < END:
            age += pause
            found.append(age)
            pause = min(pause * factor, max(first, cap))
        return found

    return ages


def tuned(times: Sequence[float], looks: float, family: Family | None = None) -> float:
    """Return the mean delay of the member of a family that spends so many looks a job.

    The nearest member that does not spend more; its delay is scaled by looks - 1/2, so that a
    schedule that can only nearly spend them is not judged by what it left.
    """
    low, high = 1e-2, 5e3
    for _ in range(40):
        middle = math.sqrt(low * high)
        spends = _spent(times, middle, family).looks
        low, high = (middle, high) if spends > looks else (low, middle)
    found = _spent(times, high, family)
    return found.delay * (found.looks - 0.5) / (looks - 0.5)


def _spent(times: Sequence[float], first: float, family: Family | None) -> Spent:
    if family is None or family is _fixed:
        counts = [max(1, math.ceil(t / first)) for t in times]
        late = sum(n * first - t for n, t in zip(counts, times, strict=True))
        return Spent(sum(counts) / len(times), late / len(times))
    ages = family(first)
    at = [bisect_left(ages, t) for t in times]
    late = sum(ages[i] - t for i, t in zip(at, times, strict=True))
    return Spent(sum(at) / len(times) + 1, late / len(times))


def _fixed(first: float) -> Sequence[float]:
    return [first]
