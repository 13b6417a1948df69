"""When to look again: backoff, holds, misses, completions without outputs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.looking import Observation, Output
from bridge.core.pacing import backoff, holding
from bridge.core.pacing.blanks import grace
from bridge.core.pacing.missing import Misses

NOW = datetime(2026, 11, 21, tzinfo=UTC)
luck = st.floats(0, 1, exclude_max=True)


@given(errors=st.integers(1, 10_000), luck=luck)
def test_backoff_never_makes_a_hot_loop_and_never_sleeps_beyond_a_minute(
    errors: int, luck: float
) -> None:
    assert 0.1 <= backoff.backoff(errors, luck) <= 60.0


def test_a_source_that_refuses_is_probed_after_half_a_minute_doubling_to_ten() -> None:
    assert [backoff.probe(n) for n in (1, 2, 5, 6, 1000)] == [30, 60, 480, 600, 600]


@pytest.mark.parametrize(
    ("throttles", "asked", "seconds"),
    [
        (1, None, 2.0),
        (3, None, 8.0),
        (1000, None, 900.0),
        (1, timedelta(seconds=7), 7.0),
        (1, timedelta(0), 0.0),
        (1, timedelta(days=3650), 900.0),
    ],
)
def test_a_busy_key_pauses_as_asked_and_a_quarter_of_an_hour_at_most(
    throttles: int, asked: timedelta | None, seconds: float
) -> None:
    assert backoff.pause(throttles, asked) == seconds


def test_a_hold_asks_for_the_next_rung_or_for_the_end_and_never_for_a_failure() -> None:
    rungs = [
        holding.rung(known, State.COMPLETED, terminal_only=False) for known in (-1, 0, 1)
    ]
    assert rungs == [State.QUEUED, State.DREAMING, State.COMPLETED]
    assert holding.rung(-1, State.COMPLETED, terminal_only=True) is State.COMPLETED
    assert holding.rung(-1, State.DREAMING, terminal_only=True) is State.QUEUED


def test_two_early_answers_in_a_row_end_the_holding_and_trials_become_rare() -> None:
    trust, now = holding.Trust(), 0.0

    def early() -> bool:
        return trust.returned(elapsed=0.1, limit=30.0, reached=False, now=now)

    assert trust.holds(now)
    assert not early()
    assert early()
    assert not trust.holds(now + 599)
    now = 600.0
    assert trust.holds(now)
    assert early()
    assert not trust.holds(now + 1199)
    assert trust.holds(now + 1200)


def test_a_hold_that_is_honoured_forgives_an_early_answer() -> None:
    trust = holding.Trust()
    trust.returned(elapsed=0.1, limit=30.0, reached=False, now=0.0)
    trust.returned(elapsed=30.0, limit=30.0, reached=False, now=30.0)
    assert not trust.returned(elapsed=0.1, limit=30.0, reached=False, now=31.0)


def test_a_generation_is_lost_after_three_misses_over_two_minutes_and_not_sooner() -> None:
    misses = Misses()

    def lost(now: float, age: float) -> bool:
        misses.note(now)
        return misses.lost(now, age=age, seen_before=False, gone_is_final=False)

    assert not lost(0.0, 500.0)
    assert not lost(119.0, 619.0)
    assert not lost(119.5, 619.5)
    assert lost(120.0, 620.0)
    misses.forget()
    assert not lost(1000.0, 1500.0)


def test_where_gone_is_final_the_second_miss_ends_a_generation_that_was_seen() -> None:
    misses = Misses()
    misses.note(0.0)
    misses.note(1.0)
    assert misses.lost(1.0, age=5.0, seen_before=True, gone_is_final=True)
    assert not misses.lost(1.0, age=5.0, seen_before=False, gone_is_final=True)


def observed(state: State, *outputs: str) -> Observation:
    return Observation(
        id="g",
        native_state=state.word,
        state=state,
        observed_at=NOW,
        outputs=tuple(Output(type="video", url=url) for url in outputs),
    )


def test_promised_outputs_are_waited_for_twice_and_then_no_longer() -> None:
    bare = observed(State.COMPLETED)
    assert [grace(bare, n, promised=True) for n in range(3)] == [1.0, 3.0, None]
    assert grace(bare, 0, promised=False) is None
    assert grace(observed(State.COMPLETED, "https://x/v"), 0, promised=True) is None
    assert grace(observed(State.FAILED), 0, promised=True) is None
