"""When a watch is due, and what its looks teach."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing import due, few
from bridge.core.pacing.due import Bounds
from bridge.core.pacing.price import Price
from bridge.core.pacing.prior import log_logistic
from bridge.core.pacing.rung import Rung, lean
from bridge.core.pacing.table import Table

WIDE = Bounds(longest=1e6)


def table() -> Table:
    return Table(log_logistic(60.0))


def rung(weight: float = 1.0, lean: float = 1.0) -> Rung:
    """Return a rung that began at 1,000 and was found unchanged at 1,010."""
    found = Rung(table=table(), entered=1000.0, weight=weight, lean=lean)
    found.unchanged(1010.0)
    return found


def price(value: float) -> Price:
    found = Price.of(looks=24, rate=10)
    found.value = found.wished = value
    return found


def grown(moment: float) -> float:
    """Return how much Φ has grown at a moment since that rung's last look."""
    curve = table().curve
    return curve.phi_at(moment - 1000.0) - curve.phi_at(10.0)


def test_a_watch_is_due_when_phi_has_grown_by_the_price() -> None:
    assert grown(due.at(rung(), price(0.5), WIDE)) == pytest.approx(0.5)


def test_a_watch_that_nobody_has_seen_is_due_at_once() -> None:
    fresh = Rung(table=table(), entered=1000.0)
    assert due.at(fresh, price(0.5), WIDE) <= 1000.0
    assert due.early(fresh, price(0.5), WIDE) <= 1000.0


def test_when_the_price_falls_it_is_due_earlier() -> None:
    one = rung()
    assert due.at(one, price(0.2), WIDE) < due.at(one, price(0.5), WIDE)


def test_a_watch_of_a_hundredth_of_the_weight_is_looked_at_a_tenth_as_often() -> None:
    assert grown(due.at(rung(weight=0.01), price(0.1), WIDE)) == pytest.approx(1.0)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_generation_has_a_price_of_its_own_near_the_common_one(name: str) -> None:
    assert 0.95 <= lean(name) <= 1.05


def test_those_that_begin_together_do_not_stay_together() -> None:
    moments = {due.at(rung(lean=lean(f"g{n}")), price(0.5), WIDE) for n in range(100)}
    assert len(moments) == 100


@given(
    st.floats(0.0, 100.0),
    st.floats(0.0, 1e4),
    st.floats(1e-9, 1e3),
    st.floats(0.01, 1.0),
    st.floats(0.0, 1e9),
)
def test_no_look_comes_before_the_floor_or_after_the_longest_pause(
    floor: float, longest: float, value: float, weight: float, age: float
) -> None:
    one = Rung(table=table(), entered=0.0, weight=weight)
    one.unchanged(age)
    bounds = Bounds(floor=floor, longest=longest)
    least = max(floor, due.LEAST)
    for moment in (due.at(one, price(value), bounds), due.early(one, price(value), bounds)):
        assert moment >= age + least
        assert moment <= age + max(least, longest) + 1e-6


def test_what_the_api_asks_for_counts_for_one_look() -> None:
    one = rung()
    one.not_before = 1500.0
    assert due.at(one, price(0.1), Bounds(longest=60.0)) == 1500.0
    one.unchanged(1500.0)
    assert due.at(one, price(0.1), Bounds(longest=60.0)) <= 1560.0


def test_leftover_requests_bring_a_look_forward_but_not_below_the_wish() -> None:
    dear = price(0.5)
    dear.wished = 0.01
    assert grown(due.early(rung(), dear, WIDE)) == pytest.approx(0.1)
    dear.wished = 0.5
    assert due.early(rung(), dear, WIDE) == due.at(rung(), dear, WIDE)


@given(st.floats(0.0, 1e9), st.floats(0.0, 1e9), st.integers(0, 10**6))
def test_the_rule_is_asked_again_in_time(at: float, now: float, watching: int) -> None:
    moment = due.wake(at, now, watching)
    assert now <= moment <= max(now, at)
    assert moment <= now + max(10.0, watching / 5_000)


def test_a_plan_for_few_looks_replaces_phi_where_it_speaks() -> None:
    one, curve = rung(), table().curve
    one.table.plan = few.Plan(curve=curve, price=2.0, points=(0.0, 40.0), after=(40.0,))
    assert due.at(one, price(2.0), WIDE) == 1040.0
    one.unchanged(1040.0)
    later = due.at(one, price(0.5), WIDE)
    assert curve.phi_at(later - 1000) - curve.phi_at(40.0) == pytest.approx(0.5)


def test_a_plan_is_for_watches_of_full_weight() -> None:
    light, curve = rung(weight=0.25), table().curve
    light.table.plan = few.Plan(curve=curve, price=2.0, points=(0.0, 40.0), after=(40.0,))
    assert grown(due.at(light, price(0.1), WIDE)) == pytest.approx(0.2)


def test_the_first_answer_only_opens_what_can_be_learned() -> None:
    one = Rung(table=table(), entered=1000.0)
    one.unchanged(1030.0)
    assert one.table.looks == 0
    assert (one.opened, one.last) == (1030.0, 30.0)
    one.unchanged(1050.0)
    assert sum(one.table.x) == pytest.approx(20.0)
    assert sum(one.table.n) == 0


def test_nothing_is_learned_of_one_that_was_over_at_its_first_look() -> None:
    one = Rung(table=table(), entered=1000.0)
    assert one.changed(1030.0) == 1030.0
    assert one.table.looks == 0


def test_the_next_state_begins_in_the_middle_between_two_looks() -> None:
    one = rung()
    assert one.changed(1030.0) == 1020.0
    assert sum(one.table.n) * 2 ** (1 / 600) == pytest.approx(1.0)
    assert 0 < sum(one.table.x) < 20.0


def test_a_state_that_was_jumped_over_lasted_less_than_the_interval() -> None:
    one, over = rung(), table()
    one.jumped(over, 1030.0)
    assert sum(over.n) * 2 ** (1 / 600) == pytest.approx(1.0)
    assert sum(over.x) < 20.0
    assert over.within(0.0, 0.5) < table().within(0.0, 0.5)


@given(
    st.floats(-1e9, 1e9),
    st.lists(st.floats(-1e9, 1e9), max_size=10),
    st.floats(-1e9, 1e9),
)
def test_a_clock_that_goes_nowhere_or_back_teaches_no_nonsense(
    entered: float, moments: list[float], end: float
) -> None:
    one = Rung(table=table(), entered=entered)
    for moment in moments:
        one.unchanged(moment)
    began = one.changed(end)
    known = (*one.table.n, *one.table.x, one.table.integral, began, one.last)
    assert all(math.isfinite(v) for v in known)
    assert all(v >= 0 for v in (*one.table.n, *one.table.x, one.last))
