"""When holds are opened, what they cost, and who is held first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing import opening
from tests.core.laws import Exponential, LogNormal

LAW = LogNormal(median=60.0, sigma=0.4)


def late_by_opening(share: float) -> float:
    """Return the mean of seconds by which changes before the opening are seen late."""
    opened = LAW.within(0.0, share)
    step = opened / 10_000
    return sum((1.0 - LAW.survival(step * n)) * step for n in range(10_000))


def test_a_hold_is_opened_at_the_age_by_which_2_percent_are_expected_to_have_ended() -> (
    None
):
    opened = opening.opening(LAW)
    assert 1.0 - LAW.survival(opened) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("share", "holds", "late"), [(0.01, 1.89, 0.03), (0.02, 1.81, 0.06), (0.05, 1.69, 0.23)]
)
def test_opening_late_takes_fewer_holds_a_job_than_2_67_and_costs_little(
    share: float, holds: float, late: float
) -> None:
    from_the_start = sum(LAW.survival(30.0 * n) for n in range(100))
    assert from_the_start == pytest.approx(2.67, abs=0.03)
    opened = LAW.within(0.0, share)
    later = sum(LAW.survival(opened + 30.0 * n) for n in range(100))
    assert share + later == pytest.approx(holds, abs=0.03)
    assert late_by_opening(share) == pytest.approx(late, abs=0.02)
    if share == opening.SHARE:
        assert opening.requests(LAW, 30.0) == pytest.approx(holds, abs=0.03)


@given(limit=st.floats(1, 3600), mean=st.floats(0.1, 90_000))
def test_a_held_rung_costs_one_request_at_least_and_one_for_each_limit_at_most(
    limit: float, mean: float
) -> None:
    cost = opening.requests(Exponential(mean=mean), limit)
    assert cost >= 1.0 - 1e-9
    # One for each limit that it lasts, and the one in which it ends.
    assert cost <= 1.0 + 1.05 * mean / limit


def test_a_hold_catches_what_may_change_from_the_last_look_to_its_end() -> None:
    assert opening.gain(Exponential(mean=100.0), 90.0, 100.0, 30.0) == pytest.approx(4.0)


def test_who_is_hinted_at_reliably_is_held_after_the_others() -> None:
    law = Exponential()
    hinted = opening.gain(law, 0.0, 100.0, 30.0, 0.01)
    assert hinted == pytest.approx(opening.gain(law, 0.0, 100.0, 30.0) / 10)
