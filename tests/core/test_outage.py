"""When a source counts as away, how it is probed, and how it comes back."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.pacing.outage import Outage


def away(now: float = 0.0) -> Outage:
    source = Outage()
    for number in range(5):
        source.troubled([f"g{number % 2}"], now - 1.0, now)
    return source


def test_five_troubles_in_a_row_on_two_ids_open_the_breaker() -> None:
    source = Outage()
    opened = [source.troubled([f"g{number % 2}"], 0.0, 1.0) for number in range(5)]
    assert opened == [False, False, False, False, True]
    assert source.open


def test_one_id_alone_never_opens_it() -> None:
    source = Outage()
    assert not any(source.troubled(["g"], 0.0, 1.0) for _ in range(100))
    assert source.troubled(["another"], 0.0, 1.0)


def test_a_batch_that_fails_five_times_opens_it() -> None:
    source = Outage()
    assert [source.troubled(["a", "b"], 0.0, 1.0) for _ in range(5)][-1]


def test_any_answer_begins_the_count_anew() -> None:
    source = Outage()
    for number in range(4):
        source.troubled([f"g{number}"], 0.0, 1.0)
    source.answered(1.0)
    assert not source.troubled(["g9"], 0.0, 1.0)


def test_an_open_breaker_probes_after_5_seconds_doubling_to_2_minutes() -> None:
    source, now, waits = away(), 0.0, []
    for _ in range(8):
        at = source.opens(now)
        assert at is not None
        waits.append(at - now)
        source.began()
        now = at
        source.troubled(["g0"], at, now)
    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 120.0, 120.0, 120.0]


def test_one_probe_is_on_its_way_at_a_time() -> None:
    source = away()
    source.began()
    assert source.opens(6.0) is None
    source.unanswered()
    assert source.opens(6.0) == 6.0


def test_what_was_on_its_way_when_it_opened_makes_no_probe_rarer() -> None:
    source = away(10.0)
    assert not source.troubled(["g7"], 9.0, 11.0)
    assert source.opens(11.0) == 15.0


def test_an_answer_closes_it_and_the_rate_comes_back_from_10_to_100_percent_in_30_seconds() -> (
    None
):
    source = away()
    source.began()
    assert source.answered(5.0)
    assert source.opens(5.0) == 5.0
    assert [round(source.share(s), 2) for s in (5.0, 15.0, 20.0, 35.0, 99.0)] == [
        0.1,
        0.4,
        0.55,
        1.0,
        1.0,
    ]
    assert not source.answered(6.0)


def test_a_source_without_trouble_has_all_of_its_rate() -> None:
    assert Outage().share(0.0) == 1.0
    assert Outage().opens(3.0) == 3.0


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 60), st.booleans(), st.sampled_from("abc")), max_size=100
    )
)
def test_it_never_shuts_for_longer_than_2_minutes_nor_without_5_troubles_in_a_row(
    steps: list[tuple[float, bool, str]],
) -> None:
    ids: set[str] = set()
    source, now, row = Outage(), 0.0, 0
    for wait, trouble, one in steps:
        now = max(now + wait, source.opens(now) or now)
        source.began()
        if trouble:
            row, ids = row + 1, ids | {one}
            source.troubled([one], now, now)
        else:
            row, ids = 0, set()
            source.answered(now)
        assert source.open == (row >= 5 and len(ids) >= 2)
        assert (source.opens(now) or now) <= now + 120.0
        assert 0.1 <= source.share(now) <= 1.0
