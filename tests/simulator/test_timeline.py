import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.simulator.timeline import Timeline, failing
from bridge.simulator.words import ENDS, RUNGS

WALK = Timeline.of((("queued", 1.0), ("dreaming", 2.0), ("completed", None)))


@pytest.mark.parametrize(
    ("age", "word"),
    [
        (-0.1, "queued"),
        (0.0, "queued"),
        (0.999, "queued"),
        (1.0, "dreaming"),
        (2.999, "dreaming"),
        (3.0, "completed"),
        (1e9, "completed"),
    ],
)
def test_a_state_begins_when_those_before_it_have_lasted(age: float, word: str) -> None:
    assert WALK.at(age).word == word


@pytest.mark.parametrize(
    ("age", "word"), [(0.5, "queued"), (1.5, "queued"), (9, "dreaming")]
)
def test_a_stale_replica_says_what_was_before_the_last_transition(
    age: float, word: str
) -> None:
    assert WALK.before(age).word == word


def test_a_rank_is_reached_with_the_first_state_that_has_it_or_more() -> None:
    failed = Timeline.of((("queued", 1.0), ("failed", None)))
    assert [WALK.reaches(rank) for rank in range(4)] == [0.0, 1.0, 3.0, math.inf]
    assert [failed.reaches(rank) for rank in range(4)] == [0.0, 1.0, 1.0, 1.0]


def test_a_state_of_no_length_is_never_seen() -> None:
    timeline = Timeline.of((("queued", 0.0), ("dreaming", 0.0), ("completed", None)))
    assert timeline.at(0.0).word == "completed"


def test_a_word_that_is_no_state_fills_the_second_half_before_the_end() -> None:
    odd = WALK.with_word("upscaling")
    assert [odd.at(age).word for age in (1.5, 2.0, 2.9, 3.0)] == [
        "dreaming",
        "upscaling",
        "upscaling",
        "completed",
    ]
    assert odd.at(2.5).rank == State.DREAMING


def test_a_timeline_of_one_state_has_no_room_for_another_word() -> None:
    only = Timeline.of((("completed", None),))
    assert only.with_word("upscaling") == only


@pytest.mark.parametrize(
    "script",
    [
        (),
        (("queued", None), ("completed", None)),
        (("queued", -1.0), ("completed", None)),
        (("queued", math.nan), ("completed", None)),
    ],
)
def test_a_script_that_cannot_be_walked_through_is_refused(
    script: tuple[tuple[str, float | None], ...],
) -> None:
    with pytest.raises(ValueError, match="state"):
        Timeline.of(script)


def test_a_failing_script_differs_only_in_its_end() -> None:
    assert failing((("queued", 1.0), ("completed", None))) == (
        ("queued", 1.0),
        ("failed", None),
    )


SCRIPTS = st.lists(
    st.tuples(st.sampled_from([*RUNGS, *ENDS]), st.floats(0, 1e6)), min_size=1, max_size=8
)


@given(SCRIPTS, st.floats(0, 1e7))
def test_the_state_at_an_age_is_the_last_that_has_begun(
    script: list[tuple[str, float]], age: float
) -> None:
    timeline = Timeline.of(script)
    step = timeline.at(age)
    assert step.starts <= age
    assert all(other.starts > age for other in timeline.steps if other.starts > step.starts)
    assert timeline.before(age).starts <= step.starts
