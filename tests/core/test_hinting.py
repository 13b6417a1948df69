"""Hints bring looks forward, and how far they replace looks is learnt."""

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.pacing.hinting import PATIENCE, Hints

END, RUNG = State.COMPLETED, State.DREAMING


def told(hints: Hints, count: int, since: float = 0.0, state: State = END) -> Hints:
    """Let so many changes happen, each hinted and then looked at."""
    for number in range(count):
        at = hints.hinted(f"told {number}", since + number * 10.0, inf)
        assert at is not None
        hints.changed(f"told {number}", state, at)
    return hints


def test_a_hint_is_a_look_now_through_the_gate() -> None:
    hints = Hints(looks=10.0)
    assert hints.hinted("g", 100.0, 500.0) == 100.0


def test_a_hint_brings_a_look_forward_and_never_puts_one_off() -> None:
    assert Hints(looks=10.0).hinted("g", 100.0, 99.0) is None


def test_one_id_is_looked_at_once_a_second_however_often_it_is_hinted() -> None:
    hints = Hints(looks=1000.0)
    moments = []
    for number in range(1000):
        moments.append(hints.hinted("g", 0.01 * number, inf))
        hints.sweep(0.01 * number)
    looks = [at for at in moments if at is not None]
    assert 10 <= len(looks) <= 11
    assert min(b - a for a, b in pairwise(looks)) >= 1.0


def test_hints_take_no_more_than_20_percent_of_the_keys_looks() -> None:
    hints = Hints(looks=10.0)
    moments = [hints.hinted(f"g{n}", 0.1 * n, 0.1 * n + 900.0) for n in range(600)]
    looks = [at for at in moments if at is not None]
    for first in looks:
        assert sum(first <= at < first + 10.0 for at in looks) <= 2.0 * 10.0 + 1


def test_a_hint_that_would_come_later_than_the_look_that_is_due_takes_nothing() -> None:
    hints = Hints(looks=10.0)
    moments = [hints.hinted(f"g{n}", 0.0, 2.0) for n in range(100)]
    assert sum(at is not None for at in moments) == 4
    assert hints.hinted("h", 2.0, inf) == 2.0


def test_ten_confirmed_and_none_missed_leave_a_tenth_of_the_looks() -> None:
    assert told(Hints(looks=10.0), 9).weight(END) == 1.0
    assert told(Hints(looks=10.0), 10).weight(END) == 0.01
    assert told(Hints(looks=10.0), 10).weight(State.FAILED) == 0.01


def test_one_missed_brings_all_looks_back_and_ten_more_are_needed() -> None:
    hints = told(Hints(looks=10.0), 20)
    hints.changed("silent", END, 1000.0)
    assert not hints.sweep(1000.0 + PATIENCE)
    assert hints.weight(END) == 0.01
    assert hints.sweep(1000.1 + PATIENCE)
    assert hints.weight(END) == 1.0
    assert told(hints, 9, 2000.0).weight(END) == 1.0
    assert told(hints, 1, 3000.0).weight(END) == 0.01


def test_a_hint_that_comes_after_the_look_saw_the_change_is_not_missed() -> None:
    hints = told(Hints(looks=10.0), 9)
    hints.changed("slow", END, 1000.0)
    hints.hinted("slow", 1005.0, inf)
    assert not hints.sweep(2000.0)
    assert hints.weight(END) == 0.01


def test_hints_that_had_to_wait_for_their_turn_are_confirmed_all_the_same() -> None:
    hints = Hints(looks=1.0)
    moments = {f"g{n}": hints.hinted(f"g{n}", 0.0, inf) for n in range(12)}
    for id_, at in moments.items():
        assert at is not None
        hints.sweep(at)
        hints.changed(id_, END, at + 0.5)
    assert not hints.sweep(1000.0)
    assert hints.weight(END) == 0.01


def test_a_provider_that_hints_at_the_end_only_misses_nothing_by_silence_before() -> None:
    hints = told(Hints(looks=10.0), 10)
    hints.changed("g", RUNG, 1000.0)
    hints.sweep(2000.0)
    assert hints.weight(END) == 0.01
    assert hints.weight(RUNG) == 1.0


def test_a_hint_without_a_change_confirms_nothing() -> None:
    hints = Hints(looks=1000.0)
    for number in range(100):
        hints.hinted(f"forged {number}", 2.0 * number, inf)
    assert hints.weight(END) == 1.0


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 20), st.sampled_from("abcd"), st.booleans()), max_size=150
    )
)
def test_what_hints_remember_fades_and_they_are_relied_on_only_after_ten(
    steps: list[tuple[float, str, bool]],
) -> None:
    hints, now, changes = Hints(looks=5.0), 0.0, 0
    for wait, id_, change in steps:
        now += wait
        if change:
            changes += 1
            hints.changed(id_, END, now)
        else:
            at = hints.hinted(id_, now, inf)
            assert at is None or at >= now
        hints.sweep(now)
        assert hints.weight(END) == 1.0 or changes >= 10
    hints.sweep(now + 1000.0)
    assert (hints.heard, hints.asked, hints.awaited) == ({}, {}, {})


def test_what_a_hint_says_is_not_even_taken() -> None:
    with pytest.raises(TypeError):
        Hints(looks=10.0).hinted("g", 0.0, inf, state=END)  # type: ignore[call-arg]  # on purpose
