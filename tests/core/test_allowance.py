"""Starts of a shared rate that were paid for."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.sharing.allowance import LATE, Allowance


def test_nothing_may_start_that_was_not_paid_for() -> None:
    assert Allowance(rate=10.0).opens(5.0) is None


def test_paid_starts_are_as_far_apart_as_the_rate_has_them() -> None:
    allowance = Allowance(rate=10.0)
    allowance.pay(3, 100.0)
    starts = []
    while (at := allowance.opens(100.0)) is not None:
        allowance.take(at)
        starts.append(round(at, 3))
    assert starts == [100.0, 100.1, 100.2]


def test_what_is_late_is_not_caught_up_with() -> None:
    allowance = Allowance(rate=10.0)
    allowance.pay(3, 100.0)
    assert allowance.opens(100.9) == 100.9
    allowance.take(100.9)
    assert allowance.opens(100.9) == 101.0


def test_what_is_paid_for_does_not_last() -> None:
    allowance = Allowance(rate=10.0)
    allowance.pay(3, 100.0)
    assert allowance.opens(100.3 + LATE + 0.01) is None


def test_chunks_grow_while_they_are_used_up_and_shrink_after_that() -> None:
    allowance = Allowance(rate=10.0)
    sizes = []
    for used_up in (True, True, True, True, True, False, False):
        size = allowance.wanted()
        sizes.append(size)
        allowance.pay(size, 0.0)
        for _ in range(size if used_up else 0):
            allowance.take(0.0)
    assert sizes == [1, 2, 4, 8, 10, 10, 5]


def test_a_slow_rate_is_paid_start_by_start() -> None:
    allowance = Allowance(rate=0.1)
    allowance.pay(1, 0.0)
    allowance.take(0.0)
    assert allowance.wanted() == 1


@given(
    st.floats(0.5, 200.0),
    st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 3.0)), max_size=30),
)
def test_no_two_starts_are_closer_than_the_rate_has_them(
    rate: float, steps: list[tuple[float, float]]
) -> None:
    allowance, now, last = Allowance(rate=rate), 0.0, float("-inf")
    for pause, ahead in steps:
        now += pause
        at = allowance.opens(now)
        if at is None:
            allowance.pay(allowance.wanted(), now + ahead)
            continue
        assert at >= now
        assert at - last >= 1.0 / rate - 1e-6
        allowance.take(at)
        last = at
