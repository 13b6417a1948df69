"""The best ages for few looks."""

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing import few
from bridge.core.pacing.curve import Curve
from bridge.core.pacing.grid import BINS
from bridge.core.pacing.prior import log_logistic
from bridge.core.pacing.table import Table

curves = st.lists(st.floats(1e-6, 1e3), min_size=BINS, max_size=BINS).map(Curve)


def modes() -> Curve:
    """Return the curve of a law with two humps, 20 s and 180 s."""
    table, draw = Table(log_logistic(60.0)), Random(1)
    for n in range(1500):
        end = (20 if n % 5 < 3 else 180) * math.exp(0.2 * draw.gauss(0, 1))
        table.exposed(0.0, end * 0.98)
        table.changed(end * 0.98, end)
    return table.curve


def spent(curve: Curve, ages: list[float]) -> tuple[float, float]:
    """Return looks and mean delay of looking at these ages, summed over small steps."""
    looks = sum(curve.survival(age) for age in [0.0, *ages[:-1]])
    delay, steps = 0.0, 400
    for one, other in pairwise([0.0, *ages]):
        for k in range(steps):
            a, b = (one + (other - one) * (k + d) / steps for d in (0, 1))
            died = curve.survival(a) - curve.survival(b)
            delay += died * (other - (a + b) / 2)
    return looks, delay


def followed(plan: few.Plan) -> list[float]:
    """Return the ages at which one looks who follows a plan."""
    ages, last = [], plan.next(0.0)
    while last is not None:
        ages.append(last)
        last = plan.next(last)
    return ages


def tried(points: list[float], alive: list[float], area: list[float], c: float) -> float:
    """Return the least cost, by trying every next point."""
    m = len(points) - 1
    value = [0.0] * (m + 1)
    for i in range(m - 1, -1, -1):
        value[i] = c * alive[i] + min(
            (points[j] - points[i]) * alive[i] - (area[j] - area[i]) + value[j]
            for j in range(i + 1, m + 1)
        )
    return value[0]


@given(curves, st.floats(1e-3, 1e3))
def test_the_hull_finds_what_trying_every_age_finds(curve: Curve, cost: float) -> None:
    points = few._points(curve)  # noqa: SLF001  (the solver, against the plain recursion)
    alive = [curve.survival(e) for e in points]
    area = few._areas(curve, points)  # noqa: SLF001
    found = few._solved(points, alive, area, cost)  # noqa: SLF001
    best = tried(points, alive, area, cost)
    scale = points[-1] + cost * len(points)
    assert found.delay + cost * found.looks == pytest.approx(
        best, rel=1e-6, abs=1e-9 * scale
    )


@given(curves, st.floats(0.5, 8.0), st.floats(0.0, 1e5))
def test_a_plan_always_looks_later_than_before(
    curve: Curve, wished: float, last: float
) -> None:
    plan = few.plan(curve, curve.integral / wished)
    after = None if plan is None else plan.next(last)
    assert after is None or after > last


def test_with_two_humps_a_plan_costs_much_less_than_phi() -> None:
    curve = modes()
    price = curve.integral / 2.5
    plan = few.plan(curve, price)
    assert plan is not None
    looks, delay = spent(curve, followed(plan))
    ages = [0.0]
    while ages[-1] < plan.points[-1]:
        ages.append(curve.next(ages[-1], price))
    of_phi = spent(curve, ages[1:])
    assert looks == pytest.approx(3.0, rel=0.05)
    assert delay * (looks - 0.5) < 0.8 * of_phi[1] * (of_phi[0] - 0.5)


def test_where_nothing_is_to_gain_phi_decides() -> None:
    curve = Curve([1 / 60] * BINS)
    plan = few.plan(curve, curve.integral / 2.5)
    assert plan is not None
    assert plan.next(0.0) is None


def test_six_looks_and_more_need_no_plan() -> None:
    curve = modes()
    assert few.plan(curve, curve.integral / 5.51) is None
    assert few.plan(curve, curve.integral / 5.4) is not None
    assert not few.stale(None, curve, curve.integral / 24)


def test_beyond_the_last_age_of_a_plan_phi_decides() -> None:
    curve = modes()
    plan = few.plan(curve, curve.integral / 2.5)
    assert plan is not None
    assert plan.next(plan.points[-1]) is None
    assert plan.next(plan.points[-2]) == plan.points[-1]


def test_a_plan_is_stale_once_the_curve_or_the_price_is_another() -> None:
    curve = modes()
    price = curve.integral / 2.5
    plan = few.plan(curve, price)
    assert few.stale(None, curve, price)
    assert not few.stale(plan, curve, price * 1.04)
    assert few.stale(plan, curve, price * 1.06)
    assert few.stale(plan, modes(), price)
