"""The best few looks: below six a rung, Φ is no longer the optimum (DETECTION.md, section 4).

Φ spreads looks as if there were many. With two or three, one look behind the first hump of two is
worth more than one in each. So where a rung costs less than six looks the best ages are searched
among about a hundred, by a dynamic programme from the last age to the first:

    V_i = min_{j>i} [(e_j-e_i)·S_i - (A_j-A_i) + V_j] + c·S_i

V_i is the delay still to come, and c seconds for each look, of all that are unchanged at e_i;
S their share, A = ∫S. For a fixed i the bracket is a line in S_i for each j, of slope e_j and
height V_j - A_j. Slopes fall and S_i rises from step to step, so that the lowest line is found
from a hull in constant time and a solution costs microseconds for each age.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.core.pacing.curve import Curve
from bridge.core.pacing.grid import EDGES, WIDTHS, bin_of

FEW = 6.0
"""Looks a rung from which on Φ is good enough."""

QUANTILES = 64

LOADS = (0.001, 11.0)
"""Cumulative hazards between which edges of the grid are points: 1.7e-5 of the jobs last longer."""

APART = 1.01
"""Ratio between neighbouring points, at least."""

BETTER = 0.95
"""Of Φ's delay·(looks-½), both foretold from the table: only then it is used."""

CLOSE = 0.02
"""Share by which a plan's looks may differ from those that the price means."""

STEPS = 8
"""Solutions tried for one plan."""

MOVED = 0.05
"""Share by which a price moves before a plan is made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where to look next: after the last of `points` that is not above the age of the last look.

    Made of a curve for a price; without points, Φ is as good there.
    """

    curve: Curve
    price: float
    points: tuple[float, ...] = ()
    after: tuple[float, ...] = ()

    def next(self, last: float) -> float | None:
        """Return the age of the look after one at the age `last`; None: as Φ says."""
        i = bisect_right(self.points, last) - 1
        return self.after[i] if 0 <= i < len(self.after) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solution:
    """Next points by their index, looks a job and mean delay in seconds."""

    after: tuple[int, ...]
    looks: float
    delay: float

    @property
    def cost(self) -> float:
        """Delay·(looks-½): what a schedule costs, whatever the number of its looks."""
        return self.delay * (self.looks - 0.5)


def looks(curve: Curve, price: float) -> float:
    """Return the looks that a rung costs at a price, as Φ spends them: I/s + ½."""
    return curve.integral / price + 0.5


def stale(plan: Plan | None, curve: Curve, price: float) -> bool:
    """Return whether a plan has to be made anew, for a curve and a price of now."""
    if plan is None:
        return looks(curve, price) < FEW
    return plan.curve is not curve or abs(price - plan.price) > MOVED * plan.price


def plan(curve: Curve, price: float) -> Plan | None:
    """Return the plan for a price, None: a rung costs enough looks for Φ."""
    wanted = looks(curve, price)
    if wanted >= FEW:
        return None
    points = _points(curve)
    alive = [curve.survival(e) for e in points]
    area = _areas(curve, points)
    best = _spending(points, alive, area, wanted, price * price / 2)
    if best is None or best.cost > BETTER * _of_phi(curve, price).cost:
        return Plan(curve=curve, price=price)
    after = tuple(points[j] for j in best.after)
    return Plan(curve=curve, price=price, points=tuple(points), after=after)


def _points(curve: Curve) -> list[float]:
    """Return the ages at which a look may be: 0 first, ascending."""
    ages = [curve.within(0.0, (k + 0.5) / QUANTILES) for k in range(QUANTILES)]
    ages += [e for e, load in zip(EDGES, curve.load, strict=True) if _between(load)]
    points = [0.0]
    for age in sorted(ages):
        if age > points[-1] * APART:
            points.append(age)
    return points


def _between(load: float) -> bool:
    return LOADS[0] < load < LOADS[1]


def _areas(curve: Curve, ages: Sequence[float]) -> list[float]:
    """Return ∫S from 0 to each age."""
    total, before = 0.0, [0.0]
    for b in range(len(WIDTHS)):
        total += _area(curve, b, WIDTHS[b])
        before.append(total)
    spans = ((bin_of(age), age) for age in ages)
    return [before[b] + _area(curve, b, age - EDGES[b]) for b, age in spans]


def _area(curve: Curve, b: int, width: float) -> float:
    """Return ∫S over the first `width` seconds of a bin."""
    h = curve.hazard[b]
    return -math.exp(-curve.load[b]) * math.expm1(-h * width) / h


def _spending(
    points: Sequence[float],
    alive: Sequence[float],
    area: Sequence[float],
    wanted: float,
    cost: float,
) -> _Solution | None:
    """Return the solution whose looks are nearest to those wanted, None: none comes near.

    The looks of a solution go about as 1/√c, so that c is moved by the square of the ratio.
    """
    best: _Solution | None = None
    for _ in range(STEPS):
        found = _solved(points, alive, area, cost)
        if best is None or abs(found.looks - wanted) < abs(best.looks - wanted):
            best = found
        if abs(found.looks - wanted) <= CLOSE * wanted:
            break
        cost *= (max(0.1, found.looks - 0.5) / max(0.1, wanted - 0.5)) ** 2
    return best if best and abs(best.looks - wanted) <= 5 * CLOSE * wanted else None


def _solved(
    points: Sequence[float], alive: Sequence[float], area: Sequence[float], cost: float
) -> _Solution:
    """Return the best schedule where a look costs `cost` seconds."""
    m = len(points) - 1
    value, looks, after = [0.0] * (m + 1), [0.0] * (m + 1), [m] * m
    hull, front = (
        [m],
        0,
    )  # indices of lines, slopes falling; those before `front` are done with
    height = [-a for a in area]
    for i in range(m - 1, -1, -1):
        x = alive[i]
        while front + 1 < len(hull) and _at(points, height, hull[front + 1], x) <= _at(
            points, height, hull[front], x
        ):
            front += 1
        j = after[i] = hull[front]
        value[i] = _at(points, height, j, x) - points[i] * x + area[i] + cost * x
        looks[i] = x + looks[j]
        height[i] = value[i] - area[i]
        while len(hull) - front >= 2 and _hidden(points, height, hull[-2], hull[-1], i):
            hull.pop()
        hull.append(i)
    return _Solution(
        after=tuple(after), looks=looks[0], delay=max(0.0, value[0] - cost * looks[0])
    )


def _at(slope: Sequence[float], height: Sequence[float], j: int, x: float) -> float:
    return slope[j] * x + height[j]


def _hidden(
    slope: Sequence[float], height: Sequence[float], one: int, middle: int, new: int
) -> bool:
    """Return whether the middle line of three, slopes falling, is nowhere the lowest."""
    return (height[new] - height[one]) * (slope[one] - slope[middle]) <= (
        height[middle] - height[one]
    ) * (slope[one] - slope[new])


def _of_phi(curve: Curve, price: float) -> _Solution:
    """Return what Φ spends and costs at a price, reckoned look by look."""
    ages, end = [0.0], curve.age_of_load(LOADS[1])
    while ages[-1] < end:
        ages.append(curve.next(ages[-1], price))
    area, alive = _areas(curve, ages), [curve.survival(age) for age in ages]
    steps = range(len(ages) - 1)
    return _Solution(
        after=(),
        looks=sum(alive[:-1]),
        delay=sum((ages[k + 1] - ages[k]) * alive[k] for k in steps) - area[-1],
    )
