"""What each answer does that brings no news (DETECTION §6).

Busy, refused, trouble and rejected have tests of their own: `test_throttle`, `test_refusal`,
`test_outage`, `test_rejection`.
"""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.looking import Observation, Output
from bridge.core.news import news
from bridge.core.pacing.backoff import backoff
from bridge.core.pacing.blanks import grace
from bridge.core.pacing.missing import Misses

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ladder = st.sampled_from(State)


def completed(*urls: str) -> Observation:
    outputs = tuple(Output(type="video", url=url) for url in urls)
    return Observation(
        id="g",
        native_state="completed",
        state=State.COMPLETED,
        observed_at=NOW,
        outputs=outputs,
    )


def lost(*misses: float, age: float) -> bool:
    """Return whether misses at these seconds lose a generation of that age at the last one."""
    row = Misses()
    for moment in misses:
        row.note(moment)
    return row.lost(misses[-1], age=age, seen_before=True, gone_is_final=False)


@given(errors=st.integers(1, 100), luck=st.floats(0, 1, exclude_max=True))
def test_errors_in_a_row_wait_with_full_jitter_1_s_times_2_to_the_power_of_k_60_s_at_most(
    errors: int, luck: float
) -> None:
    span = min(60.0, 2.0 ** (errors - 1))
    assert 0.1 * span <= backoff(errors, luck) < span
    assert backoff(errors, 0.999) == pytest.approx(span, rel=0.01)


@pytest.mark.parametrize(
    ("misses", "age", "over"),
    [
        ((0.0, 60.0, 120.0), 200.0, True),
        ((0.0, 60.0, 119.0), 200.0, False),
        ((0.0, 120.0), 200.0, False),
        ((0.0, 60.0, 120.0), 60.0, False),
    ],
)
def test_missing_is_lost_by_three_in_a_row_over_two_minutes_when_older_than_one_minute(
    misses: tuple[float, ...], age: float, over: bool
) -> None:
    assert lost(*misses, age=age) is over


def test_any_seen_answer_begins_the_count_of_misses_anew() -> None:
    row = Misses()
    for moment in (0.0, 100.0):
        row.note(moment)
    row.forget()
    row.note(200.0)
    assert not row.lost(200.0, age=1000.0, seen_before=True, gone_is_final=True)


@given(known=ladder)
def test_an_unknown_word_leaves_the_rank_as_it_is(known: State) -> None:
    assert news(known, None) is None


def test_completed_without_promised_outputs_is_looked_at_after_1_and_3_seconds_then_told() -> (
    None
):
    assert [grace(completed(), blanks, promised=True) for blanks in range(4)] == [
        1.0,
        3.0,
        None,
        None,
    ]
    assert grace(completed("https://x.example/v.mp4"), 0, promised=True) is None
    assert grace(completed(), 0, promised=False) is None


@given(known=ladder, older=ladder)
def test_a_lower_rank_or_an_older_answer_that_overtakes_is_ignored(
    known: State, older: State
) -> None:
    if older <= known:
        assert news(known, older) is None
