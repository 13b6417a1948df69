"""What is news, and when a watch is over."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ladder import UNSEEN, State, skipped, word
from bridge.core.news import ending, news, satisfied

ranks = st.integers(UNSEEN, 3)
states = st.sampled_from(State)


@given(known=ranks, seen=st.none() | states)
def test_only_a_higher_rank_is_news_and_nothing_is_after_the_end(
    known: int, seen: State | None
) -> None:
    found = news(known, seen)
    expected = seen is not None and known < State.COMPLETED and seen > known
    assert (found is not None) == expected
    assert found is None or found.state is seen


@given(st.lists(st.none() | states))
def test_whatever_the_order_of_answers_a_generation_only_climbs_and_ends_once(
    seen: list[State | None],
) -> None:
    known, told = UNSEEN, []
    for state in seen:
        found = news(known, state)
        if found is not None:
            known = found.state
            told.append(found.state)
    assert told == sorted(set(told))
    assert sum(state.terminal for state in told) <= 1


@given(st.lists(states, min_size=1))
def test_told_and_skipped_states_together_are_all_rungs_up_to_the_last_told(
    seen: list[State],
) -> None:
    known, named = UNSEEN, set()
    for state in seen:
        found = news(known, state)
        if found is not None:
            named |= {*found.skipped, found.state}
            known = found.state
    expected = {state for state in State if state <= known}
    assert named == expected - ({State.COMPLETED} if known == State.FAILED else set())


def test_a_generation_that_failed_has_not_skipped_its_completion() -> None:
    assert skipped(UNSEEN, State.FAILED) == (State.QUEUED, State.DREAMING)


def test_a_watch_ends_at_the_first_state_that_is_high_enough_whatever_it_is() -> None:
    assert not satisfied(State.DREAMING, State.QUEUED)
    assert satisfied(State.DREAMING, State.DREAMING)
    assert satisfied(State.DREAMING, State.FAILED)
    assert ending(State.COMPLETED, State.DREAMING) is None
    assert ending(State.COMPLETED, State.FAILED) == "failed"


def test_processing_is_an_alias_of_dreaming() -> None:
    assert State.of("processing") is State.of("dreaming") is State.DREAMING
    assert [word(rank) for rank in range(-1, 4)] == [
        None,
        "queued",
        "dreaming",
        "completed",
        "failed",
    ]
