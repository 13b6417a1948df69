"""What a batch waits for is found out by probes that agree."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing.waiting import (
    DAILY,
    GATHERED,
    TRIAL,
    Probe,
    Waits,
    answered,
    gathered,
)

says = st.sampled_from([*Waits, None])


@pytest.mark.parametrize(
    ("elapsed", "changed", "seen_meanwhile", "shown"),
    [
        (0.4, 0, False, Waits.NONE),
        (0.4, 0, True, Waits.NONE),
        (0.4, 2, False, None),
        (12.0, 2, False, Waits.ANY),
        (12.0, 2, True, Waits.ANY),
        (12.0, 5, False, None),
        (12.0, 0, False, None),
        (30.0, 0, True, Waits.ALL),
        (30.0, 2, True, Waits.ALL),
        (30.0, 0, False, None),
    ],
)
def test_back_at_once_means_none_early_with_some_changed_any_at_the_limit_despite_a_change_all(
    elapsed: float, changed: int, seen_meanwhile: bool, shown: Waits | None
) -> None:
    answer = answered(
        asked=5, changed=changed, elapsed=elapsed, limit=30.0, seen_meanwhile=seen_meanwhile
    )
    assert answer is shown


def probed(*said: Waits | None) -> Probe:
    probe, now = Probe(), 0.0
    for one in said:
        probe.began()
        probe.ended(one, now)
        now += 60.0
    return probe


def test_batches_are_plain_until_it_is_known_what_they_wait_for() -> None:
    assert not Probe().held


@pytest.mark.parametrize(
    ("waits", "held"), [(Waits.NONE, False), (Waits.ANY, True), (Waits.ALL, False)]
)
def test_three_agreeing_answers_decide_and_only_any_is_held(
    waits: Waits, held: bool
) -> None:
    probe = probed(waits, waits)
    assert probe.known is None
    assert probe.ended(waits, 200.0)
    assert probe.known is waits
    assert probe.held is held


def test_an_answer_that_shows_nothing_neither_counts_nor_contradicts() -> None:
    assert probed(Waits.ANY, None, Waits.ANY, None, Waits.ANY).known is Waits.ANY


@given(said=st.lists(says, max_size=60))
def test_a_probe_never_decides_on_two_agreeing_answers(said: list[Waits | None]) -> None:
    probe, before = Probe(), None
    told: list[Waits] = []
    for number, one in enumerate(said):
        probe.began()
        if one is not None:
            told.append(one)
        anew = probe.ended(one, float(number))
        if anew:
            assert one is probe.known is not before
            assert told[-3:] == [one] * 3
            before = one
        assert probe.known is before


def test_it_probes_while_the_key_is_idle_one_at_a_time() -> None:
    probe = Probe()
    assert probe.due(0.0, idle=True)
    assert not probe.due(0.0, idle=False)
    probe.began()
    assert not probe.due(100.0, idle=True)
    probe.ended(None, 100.0)
    assert not probe.due(101.0, idle=True)
    assert probe.due(110.0, idle=True)


def test_what_is_known_is_asked_daily_again_and_stands_until_three_say_otherwise() -> None:
    probe = probed(Waits.ANY, Waits.ANY, Waits.ANY)
    assert not probe.due(120.0 + DAILY - 1.0, idle=True)
    assert probe.due(120.0 + DAILY, idle=True)
    verdicts = []
    for second in range(3):
        verdicts.append(probe.held)
        probe.ended(Waits.NONE, 2 * DAILY + 60.0 * second)
    assert verdicts == [True, True, True]
    assert not probe.held


def test_two_held_batches_in_a_row_without_news_undo_what_was_known_for_ten_minutes() -> (
    None
):
    probe = probed(Waits.ANY, Waits.ANY, Waits.ANY)
    assert not probe.used(200.0, early=True)
    assert not probe.used(201.0, early=False)
    assert not probe.used(202.0, early=True)
    assert probe.used(203.0, early=True)
    assert (probe.held, probe.word) == (False, "unknown")
    assert not probe.due(203.0 + TRIAL - 1.0, idle=True)
    assert probe.due(203.0 + TRIAL, idle=True)


@given(at=st.floats(0, 1e7))
def test_who_waits_together_begins_together_and_within_a_second(at: float) -> None:
    assert at <= gathered(at) <= at + GATHERED
    assert gathered(gathered(at)) == gathered(at)


def test_agreeing_probes_follow_each_other_without_haste() -> None:
    probe, moments, now = Probe(), [], 0.0
    while probe.known is None:
        while not probe.due(now, idle=True):
            now += 1.0
        moments.append(now)
        probe.began()
        probe.ended(Waits.NONE, now)
    assert min(b - a for a, b in pairwise(moments)) >= 10.0
