"""What the end of a hold says, how long a provider holds, and whether it does at all."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.looking import Missing, Reading, Seen, Trouble
from bridge.core.network.exchange import Answer, Phase, Response, Unanswered
from bridge.core.pacing import holding
from bridge.core.pacing.holding import End, Limit, Trust

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SEEN = Seen(observations=())
CUT = Trouble(why="cut")


def ending(
    reading: Reading,
    elapsed: float,
    *,
    limit: float = 30.0,
    reached: bool = False,
    cut: bool = True,
) -> End:
    return holding.end(reading, elapsed=elapsed, limit=limit, reached=reached, cut=cut)


def test_a_hold_waits_ten_seconds_longer_than_the_provider_holds() -> None:
    assert Limit(told=30.0).timeout == 40.0


def test_a_hold_that_is_back_at_its_limit_brought_no_news() -> None:
    assert ending(SEEN, 30.0) is End.NO_NEWS


@pytest.mark.parametrize(
    ("answer", "cut"),
    [
        (Response(status=502, received_at=NOW), True),
        (Response(status=504, received_at=NOW), True),
        (Response(status=524, received_at=NOW), True),
        (Response(status=500, received_at=NOW), False),
        (Response(status=200, received_at=NOW), False),
        (Unanswered(phase=Phase.ANSWER, reason="broke off"), True),
        (Unanswered(phase=Phase.DEADLINE, reason="no answer in time"), True),
        (Unanswered(phase=Phase.CONNECT, reason="refused"), False),
    ],
)
def test_a_cut_or_502_504_524_is_how_proxies_end_what_lasts_too_long(
    answer: Answer, cut: bool
) -> None:
    assert holding.is_cut(answer) is cut


def test_a_hold_that_is_cut_after_25_seconds_brought_no_news() -> None:
    assert ending(CUT, 25.0) is End.NO_NEWS
    assert ending(CUT, 25.0, limit=120.0) is End.NO_NEWS
    assert ending(CUT, 24.0) is End.OTHER


def test_where_holds_are_shorter_than_half_a_minute_a_cut_near_their_end_is_no_news() -> (
    None
):
    assert ending(CUT, 17.0, limit=20.0) is End.NO_NEWS
    assert ending(CUT, 16.0, limit=20.0) is End.OTHER


def test_an_error_that_is_no_cut_stays_an_error_however_late_it_comes() -> None:
    assert ending(CUT, 29.0, cut=False) is End.OTHER
    assert ending(Missing(), 29.0) is End.OTHER
    assert ending(Trouble(why="html", malformed=True), 29.0) is End.OTHER


def test_the_asked_rung_is_news_whenever_it_comes_and_a_lower_one_too_soon_is_early() -> (
    None
):
    assert ending(SEEN, 0.1, reached=True) is End.REACHED
    assert ending(SEEN, 14.9) is End.EARLY
    assert ending(SEEN, 15.0) is End.NO_NEWS


@given(
    began=st.floats(0, 1e6), lasted=st.floats(0, 60), luck=st.floats(0, 1, exclude_max=True)
)
def test_after_no_news_it_is_held_again_within_one_second_of_jitter(
    began: float, lasted: float, luck: float
) -> None:
    now = began + lasted
    at = holding.after_no_news(began, now, luck)
    assert at >= began + holding.SHORTEST
    assert now <= at <= now + 1.0


def test_three_cuts_at_one_age_make_that_age_the_limit() -> None:
    limit = Limit(told=30.0)
    assert [limit.ended(age) for age in (19.8, 20.0, 20.3)] == [False, False, True]
    assert limit.seconds == 20.0
    assert not limit.ended(20.1), "it is known"
    assert not limit.ended(0.1), "it is none"
    assert limit.timeout == 30.0
    assert ending(CUT, 20.2, limit=limit.seconds) is End.NO_NEWS


def test_cuts_at_different_ages_show_no_limit() -> None:
    limit = Limit(told=30.0)
    assert not any(limit.ended(age) for age in (10.0, 20.0, 28.0, 14.0))
    assert limit.seconds == 30.0


@given(ends=st.lists(st.floats(0, 200), max_size=50), told=st.floats(10, 120))
def test_no_end_makes_the_limit_longer_than_the_provider_says_or_too_short_to_hold(
    ends: list[float], told: float
) -> None:
    limit = Limit(told=told)
    for age in ends:
        limit.ended(age)
        assert holding.LEAST <= limit.seconds <= told


def test_a_limit_that_was_learnt_is_unlearnt_when_the_proxy_is_gone() -> None:
    limit = Limit(told=30.0)
    for age in (20.0, 20.0, 20.0, 30.0, 30.1):
        limit.ended(age)
    assert limit.seconds == 20.0
    assert limit.ended(30.0)
    assert limit.seconds == 30.0


def lie(trust: Trust, now: float) -> bool:
    return trust.returned(elapsed=0.1, limit=30.0, reached=False, now=now)


def test_two_holds_in_a_row_back_before_half_of_the_limit_end_the_holding() -> None:
    trust = Trust()
    assert not lie(trust, 0.0)
    assert trust.holds(0.1)
    assert lie(trust, 1.0)
    assert not trust.holds(1.0)
    assert not lie(trust, 1.1), "it was out already"
    assert trust.again_at == 601.0


def test_holds_that_a_proxy_cuts_after_25_seconds_are_no_lie_however_long_it_may_hold() -> (
    None
):
    trust = Trust()
    for _ in range(10):
        assert not trust.returned(elapsed=26.0, limit=120.0, reached=False, now=0.0)
    assert ending(SEEN, 26.0, limit=120.0) is End.NO_NEWS


def test_an_early_answer_that_reached_the_rung_says_nothing_against_holding() -> None:
    trust = Trust()
    lie(trust, 0.0)
    trust.returned(elapsed=0.1, limit=30.0, reached=True, now=0.0)
    assert not lie(trust, 1.0)


def test_a_trial_hold_comes_after_ten_minutes_doubling_to_24_hours() -> None:
    trust, now, waits = Trust(), 0.0, []
    lie(trust, now)
    for _ in range(12):
        assert lie(trust, now)
        waits.append(trust.again_at - now)
        now = trust.again_at
        trust.opened(now)
    assert waits[:3] == [600.0, 1200.0, 2400.0]
    assert waits[-1] == 86_400.0


def test_a_trial_is_one_hold_and_the_others_wait_for_what_it_says() -> None:
    trust = Trust()
    lie(trust, 0.0)
    lie(trust, 0.0)
    trust.opened(600.0)
    assert not trust.holds(600.1)
    trust.returned(elapsed=30.0, limit=30.0, reached=False, now=630.0)
    assert trust.holds(630.0)
    trust.opened(630.0)
    assert trust.holds(630.1)


def test_a_trial_that_says_nothing_is_followed_by_another() -> None:
    trust = Trust()
    lie(trust, 0.0)
    lie(trust, 0.0)
    trust.opened(600.0)
    trust.closed(599.0)
    assert not trust.holds(601.0)
    trust.closed(600.0)
    assert trust.holds(601.0)
