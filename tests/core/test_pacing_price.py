"""What a look costs: the wish of a source, the rate of its key."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing.price import CAP, Admissions, Bucket, Price, sampled
from bridge.core.pacing.prior import log_logistic
from bridge.core.pacing.table import Table


def table(median: float = 60.0) -> Table:
    return Table(log_logistic(median))


def price(looks: float = 12.0, rate: float = 1e6) -> Price:
    found = Price.of(looks=looks, rate=rate)
    found.admitted(table())
    return found


def settled(price: Price, sample: list[tuple[float, float]], watching: int) -> float:
    """Return the price after a minute of the same fleet, with a bucket that is half full."""
    for second in range(60):
        price.bucket.fill, price.bucket.filled_at = 0.5, float(second)
        price.reckon(float(second), sample, watching)
    return price.value


def test_with_requests_to_spare_a_rung_costs_the_looks_that_were_wished() -> None:
    assert price(looks=12).value == pytest.approx(table().integral / 11.5)


def test_the_first_rung_gives_the_first_price() -> None:
    one = Price.of(looks=24, rate=10)
    one.admitted(table(8.0))
    assert one.value == pytest.approx(table(8.0).integral / 23.5)


def test_the_mean_is_by_admissions_not_by_who_runs() -> None:
    images, videos, shares = table(8.0), table(180.0), Admissions()
    assert shares.integral() is None
    for n in range(2_000):
        shares.note(videos if n % 10 < 3 else images)
    expected = 0.7 * images.integral + 0.3 * videos.integral
    assert shares.integral() == pytest.approx(expected, rel=0.03)


def test_after_fifty_thousand_admissions_a_hundred_new_ones_still_count() -> None:
    one, other, shares = table(8.0), table(180.0), Admissions()
    for _ in range(50_000):
        shares.note(one)
    for _ in range(2_000):
        shares.note(other)
    assert shares.integral() == pytest.approx(other.integral, rel=1e-6)


def test_a_scarce_rate_makes_looks_dear_until_they_fit_into_it() -> None:
    hazard, watching = 1 / 60, 300
    value = settled(price(looks=1000, rate=10), [(1.0, hazard)] * 50, watching)
    looks = watching * (math.sqrt(hazard) / value + hazard / 2)
    assert looks == pytest.approx(9.0, rel=0.01)


def test_the_cap_is_two_looks_a_rung_and_shows_that_the_key_does_not_suffice() -> None:
    one = price(looks=24, rate=1)
    assert settled(one, [(1.0, 1 / 60)] * 50, 5_000) == pytest.approx(
        CAP * table().integral
    )
    assert one.capped
    assert not price(looks=1, rate=1e6).capped


def test_an_empty_bucket_makes_looks_dearer_a_full_one_cheaper() -> None:
    values = []
    for fill in (0.0, 0.5, 1.0):
        one = price(looks=1000, rate=10)
        settled(one, [(1.0, 1 / 60)] * 50, 100)
        one.bucket.fill = fill
        one.reckon(one.bucket.filled_at, [(1.0, 1 / 60)] * 50, 100)
        values.append(one.value)
    empty, half, full = values
    assert empty / half == pytest.approx(math.e, rel=0.01)
    assert half / full == pytest.approx(math.e, rel=0.01)


def test_leftovers_make_looks_cheaper_but_never_than_was_wished() -> None:
    dear = price(looks=12, rate=10)
    settled(dear, [(1.0, 1 / 60)] * 50, 300)
    assert dear.least == pytest.approx(max(0.2 * dear.value, dear.wished))
    assert dear.least < dear.value
    cheap = price(looks=12)
    assert cheap.least == cheap.value


def test_a_bucket_holds_ten_seconds_of_looks() -> None:
    bucket = Bucket(rate=10.0)
    bucket.take(50, now=0.0)
    assert bucket.fill == pytest.approx(0.5)
    bucket.take(1_000, now=0.0)
    assert bucket.fill == 0.0
    bucket.advance(4.0)
    assert bucket.fill == pytest.approx(0.4)
    bucket.advance(2.0)
    assert bucket.fill == pytest.approx(0.4)
    bucket.advance(1e9)
    assert bucket.fill == 1.0


def test_without_a_rate_nothing_is_ever_left_over() -> None:
    bucket = Bucket(rate=0.0)
    bucket.take(1, now=0.0)
    assert bucket.fill == 0.0


@given(st.integers(0, 5_000), st.integers(0, 10_000))
def test_a_sample_is_small_and_spread_over_all(count: int, turn: int) -> None:
    found = list(sampled(range(count), turn))
    assert len(found) <= 64
    assert len(found) >= min(count, 32)
    assert found == sorted(set(found))


def test_in_time_every_watch_is_sampled() -> None:
    seen = {item for turn in range(20) for item in sampled(range(1_000), turn)}
    assert seen == set(range(1_000))


@given(
    st.floats(0.1, 1e5),
    st.floats(0.0, 1e6),
    st.lists(st.tuples(st.floats(0.01, 1.0), st.floats(1e-15, 1e6)), max_size=64),
    st.integers(0, 10**6),
    st.lists(st.floats(0.0, 1e9), max_size=20),
)
def test_a_price_is_always_a_number_above_zero(
    looks: float,
    rate: float,
    sample: list[tuple[float, float]],
    watching: int,
    moments: list[float],
) -> None:
    one = price(looks, rate)
    for moment in moments:
        one.bucket.take(watching, moment)
        one.reckon(moment, sample, watching)
        assert 0.0 < one.least <= one.value <= CAP * table().integral * (1 + 1e-9)
