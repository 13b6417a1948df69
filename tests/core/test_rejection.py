"""A way of asking that is rejected is left alone."""

from bridge.core.pacing.mode import Mode
from bridge.core.pacing.rejection import Rejections


def test_three_rejections_on_batch_or_list_switch_that_mode_off_for_10_minutes() -> None:
    ways = Rejections()
    assert [ways.rejected(Mode.BATCH, now) for now in (0.0, 1.0, 2.0)] == [
        False,
        False,
        True,
    ]
    assert ways.off(Mode.BATCH, 601.0)
    assert not ways.off(Mode.BATCH, 602.0)
    assert not ways.off(Mode.LIST, 3.0)


def test_an_answer_begins_the_count_anew_and_what_was_on_its_way_says_no_more() -> None:
    ways = Rejections()
    for _ in range(5):
        ways.rejected(Mode.LIST, 0.0)
        assert not ways.rejected(Mode.LIST, 0.0)
        ways.answered(Mode.LIST)
    for _ in range(3):
        ways.rejected(Mode.LIST, 1.0)
    assert not any(ways.rejected(Mode.LIST, 2.0) for _ in range(10))
    assert not ways.off(Mode.LIST, 601.0)


def test_after_its_time_three_more_are_needed() -> None:
    ways = Rejections()
    for now in (0.0, 1.0, 2.0):
        ways.rejected(Mode.BATCH, now)
    assert not ways.rejected(Mode.BATCH, 700.0)
    assert not ways.off(Mode.BATCH, 700.0)
