"""The retry schedule: spread, capped, and at some point used up."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.delivering.retry import DEFAULT_SCHEDULE, LONGEST, capped, wait

SPANS = st.timedeltas(min_value=timedelta(), max_value=timedelta.max)
SCHEDULES = st.lists(SPANS, min_size=1, max_size=12)
SPREADS = st.floats(-1, 1)


@pytest.mark.parametrize(
    ("failures", "spread", "seconds"),
    [
        (1, 0.0, 5),
        (1, 1.0, 6),
        (1, -1.0, 4),
        (2, 0.0, 300),
        (9, 0.0, 86400),
        (9, 1.0, 103680),
    ],
)
def test_the_wait_is_the_schedule_spread_by_the_jitter(
    failures: int, spread: float, seconds: float
) -> None:
    assert wait(DEFAULT_SCHEDULE, 0.2, failures, spread) == timedelta(seconds=seconds)


def test_the_default_schedule_makes_ten_attempts_in_75_hours() -> None:
    waits = [wait(DEFAULT_SCHEDULE, 0.2, n, 0.0) for n in range(1, 10)]
    assert sum((w for w in waits if w), timedelta()) == timedelta(
        hours=75, minutes=35, seconds=5
    )
    assert wait(DEFAULT_SCHEDULE, 0.2, 10, 0.0) is None


@given(SCHEDULES, st.floats(0, 1e300), st.integers(1, 30), SPREADS)
def test_a_wait_lies_within_nothing_and_30_days_whatever_the_schedule(
    schedule: list[timedelta], jitter: float, failures: int, spread: float
) -> None:
    span = wait(schedule, jitter, failures, spread)
    assert (span is None) == (failures > len(schedule))
    assert span is None or timedelta() <= span <= LONGEST


@given(
    st.timedeltas(min_value=timedelta(), max_value=timedelta(days=20)),
    st.floats(0, 0.4),
    SPREADS,
)
def test_a_wait_is_no_further_from_the_schedule_than_the_jitter(
    step: timedelta, jitter: float, spread: float
) -> None:
    span = wait([step], jitter, 1, spread)
    assert span is not None
    assert abs(span - step) <= jitter * step + timedelta(microseconds=2)


@given(st.floats(), st.timedeltas(min_value=timedelta(), max_value=LONGEST))
def test_any_number_of_seconds_is_a_span_up_to_the_longest(
    seconds: float, longest: timedelta
) -> None:
    assert timedelta() <= capped(seconds, longest) <= longest


def test_what_is_not_a_number_counts_as_the_longest() -> None:
    assert capped(float("nan"), LONGEST) == LONGEST
    assert capped(3.0**600, LONGEST) == LONGEST
