"""How a source is looked at: the least predicted delay wins, and rarely changes."""

from dataclasses import replace
from itertools import pairwise
from math import inf, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing.mode import Chooser, Load, Means, Mode, Offer, offers

HOLDING = Means(rate=9.0, looks=24, hold=30.0, holds=180)


def load(
    watching: int,
    *,
    lasts: float = 60.0,
    changes: float | None = None,
    ripe: int | None = None,
) -> Load:
    """Return the load of watches without memory; changes are as many as that makes."""
    flow = watching / lasts if changes is None else changes
    return Load(
        watching=watching,
        ripe=watching if ripe is None else ripe,
        changes=flow,
        held_starts=1.5 * flow,
        roots=watching / sqrt(lasts),
        hazards=watching / lasts,
        integral=sqrt(lasts),
    )


def offer(mode: Mode, load: Load, means: Means) -> Offer:
    return next(one for one in offers(load, means) if one.mode is mode)


def best(load: Load, means: Means) -> Mode:
    chooser = Chooser()
    chooser.judge(offers(load, means), 0.0)
    return chooser.mode


# ---------------------------------------------------------------- each row of the table


def test_hold_all_is_possible_while_its_holds_fit_the_rate_and_the_connections() -> None:
    assert offer(Mode.HOLD_ALL, load(100), HOLDING).delay == 0.0
    assert best(load(100), HOLDING) is Mode.HOLD_ALL
    assert offer(Mode.HOLD_ALL, load(181), HOLDING).delay == inf, "connections"
    assert offer(Mode.HOLD_ALL, load(100, changes=7.0), HOLDING).delay == inf, "changes"
    wide = replace(HOLDING, holds=9000)
    assert offer(Mode.HOLD_ALL, load(270, changes=0.1), wide).delay == 0.0
    assert offer(Mode.HOLD_ALL, load(271, changes=0.1), wide).delay == inf, "holds that end"


def test_300_of_which_232_are_open_are_all_held_with_10_requests_a_second() -> None:
    wide = replace(HOLDING, holds=270)
    assert best(load(300, lasts=65.0, ripe=232), wide) is Mode.HOLD_ALL


def test_hold_some_delays_as_plain_looks_do_the_share_that_is_not_held() -> None:
    many = load(400, lasts=600.0)
    some, plain = (offer(mode, many, HOLDING) for mode in (Mode.HOLD_SOME, Mode.PLAIN))
    assert 0 < some.holds <= 180
    assert 0.0 < some.delay < plain.delay
    assert best(many, HOLDING) is Mode.HOLD_SOME


def test_what_holds_leave_of_the_rate_is_for_the_others() -> None:
    many = load(400, lasts=600.0)
    some = offer(Mode.HOLD_SOME, many, HOLDING)
    # 135 holds of half a minute take half of the 9 requests a second.
    assert some.holds == 135
    share, rest = 265 / 400, 4.5
    price = share * many.roots / (rest - share * many.hazards / 2)
    assert some.delay == pytest.approx(share * price * many.integral / 2)


def test_held_batches_make_room_for_all_their_ids() -> None:
    means = replace(HOLDING, holds=2, held_ids=50, batch=50)
    some = offer(Mode.HOLD_SOME, load(400, lasts=600.0), means)
    assert some.holds == 100
    # A change ends the hold of all that wait with it: 9.1 changes a second are too many.
    assert offer(Mode.HOLD_ALL, replace(load(50), held_starts=8.9), means).delay == 0.0
    assert offer(Mode.HOLD_ALL, replace(load(50), held_starts=9.1), means).delay == inf
    assert offer(Mode.HOLD_ALL, replace(load(101), held_starts=1.0), means).delay == inf


def test_a_provider_that_must_not_be_asked_often_is_seen_half_its_floor_late() -> None:
    means = Means(rate=9.0, looks=24, floor=10.0)
    assert offer(Mode.PLAIN, load(1), means).delay == 5.0


def test_only_who_holds_is_asked_to() -> None:
    made = {one.mode: one for one in offers(load(10), Means(rate=9.0, looks=24))}
    assert made[Mode.HOLD_ALL].barred
    assert made[Mode.HOLD_SOME].barred
    assert "does not hold" in made[Mode.HOLD_ALL].why


def test_batches_delay_by_s_times_i_by_2_with_b_times_the_looks() -> None:
    means = Means(rate=9.0, looks=10_000, batch=50)
    crowd = load(10_000)
    batch, plain = (offer(mode, crowd, means) for mode in (Mode.BATCH, Mode.PLAIN))
    # 10,000 ids at 450 a second are each looked at every 22 s or so.
    assert batch.delay == pytest.approx(10_000 / 450 / 2, rel=0.3)
    assert plain.delay > 40 * batch.delay
    assert best(crowd, means) is Mode.BATCH


def test_only_a_provider_with_batches_gets_any() -> None:
    assert offer(Mode.BATCH, load(10), Means(rate=9.0, looks=24)).barred


def test_a_list_delays_by_half_a_round_and_must_cover_half_of_the_watches() -> None:
    means = Means(rate=9.0, looks=10_000, page=100, pages=18, covered=1.0)
    assert offer(Mode.LIST, load(1000), means).delay == pytest.approx(1.0)
    assert offer(Mode.LIST, load(1000), means).every == pytest.approx(2.0)
    assert best(load(1000), means) is Mode.LIST
    assert offer(Mode.LIST, load(1000), replace(means, covered=0.49)).barred
    assert offer(Mode.LIST, load(1000), replace(means, pages=None)).barred
    assert offer(Mode.LIST, load(1000), replace(means, page=None)).barred


def test_what_a_list_does_not_cover_is_looked_at_with_half_of_the_rate() -> None:
    means = Means(rate=9.0, looks=10_000, page=100, pages=18, covered=0.8)
    whole = offer(Mode.LIST, load(1000), replace(means, covered=1.0))
    part = offer(Mode.LIST, load(1000), means)
    assert part.every == 2 * whole.every == 4.0
    others = load(200)
    price = others.roots / (4.5 - others.hazards / 2)
    assert part.delay == pytest.approx(0.8 * 2.0 + 0.2 * price * others.integral / 2)


def test_a_list_that_cannot_keep_up_with_all_that_is_made_falls_behind() -> None:
    means = Means(rate=9.0, looks=24, page=100, pages=18, covered=1.0)
    busy = replace(load(1000), births=901.0)
    assert offer(Mode.LIST, busy, means).delay == inf


def test_an_idle_key_is_not_burnt_for_looks_that_its_source_does_not_ask_for() -> None:
    means = Means(rate=9.0, looks=24, batch=50, page=100, pages=1, covered=1.0)
    few = {one.mode: one.delay for one in offers(load(1), means)}
    assert few[Mode.PLAIN] == few[Mode.BATCH] == few[Mode.LIST]
    assert few[Mode.PLAIN] == pytest.approx(60.0 / 23.5 / 2)


def test_a_batch_that_waits_for_any_of_its_ids_holds_all_with_few_connections() -> None:
    means = replace(HOLDING, holds=30, held_ids=50, batch=50)
    assert best(load(1000, changes=2.0), means) is Mode.HOLD_ALL
    assert best(load(1000, changes=2.0), replace(means, held_ids=1)) is not Mode.HOLD_ALL


def test_a_mode_that_is_switched_off_says_why_and_is_not_chosen() -> None:
    off = {Mode.HOLD_ALL: "it does not hold what it says", Mode.HOLD_SOME: "the same"}
    made = offers(load(10), HOLDING, off)
    assert made[0] == Offer(mode=Mode.HOLD_ALL, why=off[Mode.HOLD_ALL], barred=True)
    chooser = Chooser()
    chooser.judge(made, 0.0)
    assert chooser.mode is Mode.PLAIN


def test_the_reason_is_in_words_with_what_was_weighed() -> None:
    chooser = Chooser()
    chooser.judge(offers(load(100), HOLDING), 0.0)
    assert chooser.why == (
        "holding 100 takes 3.33 of 9 requests/s and has room for 180: "
        "0 s late, by hold some 0 s"
    )


# ---------------------------------------------------------------- the choice


def made(**delays: float) -> list[Offer]:
    """Return offers of so many seconds, by the modes' names; -1: barred."""
    return [
        Offer(mode=Mode[name], delay=inf if s < 0 else s, why=name, barred=s < 0)
        for name, s in delays.items()
    ]


def chosen(mode: Mode, at: float = 0.0) -> Chooser:
    chooser = Chooser()
    chooser.judge([Offer(mode=mode, delay=1.0, why="")], at)
    return chooser


def test_every_10_seconds_the_least_predicted_delay_wins() -> None:
    chooser = Chooser()
    assert chooser.due(0.0)
    chooser.judge(made(PLAIN=3.0, BATCH=1.0), 0.0)
    assert chooser.mode is Mode.BATCH
    assert not chooser.due(9.9)
    assert chooser.due(10.0)


def test_a_mode_is_switched_only_for_less_than_0_7_of_its_delay() -> None:
    chooser = chosen(Mode.PLAIN)
    assert not chooser.judge(made(PLAIN=1.0, BATCH=0.71), 100.0)
    assert chooser.judge(made(PLAIN=1.0, BATCH=0.69), 110.0)
    assert chooser.mode is Mode.BATCH


def test_who_is_behind_switches_for_any_gain() -> None:
    assert chosen(Mode.PLAIN).judge(made(PLAIN=1.0, BATCH=0.9), 100.0, behind=True)
    assert not chosen(Mode.PLAIN).judge(made(PLAIN=1.0, BATCH=1.1), 100.0, behind=True)
    assert chosen(Mode.HOLD_ALL).judge(made(HOLD_ALL=inf, PLAIN=100.0), 100.0)


def test_a_mode_is_switched_at_most_once_a_minute() -> None:
    chooser = chosen(Mode.PLAIN)
    assert chooser.judge(made(PLAIN=1.0, BATCH=0.1), 100.0)
    assert not chooser.judge(made(PLAIN=0.1, BATCH=1.0), 159.0)
    assert chooser.judge(made(PLAIN=0.1, BATCH=1.0), 160.0)


def test_the_first_choice_is_no_switch() -> None:
    chooser = Chooser()
    chooser.judge(made(PLAIN=1.0, BATCH=0.5), 0.0)
    assert chooser.judge(made(PLAIN=0.1, BATCH=0.5), 10.0)


def test_a_mode_that_cannot_be_had_any_more_is_left_at_once() -> None:
    chooser = chosen(Mode.PLAIN)
    chooser.judge(made(PLAIN=1.0, BATCH=0.1), 100.0)
    assert chooser.judge(made(PLAIN=1.0, BATCH=-1.0), 101.0)
    assert chooser.mode is Mode.PLAIN
    assert not chooser.judge(made(PLAIN=1.0, BATCH=0.1), 160.0), "that was a switch, too"


seconds = st.one_of(st.just(inf), st.floats(0, 1000))


@given(
    rounds=st.lists(
        st.tuples(
            st.floats(0, 40),
            st.fixed_dictionaries({mode.name: seconds for mode in Mode}),
            st.booleans(),
        ),
        max_size=120,
    )
)
def test_no_load_makes_two_switches_in_a_minute(
    rounds: list[tuple[float, dict[str, float], bool]],
) -> None:
    chooser, now, switched = Chooser(), 0.0, []
    for number, (wait, delays, behind) in enumerate(rounds):
        now += wait
        before = chooser.mode
        anew = chooser.judge(made(**delays), now, behind=behind)
        assert anew == (chooser.mode is not before)
        if anew and number:
            switched.append(now)
            assert delays[chooser.mode.name] == min(delays.values())
    assert all(b - a >= 60.0 for a, b in pairwise(switched))


@given(
    watching=st.integers(0, 100_000),
    lasts=st.floats(0.1, 90_000),
    rate=st.floats(0.01, 1000),
    hold=st.one_of(st.none(), st.floats(5, 120)),
    batch=st.integers(1, 100),
    holds=st.integers(0, 10_000),
)
def test_whatever_the_load_something_is_chosen_that_can_be_had(
    *, watching: int, lasts: float, rate: float, hold: float | None, batch: int, holds: int
) -> None:
    means = Means(rate=rate, looks=24, hold=hold, batch=batch, holds=holds)
    made = offers(load(watching, lasts=lasts), means)
    chooser = Chooser()
    chooser.judge(made, 0.0)
    least = min(one.delay for one in made if not one.barred)
    assert chooser.chosen is not None
    assert not chooser.chosen.barred
    assert 0.0 <= chooser.chosen.delay == least < inf
    assert chooser.chosen.holds <= max(holds, 0)
