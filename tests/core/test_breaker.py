"""When a webhook's breaker opens, what it lets through meanwhile, and when it closes."""

from dataclasses import replace
from datetime import timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.delivering.breaker import (
    ACCEPTED,
    Circuit,
    Window,
    accepted,
    ended,
    failed,
    milestone,
    noted,
    pause,
    recalled,
)
from bridge.core.delivering.standing import Breaker
from bridge.core.delivering.trouble import Blame

DAYS_5 = timedelta(days=5)


def fail(
    circuit: Circuit,
    delivery: int = 1,
    *,
    blame: Blame = Blame.RECEIVER,
    generation: int | None = None,
    probe: bool = False,
    window: Window = (),
    now: float = 0.0,
    unreached: bool = False,
) -> Circuit:
    return failed(
        circuit,
        blame=blame,
        delivery=delivery,
        generation=delivery if generation is None else generation,
        probe=probe,
        window=window,
        now=now,
        unreached=unreached,
    )


def failing(count: int, *, deliveries: int = 2) -> Circuit:
    circuit = Circuit()
    for number in range(count):
        circuit = fail(circuit, number % deliveries)
    return circuit


def test_ten_failures_in_a_row_of_two_deliveries_open_it() -> None:
    assert not failing(9).open
    assert failing(10).open
    assert failing(10).word is Breaker.OPEN


def test_one_delivery_alone_never_opens_it() -> None:
    assert not failing(19, deliveries=1).open


def test_an_accepted_delivery_begins_the_count_anew() -> None:
    circuit = accepted(failing(9))
    assert not fail(circuit).open
    assert circuit.since is None


@pytest.mark.parametrize(
    ("attempts", "failures", "opens"),
    [(20, 14, True), (20, 13, False), (19, 19, False), (100, 70, True), (100, 69, False)],
)
def test_seventy_percent_of_twenty_attempts_in_a_minute_open_it(
    attempts: int, failures: int, opens: bool
) -> None:
    window: Window = ()
    for number in range(attempts):
        window = noted(window, number * 59.0 / attempts, failure=number < failures)
    assert fail(Circuit(), window=window).open is opens


def test_what_is_older_than_a_minute_does_not_count() -> None:
    window: Window = ()
    for _ in range(30):
        window = noted(window, 0.0, failure=True)
    window = noted(window, 61.0, failure=True)
    assert sum(attempts for _, attempts, _ in window) == 1


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=100))
def test_a_window_counts_what_happened_in_the_last_minute(
    steps: list[tuple[float, bool]],
) -> None:
    now = 0.0
    window: Window = ()
    all_of_them: list[tuple[float, bool]] = []
    for pause_, failure in steps:
        now += pause_
        window = noted(window, now, failure=failure)
        all_of_them.append((now, failure))
    sure = [failure for at, failure in all_of_them if at > now - 55.0]
    most = [failure for at, failure in all_of_them if at > now - 60.0]
    assert len(sure) <= sum(n for _, n, _ in window) <= len(most)
    assert sum(sure) <= sum(n for _, _, n in window) <= sum(most)


def test_our_own_failures_never_count() -> None:
    circuit = Circuit()
    for number in range(100):
        circuit = fail(circuit, number, blame=Blame.US)
    assert circuit == Circuit()


def test_a_message_that_is_disliked_counts_only_when_ten_generations_in_a_row_are() -> None:
    circuit = Circuit()
    for number in range(9):
        for attempt in range(3):
            circuit = fail(
                circuit, 100 * attempt + number, blame=Blame.EVENT, generation=number
            )
    assert (circuit.row, circuit.since, circuit.open) == (0, None, False)
    assert fail(circuit, 9, blame=Blame.EVENT, generation=9).open


def test_a_message_that_was_liked_in_between_clears_the_disliked_ones() -> None:
    circuit = Circuit()
    for number in range(30):
        circuit = fail(circuit, number, blame=Blame.EVENT)
        if number % 9 == 8:
            circuit = accepted(circuit)
    assert not circuit.open


# While it is open


def opened() -> Circuit:
    return failing(10)


def test_probes_go_out_after_a_second_and_then_ever_more_seldom() -> None:
    circuit, now, pauses = opened(), 0.0, []
    for _ in range(130):
        wait = pause(circuit, now, 0.0).total_seconds()
        pauses.append(wait)
        now += wait
        circuit = fail(circuit, probe=True, now=now)
    assert pauses[:4] == [1, 2, 4, 5]
    slow = next(i for i, wait in enumerate(pauses) if wait > 5)
    assert set(pauses[3:slow]) == {5}
    assert 590 <= list(accumulate(pauses))[slow - 1] <= 605
    assert pauses[slow : slow + 8] == [10, 20, 40, 80, 160, 300, 300, 300]


def test_probes_that_take_long_are_no_excuse_for_more_of_them() -> None:
    circuit = opened()
    for _ in range(10):
        circuit = fail(circuit, probe=True, now=300.0)
    assert pause(circuit, 599.0, 0.0).total_seconds() == 5
    assert pause(circuit, 600.0, 0.0).total_seconds() == 10
    pauses = []
    for _ in range(7):
        circuit = fail(circuit, probe=True, now=620.0)
        pauses.append(pause(circuit, 620.0, 0.0).total_seconds())
    assert pauses == [10, 20, 40, 80, 160, 300, 300]


def test_probes_that_were_rare_stay_so_over_a_restart() -> None:
    circuit = opened()
    for _ in range(4):
        circuit = fail(circuit, probe=True, now=620.0)
    again = recalled(circuit.health(620.0), 1000.0)
    assert pause(again, 1000.0, 0.0).total_seconds() == 80
    assert pause(fail(again, probe=True, now=1000.0), 1000.0, 0.0).total_seconds() == 160


def test_whom_no_probe_reaches_is_tried_within_a_second_for_ten_minutes() -> None:
    circuit, now, pauses = fail(opened(), unreached=True), 0.0, []
    while now < 1200.0:
        wait = pause(circuit, now, 1.0).total_seconds()
        pauses.append(wait)
        now += wait
        circuit = fail(circuit, probe=True, now=now, unreached=True)
    brisk = [wait for wait in pauses if wait <= 1.0]
    assert pauses[: len(brisk)] == brisk
    assert 600.0 <= sum(brisk) <= 601.0
    assert pauses[len(brisk) :][:6] == [12, 24, 48, 96, 192, 360]


def test_who_is_reached_and_fails_gets_no_such_probes_any_more() -> None:
    circuit = fail(opened(), unreached=True)
    for number in range(100):
        circuit = fail(circuit, probe=True, now=number * 0.75, unreached=True)
    pauses = []
    for _ in range(4):
        circuit = fail(circuit, probe=True, now=100.0)
        pauses.append(pause(circuit, 100.0, 0.0).total_seconds())
    assert pauses == [2, 4, 5, 5]


@given(st.floats(-1, 1), st.integers(0, 10**6))
def test_a_pause_is_spread_by_a_fifth(spread: float, probes: int) -> None:
    circuit = replace(opened(), probes=probes)
    plain = pause(circuit, 0.0, 0.0)
    assert 0.8 * plain - timedelta(seconds=1e-3) <= pause(circuit, 0.0, spread)
    assert pause(circuit, 0.0, spread) <= 1.2 * plain + timedelta(seconds=1e-3)
    assert pause(circuit, 0.0, spread) <= timedelta(minutes=6)


def test_three_probes_accepted_in_a_row_close_it() -> None:
    circuit = opened()
    for passed in range(1, ACCEPTED):
        circuit = accepted(circuit)
        assert (circuit.word, circuit.passed) == (Breaker.HALF_OPEN, passed)
        assert pause(circuit, 0.0, 0.0) == timedelta()
    circuit = accepted(circuit)
    assert circuit.word is Breaker.CLOSED
    assert circuit.untroubled


def test_one_failure_opens_what_is_half_open() -> None:
    circuit = fail(accepted(accepted(opened())), probe=True, now=77.0)
    assert (circuit.word, circuit.passed, circuit.opened_at) == (Breaker.OPEN, 0, 77.0)


def test_what_was_sent_before_it_opened_makes_no_probe_later() -> None:
    assert fail(opened(), probe=False).probes == 0
    assert fail(opened(), probe=True).probes == 1


# Streaks


def test_a_streak_has_a_number_and_an_age() -> None:
    circuit = fail(fail(Circuit(streak=4), now=100.0), now=150.0)
    assert (circuit.streak, circuit.since, circuit.failures) == (5, 100.0, 2)
    assert circuit.health(160.0).failing == timedelta(seconds=60)
    again = fail(accepted(circuit), now=200.0)
    assert (again.streak, again.since, again.failures) == (6, 200.0, 1)


@given(
    st.integers(0, 40),
    st.floats(0, 10**6),
    st.floats(0, 10**6),
    st.sampled_from([0, 50, 70, 90]),
)
def test_a_restart_goes_on_where_the_last_run_was(
    failures: int, age: float, now: float, told: int
) -> None:
    circuit = replace(failing(failures), told=told)
    back = recalled(circuit.health(age), now)
    assert back.health(now) == circuit.health(age)
    assert back.word is circuit.word
    assert (back.open, back.probes, back.streak) == (
        circuit.open,
        circuit.probes,
        circuit.streak,
    )


@pytest.mark.parametrize(
    ("hours", "failures", "told", "share"),
    [
        (59, 100, 0, None),
        (60, 100, 0, 50),
        (60, 100, 50, None),
        (84, 100, 50, 70),
        (110, 100, 0, 90),
        (120, 100, 90, 100),
        (120, 19, 90, None),
        (120, 19, 0, 90),
        (10**4, 20, 90, 100),
    ],
)
def test_people_are_told_of_each_share_once(
    hours: float, failures: int, told: int, share: int | None
) -> None:
    circuit = Circuit(streak=1, since=0.0, failures=failures, told=told)
    assert milestone(circuit, hours * 3600.0, DAYS_5) == share


def test_no_webhook_is_switched_off_within_twelve_hours() -> None:
    circuit = Circuit(streak=1, since=0.0, failures=10**6, told=90)
    hour = timedelta(hours=1)
    assert milestone(circuit, 12 * 3600.0 - 1, hour) is None
    assert milestone(circuit, 12 * 3600.0, hour) == 100


def test_a_webhook_without_failures_has_no_share_to_tell() -> None:
    assert milestone(Circuit(), 10**9, DAYS_5) is None


def test_what_ends_at_once_has_a_streak_of_its_own() -> None:
    circuit = ended(Circuit(streak=3), 50.0)
    assert (circuit.streak, circuit.since, circuit.told) == (4, 50.0, 100)
    assert ended(fail(Circuit(streak=3), now=7.0), 50.0).streak == 4
