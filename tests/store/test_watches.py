"""What every store promises about watches."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.change import Change
from bridge.core.ladder import State
from bridge.core.ports import Store
from bridge.core.watch import Generation, Origin
from bridge.errors import StoreError
from tests.store.world import (
    World,
    after,
    announced,
    message,
    room,
    step,
    to,
    watching,
    wish,
)

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def test_a_new_watch_starts_unseen(store: Store) -> None:
    watch = await watching(store, "g1", 1, 2, metadata={"order": 2**70}, deadline=HOUR)
    assert watch.generation == Generation("luma", "g1")
    assert (watch.rank, watch.seq, watch.fence) == (-1, -1, 0)
    assert watch.webhooks == (1, 2)
    assert watch.metadata == {"order": 2**70}
    assert (watch.age, watch.left, watch.state_age) == (timedelta(), HOUR, None)


async def test_generations_are_told_apart_bytewise(store: Store) -> None:
    await store.webhooks(["name:one"])
    ids = ["é", "e\u0301", "E", "e", "e "]
    enlisted = await store.register([wish(id_) for id_ in ids])
    assert [watch.generation.id for watch in enlisted.started] == ids


@pytest.mark.parametrize("id_", ["", "x" * 513, "a\0b", "a\ud800"])
async def test_an_id_that_cannot_be_kept_as_it_is_is_refused_and_nothing_is_written(
    store: Store, id_: str
) -> None:
    await store.webhooks(["name:one"])
    with pytest.raises(StoreError, match="cannot keep"):
        await store.register([wish("good"), wish(id_)])
    assert await store.watch(Generation("luma", "good")) is None


async def test_the_same_wish_again_changes_nothing(world: World) -> None:
    watch = await watching(world.store, metadata={"a": 1})
    world.clock.pass_(HOUR)
    again = await world.store.register([wish(metadata={"a": 1})])
    assert (again.started, again.ended, again.woken) == ((), (), frozenset())
    seen = await world.store.watch(watch.generation)
    assert seen is not None
    assert (seen.fence, seen.age, seen.left) == (0, HOUR, timedelta(hours=23))


async def test_a_second_wish_unites_webhooks_raises_until_and_replaces_the_rest(
    world: World,
) -> None:
    watch = await watching(
        world.store, "g1", 1, until=State.COMPLETED, metadata={"a": 1}, deadline=HOUR
    )
    world.clock.pass_(timedelta(minutes=10))
    (changed,) = (
        await world.store.register(
            [wish("g1", 2, until=State.DREAMING, metadata={"b": 2}, deadline=2 * HOUR)]
        )
    ).started
    assert changed.webhooks == (1, 2)
    assert changed.until is State.COMPLETED
    assert changed.metadata == {"b": 2}
    assert changed.left == timedelta(hours=1, minutes=50)
    assert changed.fence == watch.fence + 1
    assert changed.uid == watch.uid


async def test_a_change_that_does_not_know_of_a_second_wish_is_refused(
    store: Store,
) -> None:
    watch = await watching(store)
    await store.register([wish("g1", 2)])
    (recorded,) = (await store.write([step(watch, State.QUEUED, to())], [])).recorded
    assert not recorded.accepted
    assert (await store.census()).events == 0


async def test_two_wishes_for_one_generation_in_one_call_are_one_watch(
    store: Store,
) -> None:
    await store.webhooks(["name:one", "name:two"])
    enlisted = await store.register([wish("g1", 1), wish("g2", 1), wish("g1", 2)])
    assert [(w.generation.id, w.webhooks) for w in enlisted.started] == [
        ("g1", (1, 2)),
        ("g2", (1,)),
    ]


async def test_a_webhook_that_is_added_gets_the_latest_event_at_once(store: Store) -> None:
    watch = await watching(store, "g1", 1)
    await announced(store, watch, State.QUEUED, State.DREAMING)
    enlisted = await store.register([wish("g1", 1, 2)])
    assert enlisted.woken == {2}
    (delivery,) = await store.claim_deliveries([room(2)])
    assert (delivery.seq, delivery.message.id) == (1, message(watch, "dreaming").id)


async def test_a_webhook_that_is_added_before_any_event_gets_nothing(store: Store) -> None:
    await watching(store, "g1", 1)
    assert (await store.register([wish("g1", 2)])).woken == frozenset()
    assert await store.claim_deliveries([room(2)]) == ()


async def test_a_finished_watch_is_over_for_the_same_wish(store: Store) -> None:
    watch = await watching(store)
    await store.write([step(watch, State.COMPLETED, ended=True)], [])
    enlisted = await store.register([wish()])
    assert (enlisted.started, enlisted.ended) == ((), (watch.generation,))
    assert await store.watch(watch.generation) is None


async def test_a_finished_watch_tells_an_added_webhook_but_stays_over(store: Store) -> None:
    watch = await watching(store)
    await store.write([step(watch, State.COMPLETED, ended=True)], [])
    enlisted = await store.register([wish("g1", 2)])
    assert (enlisted.started, enlisted.ended) == ((), (watch.generation,))
    assert enlisted.woken == {2}


async def test_a_watch_that_reached_its_goal_goes_on_for_a_higher_one(world: World) -> None:
    watch = await watching(world.store, until=State.DREAMING)
    await world.store.write([step(watch, State.DREAMING, ended=True)], [])
    world.clock.pass_(HOUR)
    (again,) = (
        await world.store.register([wish(until=State.COMPLETED, deadline=HOUR)])
    ).started
    assert (again.uid, again.rank, again.seq) == (watch.uid, State.DREAMING, 0)
    assert (again.age, again.left) == (timedelta(), HOUR)
    assert again.fence > watch.fence


async def test_a_lost_watch_begins_again_only_for_more_than_was_asked(store: Store) -> None:
    watch = await watching(store)
    lost = Change(
        watch=watch,
        rank=-1,
        native_state=None,
        ended="lost",
        tag="lost",
        message=message(watch, "lost"),
    )
    await store.write([lost], [])
    assert (await store.register([wish()])).started == ()
    (again,) = (await store.register([wish("g1", 2)])).started
    assert again.webhooks == (1, 2)


async def test_a_watch_that_a_person_ended_begins_again_when_asked_for(
    store: Store,
) -> None:
    watch = await watching(store)
    assert (await store.unwatch([watch.generation])).ended == (watch.generation,)
    assert await store.watch(watch.generation) is None
    (again,) = (await store.register([wish()])).started
    assert again.uid == watch.uid


async def test_unwatching_refuses_the_owners_next_step_but_not_its_deliveries(
    store: Store,
) -> None:
    watch = await announced(store, await watching(store), State.QUEUED)
    await store.unwatch([watch.generation])
    (recorded,) = (await store.write([step(watch, State.DREAMING, to())], [])).recorded
    assert not recorded.accepted
    assert [d.seq for d in await store.claim_deliveries([room()])] == [0]


async def test_unwatching_can_be_repeated_and_says_nothing_of_strangers(
    store: Store,
) -> None:
    watch = await watching(store)
    stranger = Generation("luma", "unknown")
    for _ in range(2):
        enlisted = await store.unwatch([watch.generation, stranger, watch.generation])
        assert enlisted.ended == (watch.generation,)


async def test_every_running_watch_is_handed_out_once_a_run(world: World) -> None:
    await world.store.webhooks(["name:one"])
    await world.store.register([wish(f"g{i}") for i in range(7)])
    assert await world.store.claim_watches(10) == []
    await world.store.unwatch([Generation("luma", "g3")])
    await world.restart()
    handed = []
    while some := await world.store.claim_watches(2):
        assert len(some) <= 2
        handed += [watch.generation.id for watch in some]
    assert handed == ["g0", "g1", "g2", "g4", "g5", "g6"]


async def test_what_is_registered_before_the_walk_is_not_handed_out_twice(
    world: World,
) -> None:
    await world.store.webhooks(["name:one"])
    await world.store.register([wish(f"g{i}") for i in range(4)])
    await world.restart()
    await world.store.register([wish("g9"), wish("g2", metadata={"new": 1})])
    asked = await world.store.watch(Generation("luma", "g0"))
    handed = [*([asked] if asked else []), *(await world.store.claim_watches(10))]
    assert [watch.generation.id for watch in handed] == ["g0", "g1", "g3"]
    await world.store.register([wish("g10")])
    assert await world.store.claim_watches(10) == []


async def test_an_unchanged_watch_that_was_not_handed_out_yet_starts_once_after_the_wish(
    world: World,
) -> None:
    watch = await watching(world.store)
    await world.restart()
    enlisted = await world.store.register([wish()])
    (started,) = (*enlisted.started, *(await world.store.claim_watches(10)))
    assert replace(started, fence=watch.fence) == watch


async def test_a_watch_keeps_what_it_knew_over_a_restart(world: World) -> None:
    watch = await watching(world.store, "g1", 1, 2, metadata={"order": 1042}, deadline=HOUR)
    change = step(watch, State.DREAMING)
    await world.store.write([change], [])
    world.clock.pass_(timedelta(minutes=5))
    await world.restart()
    (seen,) = await world.store.claim_watches(10)
    minutes = timedelta(minutes=5)
    assert (seen.age, seen.left, seen.state_age) == (minutes, HOUR - minutes, minutes)
    assert (seen.rank, seen.seq, seen.native_state) == (State.DREAMING, 0, "dreaming")
    assert (seen.uid, seen.webhooks, seen.metadata) == (watch.uid, (1, 2), {"order": 1042})


async def test_the_age_of_a_state_counts_from_its_first_sight(world: World) -> None:
    watch = await watching(world.store)
    first = step(watch, State.DREAMING)
    await world.store.write([first], [])
    world.clock.pass_(HOUR)
    stalled = Change(
        watch=after(first),
        rank=State.DREAMING,
        native_state="dreaming",
        ended=None,
        tag="stalled:1",
        message=message(watch, "stalled:1"),
    )
    (recorded,) = (await world.store.write([stalled], [])).recorded
    assert recorded.accepted
    seen = await world.store.watch(watch.generation)
    assert seen is not None
    assert (seen.state_age, seen.seq) == (HOUR, 1)


async def test_a_file_begins_its_watches_and_ends_what_it_no_longer_names(
    store: Store,
) -> None:
    await store.webhooks(["name:one"])
    await store.register([wish("api")])
    first = await store.configure(
        [wish("a", origin=Origin.FILE), wish("b", origin=Origin.FILE)], "1"
    )
    assert [watch.generation.id for watch in first.started] == ["a", "b"]
    second = await store.configure(
        [wish("b", origin=Origin.FILE), wish("c", origin=Origin.FILE)], "2"
    )
    assert [watch.generation.id for watch in second.started] == ["c"]
    assert second.ended == (Generation("luma", "a"),)
    assert await store.watch(Generation("luma", "api")) is not None


async def test_the_same_file_writes_nothing(world: World) -> None:
    await world.store.webhooks(["name:one"])
    wishes = [wish("a", origin=Origin.FILE)]
    await world.store.configure(wishes, "1")
    await world.store.unwatch([Generation("luma", "a")])
    await world.restart()
    enlisted = await world.store.configure(wishes, "1")
    assert (enlisted.started, enlisted.ended) == ((), ())
    assert await world.store.claim_watches(10) == []


async def test_a_watch_of_the_file_that_the_api_asks_for_too_outlives_the_file(
    store: Store,
) -> None:
    await store.webhooks(["name:one"])
    await store.configure([wish("a", origin=Origin.FILE)], "1")
    await store.register([wish("a", origin=Origin.API)])
    assert (await store.configure([], "2")).ended == ()
    assert await store.watch(Generation("luma", "a")) is not None


async def test_many_watches_fit_into_one_registration(store: Store) -> None:
    await store.webhooks(["name:one"])
    wishes = [wish(f"g{i}", origin=Origin.FILE) for i in range(2500)]
    assert len((await store.configure(wishes, "1")).started) == 2500
    assert len((await store.configure(wishes[:10], "2")).ended) == 2490
    assert (await store.census()).watches == 10
