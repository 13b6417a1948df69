"""What is learned of how long a state lasts, from looks alone."""

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.pacing.curve import Curve, learnt
from bridge.core.pacing.grid import BINS, EDGES, HIGH, LAYOUT, LOW, bin_of
from bridge.core.pacing.prior import JOBS, Prior, inherited, log_logistic
from bridge.core.pacing.saved import LARGEST, MOST, SavedTable, together
from bridge.core.pacing.table import Table

YEARS = 10 * 366 * 86_400.0

ages = (
    st.floats(0.0, YEARS)
    | st.sampled_from([0.0, LOW, 60.0, HIGH, *EDGES])
    | st.floats(0.0, 1e-9)
)
looks = st.lists(st.tuples(ages, ages, st.booleans(), ages), max_size=60)


def taught(looks: list[tuple[float, float, bool, float]], median: float = 60.0) -> Table:
    """Return a table that has seen looks in any order, also such as go back in time."""
    table = Table(log_logistic(median))
    for last, age, changed, opened in looks:
        table.looked(last, age, changed, opened)
    return table


def lived(lasts: list[float], looks: float = 12.0, table: Table | None = None) -> Table:
    """Return a table that has paced jobs, one after the other, at its own price."""
    table = table or Table(log_logistic(60.0))
    for end in lasts:
        watched(table, end, looks)
    return table


def watched(table: Table, end: float, looks: float = 12.0) -> int:
    """Pace one job by a table; return the looks that it took."""
    last, count = 0.0, 0
    while True:
        age, count = table.next(last, table.integral / (looks - 0.5)), count + 1
        table.looked(last, age, age >= end)
        if age >= end:
            return count
        last = age


def numbers(table: Table) -> tuple[float, ...]:
    """Return every number that a decision can come from."""
    curve = table.curve
    curves = (*curve.hazard, *curve.phi, *curve.load, curve.integral)
    return (*curves, *table.n, *table.x, table.changes, table.strain)


@given(age=ages)
def test_an_age_lies_in_its_bin(age: float) -> None:
    b = bin_of(age)
    assert EDGES[b] <= age
    assert b == BINS - 1 or age < EDGES[b + 1]


@given(looks)
def test_whatever_is_seen_every_number_stays_a_number(
    looks: list[tuple[float, float, bool, float]],
) -> None:
    assert all(0.0 <= v < math.inf for v in numbers(taught(looks)))


@given(looks, st.floats(LOW, HIGH))
def test_phi_and_load_rise_with_age(
    looks: list[tuple[float, float, bool, float]], median: float
) -> None:
    curve = taught(looks, median).curve
    assert all(a < b for a, b in pairwise(curve.phi))
    assert all(a < b for a, b in pairwise(curve.load))


@given(looks, ages, st.floats(1e-12, 1e6))
def test_the_next_look_is_later_than_the_last(
    looks: list[tuple[float, float, bool, float]], last: float, price: float
) -> None:
    after = taught(looks).next(last, price)
    assert last < after < math.inf


@given(looks, st.floats(0.0, 1e6))
def test_an_age_is_found_again_by_its_phi_and_by_its_load(
    looks: list[tuple[float, float, bool, float]], age: float
) -> None:
    curve = taught(looks).curve
    assert curve.age_of_phi(curve.phi_at(age)) == pytest.approx(age, rel=1e-6, abs=1e-6)
    assert curve.age_of_load(curve.load_at(age)) == pytest.approx(age, rel=1e-6, abs=1e-6)


@given(looks, ages, st.floats(1e-6, 20.0))
def test_between_two_looks_phi_grows_by_the_price(
    looks: list[tuple[float, float, bool, float]], last: float, price: float
) -> None:
    curve = taught(looks).curve
    last = min(last, HIGH)
    grown = curve.phi_at(curve.next(last, price)) - curve.phi_at(last)
    assert grown == pytest.approx(price, rel=1e-6, abs=1e-9 * curve.phi[-1])


@given(looks, st.floats(0.0, HIGH), st.floats(0.0, 0.999), st.floats(0.0, 0.999))
def test_more_have_changed_the_later_it_is(
    looks: list[tuple[float, float, bool, float]], age: float, one: float, other: float
) -> None:
    table = taught(looks)
    assert age <= table.within(age, min(one, other)) <= table.within(age, max(one, other))


@given(looks, ages, ages)
def test_a_change_counts_one(
    looks: list[tuple[float, float, bool, float]], one: float, other: float
) -> None:
    table = taught(looks)
    before, drifts = sum(table.n), table.drifts
    table.changed(min(one, other), max(one, other))
    faded = 2.0 ** (-1 / 600) * 0.1 ** (table.drifts - drifts)
    assert sum(table.n) == pytest.approx((before + 1.0) * faded, rel=1e-9)


@given(looks, ages, ages, st.booleans())
def test_no_more_seconds_at_risk_than_passed(
    looks: list[tuple[float, float, bool, float]], one: float, other: float, changed: bool
) -> None:
    table = taught(looks)
    before, span = sum(table.x), abs(one - other)
    table.looked(min(one, other), max(one, other), changed)
    assert sum(table.x) <= (before + span) * (1 + 1e-9) + 1e-9
    if not changed:
        assert sum(table.x) == pytest.approx(before + span, rel=1e-9, abs=1e-9)


@given(looks)
def test_the_same_looks_make_the_same_bits(
    looks: list[tuple[float, float, bool, float]],
) -> None:
    assert numbers(taught(looks)) == numbers(taught(looks))


@given(looks)
def test_what_is_saved_is_what_is_restored(
    looks: list[tuple[float, float, bool, float]],
) -> None:
    table = taught(looks)
    saved = table.saved("ray-2", "dreaming")
    again = Table(log_logistic(60.0), together([saved]))
    assert (again.n, again.x) == (table.n, table.x)
    assert (again.changes, again.strain) == (table.changes, table.strain)
    rest = replace_identity(again.saved("ray-2", "dreaming"), saved)
    assert rest == saved


def replace_identity(one: SavedTable, other: SavedTable) -> SavedTable:
    """Return a saved table as if it had begun with as much as another one."""
    return SavedTable(
        model=one.model,
        state=one.state,
        layout=one.layout,
        n=one.n,
        x=one.x,
        weight=one.weight,
        strain=one.strain,
        faded=other.faded,
    )


def test_changes_without_end_leave_finite_numbers_and_the_weight_of_866() -> None:
    table = Table(log_logistic(60.0))
    for n in range(30_000):
        table.changed(50.0 + n % 7, 60.0 + n % 11)
        if n % 1_500 == 0:
            table._unit *= 2.0**60  # noqa: SLF001  (as 36,000 more changes would)
            table.changes *= 0.5
            table._n = [v * 2.0**60 for v in table._n]  # noqa: SLF001
            table._x = [v * 2.0**60 for v in table._x]  # noqa: SLF001
    assert all(math.isfinite(v) for v in numbers(table))
    assert sum(table.n) == pytest.approx(MOST, rel=0.01)


@pytest.mark.parametrize("median", [0.3, 8.0, 60.0, 3600.0, 80_000.0])
def test_the_prior_is_five_jobs_half_of_which_last_up_to_the_median(median: float) -> None:
    prior = log_logistic(median)
    assert sum(prior.n) == pytest.approx(JOBS, rel=1e-3) or median > HIGH / 100
    done = sum(n for n, end in zip(prior.n, EDGES[1:], strict=True) if end <= median)
    assert JOBS * 0.4 <= done + prior.n[bin_of(median)] <= JOBS * 0.6
    assert all(v > 0 for v in (*prior.n, *prior.x))


def test_first_jobs_keep_the_budget_where_a_scale_free_prior_would_waste_it() -> None:
    draw = Random(1)
    ends = [60 * math.exp(0.5 * draw.gauss(0, 1)) for _ in range(5)]
    proper = Table(log_logistic(60.0))
    assert sum(watched(proper, end) for end in ends) <= 1.25 * 12 * len(ends)
    # Every scale as often as every other one: as many changes in each bin, hazard 1/age.
    even = JOBS / BINS
    flat = Prior(
        n=(even,) * BINS, x=tuple(even * max(end, LOW) for end in EDGES[1:]), median=60.0
    )
    wasted = sum(watched(Table(flat), end) for end in ends) / len(ends)
    assert 53 <= wasted <= 110


def test_a_law_is_learned_from_looks_alone() -> None:
    draw = Random(3)
    table = lived([60 * math.exp(0.25 * draw.gauss(0, 1)) for _ in range(1500)])
    assert table.within(0.0, 0.5) == pytest.approx(60, rel=0.05)
    assert table.within(0.0, 0.9) == pytest.approx(60 * math.exp(0.25 * 1.2816), rel=0.08)
    assert 1.5 * table.integral**2 < 62  # E[T] / I² is 2.24 for this law


def test_what_only_lasts_without_a_change_moves_the_expectation_out() -> None:
    table = Table(log_logistic(60.0))
    for _ in range(20):
        table.exposed(0.0, 600.0)
    assert table.within(0.0, 0.5) > 600
    assert sum(table.n) == 0


def test_the_old_jobs_fade_and_the_new_ones_count() -> None:
    draw = Random(4)
    table = lived([30 * math.exp(0.3 * draw.gauss(0, 1)) for _ in range(1000)])
    lived([33 * math.exp(0.3 * draw.gauss(0, 1)) for _ in range(1500)], table=table)
    assert table.drifts == 0
    assert table.within(0.0, 0.5) == pytest.approx(32.5, rel=0.04)


@pytest.mark.parametrize("factor", [3.0, 1 / 3])
def test_durations_that_change_at_once_are_seen_as_a_drift(factor: float) -> None:
    draw = Random(5)
    table = lived([60 * math.exp(0.25 * draw.gauss(0, 1)) for _ in range(800)])
    assert table.drifts == 0
    lived([60 * factor * math.exp(0.25 * draw.gauss(0, 1)) for _ in range(60)], table=table)
    assert table.drifts >= 1
    assert table.changes < 400
    assert table.within(0.0, 0.5) == pytest.approx(60 * factor, rel=0.25)


def crowd(table: Table, ends: list[float]) -> None:
    """Look at jobs that began at once, all at the same ages, until each is over."""
    last, price = 0.0, table.integral / 11.5
    while ends:
        age = table.next(last, price)
        for end in ends:
            table.looked(last, age, age >= end)
        ends = [end for end in ends if age < end]
        last = age


@pytest.mark.parametrize("sigma", [0.05, 0.25, 0.5, 1.0])
def test_a_crowd_that_begins_at_once_is_no_drift_though_its_short_ones_end_first(
    sigma: float,
) -> None:
    draw = Random(6)
    table = lived([60 * math.exp(sigma * draw.gauss(0, 1)) for _ in range(800)])
    drifts = table.drifts
    for _ in range(3):
        crowd(table, [60 * math.exp(sigma * draw.gauss(0, 1)) for _ in range(300)])
    assert table.drifts == drifts


def test_one_that_hangs_for_a_day_is_no_drift() -> None:
    draw = Random(7)
    table = lived([60 + 3 * draw.gauss(0, 1) for _ in range(800)])
    for hour in range(24):
        table.exposed(hour * 3600.0, (hour + 1) * 3600.0)
        lived([60 + 3 * draw.gauss(0, 1) for _ in range(5)], table=table)
    assert table.drifts == 0


def test_a_calm_curve_spreads_a_change_as_a_steep_one_does() -> None:
    flat = Curve([1e-12] * BINS)
    calm, steep = Table(log_logistic(60.0)), Table(log_logistic(60.0))
    calm.curve, steep.curve = flat, Curve([1e-7] * BINS)
    calm.changed(10.0, 90.0)
    steep.changed(10.0, 90.0)
    assert calm.n == pytest.approx(steep.n, rel=1e-4)
    assert calm.x == pytest.approx(steep.x, rel=1e-3)


def test_a_constant_hazard_is_read_off_changes_and_risk() -> None:
    curve = learnt([3.0] * BINS, [60.0] * BINS)
    assert curve.hazard == pytest.approx([0.05] * BINS)
    assert curve.survival(20.0) == pytest.approx(math.exp(-1))
    assert curve.integral == pytest.approx(math.sqrt(1 / 0.05))


def saved(weight: float, n: float = 1.0, layout: str = LAYOUT) -> SavedTable:
    return SavedTable(
        model="m", state="*", layout=layout, n=(n,) * BINS, x=(2 * n,) * BINS, weight=weight
    )


def test_replicas_are_added_up_to_the_weight_that_one_table_can_have() -> None:
    both = together([saved(100.0), saved(50.0, 3.0)])
    assert both is not None
    assert (both.weight, both.n[0], both.x[0]) == (150.0, 4.0, 8.0)
    many = together([saved(866.0)] * 3)
    assert many is not None
    assert many.weight == pytest.approx(MOST)
    assert many.n[0] == pytest.approx(MOST / 866.0)


@pytest.mark.parametrize(
    "damaged",
    [
        saved(10.0, layout="48:0.25:90000"),
        saved(10.0, n=math.nan),
        saved(10.0, n=-1.0),
        saved(math.inf),
        saved(10.0, n=2 * LARGEST),
        SavedTable(model="m", state="*", layout=LAYOUT, n=(1.0,), x=(1.0,), weight=1.0),
    ],
)
def test_what_is_foreign_or_damaged_is_not_restored(damaged: SavedTable) -> None:
    assert together([damaged]) is None
    both = together([damaged, saved(7.0)])
    assert both is not None
    assert both.weight == 7.0


def test_a_new_model_begins_from_what_its_siblings_learned() -> None:
    draw = Random(8)
    sibling = lived([8 * math.exp(0.3 * draw.gauss(0, 1)) for _ in range(500)])
    base = log_logistic(90.0)
    prior = inherited(base, [(sibling.n, sibling.x)])
    assert sum(prior.n) == pytest.approx(JOBS)
    assert Table(prior).within(0.0, 0.5) == pytest.approx(8, rel=0.5)
    assert inherited(base, []) is base


@settings(max_examples=30)
@given(looks)
def test_a_belief_is_above_zero_in_every_bin_whatever_the_siblings_saw(
    looks: list[tuple[float, float, bool, float]],
) -> None:
    table = taught(looks)
    prior = inherited(log_logistic(60.0), [(table.n, table.x)])
    assert all(0.0 < v < math.inf for v in (*prior.n, *prior.x))
    assert all(math.isfinite(v) for v in numbers(Table(prior)))


def test_curves_are_made_anew_ever_more_seldom_while_nothing_changes() -> None:
    table = Table(log_logistic(60.0))
    made = []
    for look in range(8000):
        table.exposed(10.0, 11.0)
        if look in {99, 3999, 7999}:
            made.append(table.version)
    assert made[0] >= 10
    # From then on each 200 looks, as long as nothing changes.
    assert made[2] - made[1] <= 4000 / 200 + 1


@given(st.lists(st.tuples(ages, ages).map(sorted), max_size=40))
def test_many_unchanged_looks_teach_what_they_teach_one_by_one(
    spans: list[list[float]],
) -> None:
    together, alone = Table(log_logistic(60.0)), Table(log_logistic(60.0))
    together.exposed_all([(last, age) for last, age in spans])
    for last, age in spans:
        alone.exposed(last, age)
    assert together.x == alone.x
    assert together.looks == alone.looks
