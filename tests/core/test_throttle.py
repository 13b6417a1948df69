"""What a 429 does to a key."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing.throttle import LEAST, Throttle
from bridge.core.sharing.gate import Gate

asks = st.one_of(st.none(), st.floats(0, 1e6).map(lambda s: timedelta(seconds=s)))


def test_busy_pauses_the_key_for_retry_after_and_a_quarter_of_an_hour_at_most() -> None:
    assert Throttle(full=10.0).busy(0.0, 1.0, timedelta(seconds=7)) == 8.0
    assert Throttle(full=10.0).busy(0.0, 1.0, timedelta(days=1)) == 901.0


def test_without_retry_after_a_key_pauses_for_2_to_the_power_of_k_seconds() -> None:
    key, now, pauses = Throttle(full=10.0), 0.0, []
    for _ in range(12):
        until = key.busy(now, now + 0.1, None)
        pauses.append(until - now - 0.1)
        now = until
    assert pauses[:4] == pytest.approx([2.0, 4.0, 8.0, 16.0])
    assert pauses[-1] == pytest.approx(900.0)


def test_an_answer_begins_the_count_of_429s_anew() -> None:
    key = Throttle(full=10.0)
    key.busy(0.0, 0.1, None)
    key.busy(3.0, 3.1, None)
    key.answered(8.0)
    assert key.busy(9.0, 9.1, None) == pytest.approx(11.1)


def test_what_was_on_its_way_at_a_429_neither_counts_as_another_nor_as_an_answer() -> None:
    key = Throttle(full=10.0)
    assert key.busy(0.0, 1.0, None) == 3.0
    assert key.busy(0.5, 1.2, None) == pytest.approx(3.2)
    key.answered(0.9)
    assert key.busy(4.0, 5.0, None) == 9.0


def test_a_longer_wait_told_on_the_way_counts_and_a_shorter_one_does_not() -> None:
    key = Throttle(full=10.0)
    assert key.busy(0.0, 1.0, timedelta(seconds=60)) == 61.0
    assert key.busy(0.5, 1.1, timedelta(seconds=1)) == 61.0
    assert key.busy(0.5, 1.2, timedelta(seconds=90)) == 91.2


def test_a_429_takes_the_rate_down_to_0_7_once_in_10_seconds() -> None:
    key = Throttle(full=10.0)
    for second in range(10):
        key.busy(second - 0.1, float(second), None)
        assert key.rate(float(second)) == pytest.approx(7.0)
    key.busy(9.9, 10.0, None)
    assert key.rate(10.0) == pytest.approx(4.9)


def test_after_a_quiet_minute_5_percent_of_the_rate_come_back_every_10_seconds() -> None:
    key = Throttle(full=10.0)
    key.busy(0.0, 0.0, None)
    seconds = (59.0, 60.0, 69.0, 70.0, 109.0, 110.0, 1e6)
    assert [key.rate(s) for s in seconds] == pytest.approx(
        [7.0, 7.5, 7.5, 8.0, 9.5, 10.0, 10.0]
    )


def test_a_429_on_the_way_up_takes_it_down_from_where_it_is() -> None:
    key = Throttle(full=10.0)
    key.busy(0.0, 0.0, None)
    key.busy(79.0, 80.0, None)
    assert key.rate(80.0) == pytest.approx(0.7 * 8.5)
    assert key.rate(139.0) == pytest.approx(0.7 * 8.5)


def test_no_run_of_429s_takes_a_key_below_5_percent_of_its_rate() -> None:
    key = Throttle(full=10.0)
    for number in range(50):
        key.busy(10.0 * number, 10.0 * number, None)
    assert key.rate(500.0) == pytest.approx(0.5)


@given(
    full=st.floats(0.1, 1000),
    steps=st.lists(st.tuples(st.floats(0, 200), st.booleans(), asks), max_size=80),
)
def test_no_sequence_of_429s_takes_a_key_above_its_rate_or_to_a_standstill(
    full: float, steps: list[tuple[float, bool, timedelta | None]]
) -> None:
    key, now = Throttle(full=full), 0.0
    for wait, busy, asked in steps:
        began, now = now, now + wait
        if busy:
            until = key.busy(began, now, asked)
            assert now <= until <= now + 900.0 or until == key.until
        else:
            key.answered(began)
        assert LEAST * full * 0.999 <= key.rate(now) <= full


@given(
    waits=st.lists(st.tuples(st.floats(0, 3), st.integers(0, 9)), min_size=1, max_size=150)
)
def test_a_gate_that_follows_it_lets_no_more_through_than_the_full_rate(
    waits: list[tuple[float, int]],
) -> None:
    key, gate, now, starts = Throttle(full=10.0), Gate(rate=10.0, burst=0.1), 0.0, []
    for wait, fate in waits:
        gate.rate = key.rate(now)
        now = gate.opens(now + wait)
        gate.take(now)
        starts.append(now)
        if fate == 0:
            gate.shut(key.busy(now, now + 0.01, None))
    for first in starts:
        assert sum(first <= at < first + 1.0 for at in starts) <= 10.0 * 1.1 + 1 + 1e-6
