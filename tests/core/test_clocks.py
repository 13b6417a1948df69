"""What other clocks, and jumps of our own, mean for ages and waits."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing.offset import Offset
from bridge.core.pacing.turning import Clocks, Turn

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TEN_YEARS = 3650 * 86_400.0


def dated(offset: Offset, ahead: float, now: datetime = NOW) -> None:
    """Note an answer of a provider whose clock is so many seconds ahead."""
    theirs = now + timedelta(seconds=ahead)
    date = format_datetime(theirs.replace(microsecond=0), usegmt=True)
    offset.note({"date": date}, now - timedelta(seconds=0.1), now + timedelta(seconds=0.1))


@pytest.mark.parametrize("ahead", [-3600.0, -0.4, 0.0, 7.3, 3600.0])
def test_the_date_of_answers_shows_a_providers_clock_to_half_a_second(ahead: float) -> None:
    offset = Offset()
    for _ in range(3):
        dated(offset, ahead)
    assert offset.seconds == pytest.approx(ahead, abs=0.5)


def test_a_slow_answer_is_taken_as_dated_in_the_middle_of_its_way() -> None:
    offset = Offset()
    date = format_datetime(NOW, usegmt=True)
    offset.note({"date": date}, NOW - timedelta(seconds=20), NOW)
    assert offset.seconds == 10.5


def test_the_age_of_a_generation_counts_from_its_creation_less_the_providers_offset() -> (
    None
):
    offset = Offset()
    dated(offset, 100.0)
    created = NOW + timedelta(seconds=60)  # by their clock
    assert offset.age(created, NOW) == pytest.approx(40.0, abs=0.5)
    assert offset.age(NOW + timedelta(days=1), NOW) == 0.0


def test_an_answer_from_a_cache_changes_nothing() -> None:
    offset = Offset()
    for ahead in (5.0, 5.0, -40_000.0, 5.0, 5.0):
        dated(offset, ahead)
    assert offset.seconds == pytest.approx(5.0, abs=0.5)


@pytest.mark.parametrize("date", [None, "", "soon", "Mon, 01 Jan 1990 00:00:00 GMT"])
def test_a_date_that_is_none_or_days_away_is_ignored(date: str | None) -> None:
    offset = Offset()
    offset.note({} if date is None else {"date": date}, NOW, NOW)
    assert offset.seconds == 0.0


def test_offsets_are_learnt_anew_after_our_own_clock_was_set() -> None:
    offset = Offset()
    dated(offset, 1000.0)
    offset.forget()
    assert offset.seconds == 0.0


@pytest.mark.parametrize("jump", [-TEN_YEARS, -5.1, 5.1, TEN_YEARS])
def test_a_wall_clock_that_jumps_by_more_than_5_seconds_was_set(jump: float) -> None:
    clocks = Clocks(wall=1e9, boot=500.0, running=400.0)
    turn, by = clocks.note(1e9 + 10.0 + jump, 510.0, 410.0)
    assert turn is Turn.SET
    assert by == pytest.approx(jump, abs=0.01)
    assert clocks.note(1e9 + 20.0 + jump, 520.0, 420.0) == (Turn.NOTHING, 0.0)


def test_a_clock_that_is_nudged_says_nothing() -> None:
    assert Clocks(wall=1e9, boot=0.0, running=0.0).note(1e9 + 12.0, 10.0, 10.0) == (
        Turn.NOTHING,
        0.0,
    )


def test_waking_from_suspend_is_like_a_start() -> None:
    clocks = Clocks(wall=1e9, boot=500.0, running=400.0)
    assert clocks.note(1e9 + 3610.0, 4110.0, 410.0) == (Turn.WOKEN, 3600.0)


@given(passes=st.lists(st.floats(0, 1e6), max_size=50), drift=st.floats(-4.9e-6, 4.9e-6))
def test_however_long_a_note_is_put_off_nothing_has_happened(
    passes: list[float], drift: float
) -> None:
    clocks, wall, running = Clocks(wall=0.0, boot=0.0, running=0.0), 0.0, 0.0
    for span in passes:
        wall, running = wall + span * (1.0 + drift), running + span
        assert clocks.note(wall, running, running)[0] is Turn.NOTHING
