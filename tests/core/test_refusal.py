"""What a refused key does to a source, and what it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing.refusal import Refusal, Whose


def refused(now: float = 0.0) -> Refusal:
    key = Refusal()
    assert key.told("g", now - 0.1, now) is Whose.KEY
    return key


def test_a_refusal_pauses_the_source_and_probes_after_30_seconds_doubling_to_10_minutes() -> (
    None
):
    key, now, waits = refused(), 0.0, []
    for _ in range(7):
        at = key.opens(now)
        assert at is not None
        waits.append(at - now)
        key.began()
        assert key.opens(at) is None
        now = at + 1.0
        assert key.told("g", at, now) is Whose.KEY
    assert waits == [30.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0]


def test_a_crowd_of_refusals_is_one_reason_to_pause() -> None:
    key = refused()
    for number in range(50):
        assert key.told(f"g{number}", -0.05, 0.2) is Whose.KEY
    assert key.opens(1.0) == 30.0


def test_one_probe_is_on_its_way_at_a_time_whatever_comes_late() -> None:
    key = refused()
    key.began()
    key.told("late", -0.05, 30.5)
    assert key.opens(31.0) is None
    key.unanswered()
    assert key.opens(31.0) == 31.0


def test_an_answer_makes_the_key_good_again() -> None:
    key = refused()
    key.began()
    assert key.answered(["g"], 30.0, 30.2)
    assert key.opens(31.0) == 31.0
    assert not key.refused


def test_what_was_asked_before_the_refusal_says_nothing_of_the_key_when_it_is_answered() -> (
    None
):
    key = refused()
    assert not key.answered(["other"], -5.0, 1.0)
    assert key.refused


def test_a_new_key_at_reload_is_tried_at_once() -> None:
    key = refused()
    key.began()
    key.renewed(3.0)
    assert key.opens(3.0) == 3.0
    assert key.told("late", 1.0, 4.0) is Whose.KEY
    assert key.opens(4.0) == 4.0, "it was refused with the old key"


def test_a_403_on_one_id_while_others_succeed_concerns_that_id_alone() -> None:
    key, now = Refusal(), 0.0
    for _ in range(100):
        now += 1.0
        key.answered(["good"], now, now)
        assert key.told("bad", now, now + 0.1) is Whose.ONE
        assert key.opens(now + 0.2) == now + 0.2


def test_an_id_that_is_refused_twice_is_one_witness() -> None:
    key = Refusal()
    key.answered(["good"], 0.0, 0.1)
    assert [key.told("bad", now, now + 0.1) for now in (1.0, 2.0, 3.0)] == [Whose.ONE] * 3


def test_a_key_that_is_refused_for_two_ids_in_a_row_is_refused() -> None:
    key = Refusal()
    key.answered(["a", "b"], 0.0, 0.1)
    assert key.told("a", 1.0, 1.1) is Whose.ONE
    assert key.told("b", 2.0, 2.1) is Whose.KEY
    assert key.opens(2.2) == pytest.approx(32.1)


def test_ids_that_were_refused_alone_say_nothing_of_the_key_any_more() -> None:
    key = Refusal()
    for number in range(10):
        key.answered(["good"], number, number)
        assert key.told(f"bad {number}", number, number + 0.1) is Whose.ONE
    key.answered(["good"], 10.0, 10.1)
    assert [key.told(f"bad {number}", 11.0, 11.1) for number in range(10)] == [
        Whose.ONE
    ] * 10
    key.forget("bad 0")
    key.forget("bad 1")
    assert key.told("bad 0", 12.0, 12.1) is Whose.ONE
    assert key.told("bad 1", 13.0, 13.1) is Whose.KEY


def test_an_id_that_is_answered_after_all_is_a_witness_again() -> None:
    key = Refusal()
    key.answered(["good"], 0.0, 0.1)
    key.told("bad", 1.0, 1.1)
    key.answered(["good"], 2.0, 2.1)
    key.answered(["bad"], 3.0, 3.1)
    key.told("good", 4.0, 4.1)
    assert key.told("bad", 5.0, 5.1) is Whose.KEY


def test_answers_of_long_ago_do_not_speak_for_the_key() -> None:
    key = Refusal()
    key.answered(["other"], 0.0, 0.1)
    assert key.told("g", 100.0, 100.1) is Whose.KEY


def test_a_refused_batch_or_list_concerns_the_key() -> None:
    key = Refusal()
    key.answered(["g"], 0.0, 0.1)
    assert key.told(None, 1.0, 1.1) is Whose.KEY


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 100), st.booleans(), st.sampled_from("abc")), max_size=80
    )
)
def test_no_refusal_shuts_a_source_for_longer_than_10_minutes(
    steps: list[tuple[float, bool, str]],
) -> None:
    key, now = Refusal(), 0.0
    for wait, refusal, one in steps:
        now = max(now + wait, key.opens(now) or now)
        key.began()
        if refusal:
            key.told(one, now, now)
        else:
            key.answered([one], now, now)
            assert not key.refused or now <= key.struck_at
        opens = key.opens(now)
        assert opens is not None
        assert opens <= now + 600.0
