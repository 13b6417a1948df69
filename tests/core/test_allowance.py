"""Starts of a rate that were paid for."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.sharing.allowance import Allowance


def paid(rate: float, size: int, at: float, *, spare: float = 0.0) -> Allowance:
    allowance = Allowance(rate=rate)
    allowance.pay(size, at, at, 0.0, size / rate + spare)
    return allowance


def test_nothing_may_start_that_was_not_paid_for() -> None:
    assert Allowance(rate=10.0).opens(5.0) is None


def test_paid_starts_are_as_far_apart_as_the_rate_has_them() -> None:
    allowance = paid(10.0, 3, 100.0)
    starts = []
    while (at := allowance.opens(100.0)) is not None:
        allowance.take(at)
        starts.append(round(at, 3))
    assert starts == [100.0, 100.1, 100.2]


def test_what_is_late_has_used_up_what_came_before() -> None:
    allowance = paid(10.0, 3, 100.0)
    assert allowance.opens(100.2) == 100.2
    allowance.take(100.2)
    assert allowance.opens(100.2) is None


def test_a_start_must_be_over_before_somebody_else_may_begin() -> None:
    assert paid(10.0, 3, 100.0).opens(100.21) is None


def test_what_follows_on_our_own_makes_it_longer() -> None:
    allowance = paid(10.0, 1, 100.0, spare=0.05)
    allowance.take(100.0)
    assert allowance.opens(100.05) is None
    allowance.pay(2, 100.05, 100.05, 0.1, 0.2)
    assert allowance.opens(100.05) == pytest.approx(100.1)


def test_what_others_have_taken_in_between_is_not_ours() -> None:
    allowance = paid(10.0, 1, 100.0)
    allowance.take(100.0)
    allowance.pay(2, 100.05, 100.05, 5.0, 0.2)
    assert allowance.opens(100.06) == pytest.approx(105.05)


def test_an_answer_that_took_long_counts_against_us() -> None:
    allowance = Allowance(rate=10.0)
    allowance.pay(1, 100.0, 100.2, 0.0, 0.25)
    assert allowance.opens(100.2) is None
    allowance.pay(1, 100.2, 100.4, 0.0, 0.1 + 0.2)
    assert allowance.opens(100.4) == pytest.approx(100.4)


def test_chunks_grow_while_they_are_used_up_and_shrink_after_that() -> None:
    allowance, now, sizes = Allowance(rate=10.0), 0.0, []
    for used_up in (True, True, True, True, True, False, False):
        size = allowance.wanted(now)
        sizes.append(size)
        allowance.pay(size, now, now, 0.0, size / 10.0)
        now = allowance.until + (0.0 if used_up else 60.0)
    assert sizes == [1, 2, 4, 8, 10, 10, 5]


def test_a_slow_rate_is_paid_start_by_start() -> None:
    allowance = paid(0.1, 1, 0.0)
    allowance.take(0.0)
    assert allowance.wanted(10.0) == 1
    assert allowance.short(10.0, 1, 0.0) == 10.0


class Till:
    """What the database does for all replicas."""

    def __init__(self) -> None:
        self.tat = float("-inf")

    def pay(self, allowance: Allowance, now: float) -> None:
        size = allowance.wanted(now)
        length = allowance.short(now, size, 0.001)
        begin = max(0.0, self.tat - now)
        self.tat = max(self.tat, now) + length
        allowance.pay(size, now, now, begin, length)


@given(
    st.sampled_from([0.5, 3.0, 10.0, 50.0]),
    st.integers(1, 3),
    st.lists(
        st.tuples(st.floats(0.0, 0.6), st.integers(0, 2), st.integers(0, 30)), max_size=60
    ),
)
def test_all_together_never_have_more_starts_than_the_rate_and_one(
    rate: float, replicas: int, steps: list[tuple[float, int, int]]
) -> None:
    till, now, starts = Till(), 0.0, []
    ours = [Allowance(rate=rate) for _ in range(replicas)]
    for pause, number, crashes in steps:
        now += pause
        index = number % replicas
        if not crashes:
            ours[index] = Allowance(rate=rate)
        if ours[index].opens(now) is None:
            till.pay(ours[index], now)
        at = ours[index].opens(now)
        if at is not None and at <= now:
            ours[index].take(at)
            starts.append(at)
    for first, second in pairwise(starts):
        assert second - first >= 1.0 / rate - 1e-5


@given(st.sampled_from([0.5, 3.0, 50.0, 400.0]), st.floats(0.0, 5.0))
def test_who_is_alone_gets_the_whole_rate(rate: float, begin: float) -> None:
    till, allowance, now, count = Till(), Allowance(rate=rate), begin, 0
    while count < 100:
        at = allowance.opens(now)
        if at is None:
            till.pay(allowance, now)
            continue
        now = max(now, at)
        allowance.take(at)
        count += 1
    assert now - begin <= 99 / rate * 1.01 + 0.01
