"""What a second wish makes of a watch."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.watch import Origin, WatchWish
from bridge.store.uniting import UNWATCHED, Standing, added, begun, united
from tests.store.world import wish

wishes = st.builds(
    lambda hooks, until, origin, order: wish(
        "g1", *hooks, until=until, origin=origin, metadata={"order": order}
    ),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.sampled_from([State.QUEUED, State.DREAMING, State.COMPLETED]),
    st.sampled_from(Origin),
    st.integers(),
)
standings = st.builds(
    lambda asked, rank, ended: replace(
        begun(asked), rank=rank, active=ended is None, ended=ended
    ),
    wishes,
    st.integers(-1, 3),
    st.sampled_from([None, "completed", "lost", UNWATCHED]),
)


@given(standings, wishes)
def test_a_wish_repeated_changes_nothing_more(standing: Standing, asked: WatchWish) -> None:
    once = replace(united(standing, asked), again=False)
    assert united(once, asked) == once


@given(standings, wishes)
def test_nothing_that_was_asked_for_is_taken_back(
    standing: Standing, asked: WatchWish
) -> None:
    after = united(standing, asked)
    assert set(standing.webhooks) <= set(after.webhooks)
    assert after.until >= standing.until
    assert after.origin >= standing.origin
    assert after.active >= standing.active
    assert len(set(after.webhooks)) == len(after.webhooks)


@given(standings, wishes)
def test_a_watch_runs_again_only_with_its_goal_ahead(
    standing: Standing, asked: WatchWish
) -> None:
    after = united(standing, asked)
    assert after.again == (after.active and not standing.active)
    if after.again:
        assert after.rank < after.until
        grown = bool(added(standing, asked)) or asked.until > standing.until
        assert grown or standing.ended == UNWATCHED


@given(standings, wishes)
def test_every_webhook_of_the_wish_is_told_unless_the_watch_stays_as_it_was(
    standing: Standing, asked: WatchWish
) -> None:
    assert set(asked.webhooks) <= set(united(standing, asked).webhooks)
