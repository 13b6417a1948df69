"""What keys and connections suffice for, and what is said where they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing import capacity, connections
from bridge.core.pacing.capacity import Saturation
from bridge.core.pacing.flow import Flow


def test_a_list_keeps_up_with_a_page_for_each_request() -> None:
    assert capacity.by_lists(10.0, 100, 1000.0)
    assert not capacity.by_lists(10.0, 100, 1001.0)


def test_a_key_is_saturated_after_60_seconds_at_the_highest_price() -> None:
    key = Saturation()
    for second in range(60):
        key.note(float(second), at_cap=True)
        assert not key.lasts(float(second))
    assert key.lasts(60.0)
    key.note(61.0, at_cap=False)
    assert not key.lasts(61.0)
    key.note(62.0, at_cap=True)
    assert not key.lasts(121.0)


def test_what_a_saturated_key_needs_is_said_in_one_sentence() -> None:
    changes = 17.1 * 0.9
    assert capacity.missing(changes, 10.0) == pytest.approx(7.1)
    assert capacity.plight("aiml", changes, 10.0) == (
        "aiml needs 17.1 looks/s, may make 10: 7.1 more, a batch endpoint, or 2 keys"
    )


def test_nobody_is_told_to_use_batches_who_does() -> None:
    said = capacity.plight("aiml", 17.1 * 45, 10.0, 50)
    assert said == "aiml needs 17.1 looks/s, may make 10: 7.1 more, or 2 keys"


def test_a_key_that_is_behind_and_has_enough_is_said_to_catch_up() -> None:
    assert capacity.missing(1.0, 10.0) < 0.0
    assert "catches up" in capacity.plight("aiml", 1.0, 10.0)


@pytest.mark.parametrize(
    ("of", "holds"), [(200, 180), (10, 8), (21, 18), (3, 1), (2, 0), (1, 0), (1000, 900)]
)
def test_holds_leave_two_or_a_tenth_of_the_connections(of: int, holds: int) -> None:
    assert connections.holds(of) == holds


def test_all_sources_have_10000_connections_and_three_quarters_of_the_descriptors() -> None:
    assert connections.most(None) == 10_000
    assert connections.most(1_048_576) == 10_000
    assert connections.most(1024) == 768


@given(
    wanted=st.dictionaries(st.text(max_size=3), st.integers(1, 5000), max_size=12),
    limit=st.integers(1, 10_000),
)
def test_connections_are_shared_so_that_who_wants_little_gets_it(
    wanted: dict[str, int], limit: int
) -> None:
    given_ = connections.shared(wanted, limit)
    assert given_.keys() == wanted.keys()
    assert sum(given_.values()) <= max(limit, len(wanted))
    for name, number in wanted.items():
        assert 1 <= given_[name] <= number
        if given_[name] < number:
            assert given_[name] >= max(given_.values()) - 1


def test_a_flow_is_what_happens_a_second_over_the_last_minutes() -> None:
    flow = Flow()
    for second in range(3600):
        flow.note(float(second), 2)
    assert flow.a_second(3599.0) == pytest.approx(2.0, rel=0.01)
    assert flow.a_second(3599.0 + 300.0) == pytest.approx(2.0 / 2.718, rel=0.01)


def test_a_crowd_that_comes_at_once_weighs_as_over_five_minutes() -> None:
    flow = Flow()
    flow.note(1000.0, 300)
    assert flow.a_second(1000.0) == 1.0


def test_a_flow_that_was_counted_for_five_minutes_is_told_as_it_is_and_not_before() -> None:
    flow = Flow()
    assert flow.counted(0.0) is None
    for second in range(301):
        flow.note(float(second), 4)
    assert flow.counted(299.0) is None
    assert flow.counted(300.0) == pytest.approx(4.0, rel=0.02)
    assert flow.a_second(300.0) < 2.6
