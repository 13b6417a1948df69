"""What every store promises about restarts, webhooks, retention and counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Condition, Status, WebhookState
from bridge.core.ladder import State
from bridge.core.ports import Census, Store
from tests.store.postgres_world import PostgresWorld
from tests.store.world import (
    LEASE,
    SECOND,
    World,
    announced,
    claimed,
    room,
    settled,
    step,
    to,
    watching,
    wish,
)

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
KEEP = {"attempts": 30 * DAY, "bodies": 7 * DAY, "deliveries": 90 * DAY}


async def test_webhooks_keep_their_ids(world: World) -> None:
    first = await world.store.webhooks(["name:one", "name:two"])
    await world.restart()
    again = await world.store.webhooks(["name:two", "name:three", "name:one", "name:two"])
    assert {key: state.id for key, state in first.items()} == {"name:one": 1, "name:two": 2}
    assert {key: state.id for key, state in again.items()} == {
        "name:one": 1,
        "name:two": 2,
        "name:three": 3,
    }
    assert again["name:one"] == WebhookState(id=1, key="name:one")


async def test_a_webhooks_state_outlives_a_restart(world: World) -> None:
    (state,) = (await world.store.webhooks(["name:one"])).values()
    shut = replace(state, condition=Condition.PAUSED, gate=60 * SECOND, why="by hand")
    await world.store.set_webhook(shut)
    world.clock.pass_(20 * SECOND)
    await world.restart()
    (kept,) = (await world.store.webhooks(["name:one"])).values()
    assert kept == replace(shut, gate=40 * SECOND)


async def test_a_restart_frees_what_the_last_run_had_claimed(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (before,) = await claimed(world.store)
    await world.restart()
    assert await world.store.next_due() == {1: timedelta()}
    (delivery,) = await claimed(world.store)
    assert (delivery.id, delivery.attempt) == (before.id, 2)
    assert delivery.message == before.message
    assert (await world.store.write([], [settled(before)])).fenced == 1


async def test_a_restart_keeps_waits_and_tries(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    await world.store.write([], [settled(delivery, Status.PENDING, wait=60 * SECOND)])
    world.clock.pass_(20 * SECOND)
    await world.restart()
    assert await world.store.next_due() == {1: 40 * SECOND}
    world.clock.pass_(40 * SECOND)
    (again,) = await claimed(world.store)
    assert (again.tries, again.attempt) == (1, 2)


async def test_nothing_waits_for_ever_because_the_wall_clock_was_wrong(
    world: World,
) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    (state,) = (await world.store.webhooks(["name:one"])).values()
    shut = settled(
        delivery, Status.PENDING, wait=SECOND, webhook=replace(state, gate=SECOND)
    )
    world.clock.wall += 3650 * DAY
    await world.restart()
    (delivery,) = await claimed(world.store)
    await world.store.write([], [replace(shut, delivery=delivery)])
    world.clock.wall -= 3650 * DAY
    await world.restart()
    assert await world.store.next_due() == {1: 30 * DAY}
    (state,) = (await world.store.webhooks(["name:one"])).values()
    assert state.gate == 30 * DAY


async def test_old_attempts_and_answers_go_and_their_delivery_stays(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    await world.store.write([], [settled(delivery, answer=b"thanks")])
    assert await world.store.prune(**KEEP) == 0
    world.clock.pass_(8 * DAY)
    assert await world.store.prune(**KEEP) == 1
    assert [one.answer for one in await world.attempts()] == [None]
    world.clock.pass_(23 * DAY)
    assert await world.store.prune(**KEEP) == 1 - by_days(world)
    assert await world.attempts() == []
    assert len(await world.deliveries()) == 1


async def test_an_answer_that_came_again_lately_is_kept(world: World) -> None:
    for id_ in ("g1", "g2"):
        await announced(world.store, await watching(world.store, id_), State.QUEUED)
        (delivery,) = await claimed(world.store)
        await world.store.write([], [settled(delivery, answer=b"thanks")])
        world.clock.pass_(5 * DAY)
    await world.store.prune(**KEEP)
    assert [one.answer for one in await world.attempts()] == [b"thanks", b"thanks"]


async def test_an_old_ended_watch_goes_with_all_that_is_its_own(world: World) -> None:
    watch = await watching(world.store)
    change = step(watch, State.COMPLETED, to(room=False), ended=True)
    await world.store.write([change], [])
    (delivery,) = await claimed(world.store)
    await world.store.write([], [settled(delivery)])
    running = await announced(world.store, await watching(world.store, "g2"), State.QUEUED)
    world.clock.pass_(91 * DAY)
    assert await world.store.prune(**KEEP) == 2 - by_days(world)
    assert await world.store.prune(**KEEP) == 0
    assert [row.seq for row in await world.deliveries()] == [0]
    assert await world.store.census() == Census(watches=1, pending=1, events=1)
    assert (await world.store.watch(running.generation)) is not None
    (fresh,) = (await world.store.register([wish()])).started
    assert fresh.seq == -1


async def test_a_watch_with_something_pending_is_kept_however_old(world: World) -> None:
    watch = await watching(world.store)
    await world.store.write([step(watch, State.COMPLETED, to(room=False), ended=True)], [])
    world.clock.pass_(1000 * DAY)
    assert await world.store.prune(**KEEP) == 0
    assert len(await claimed(world.store)) == 1


async def test_a_callers_webhook_goes_when_nobody_has_wanted_it_for_long(
    world: World,
) -> None:
    store = world.store
    (state,) = (
        await store.adopt([Callback(url="https://a.example/", secret=None)])
    ).values()
    (watch,) = (await store.register([wish("g1", state.id, deadline=DAY)])).started
    await store.write([step(watch, State.COMPLETED, to(state.id), ended=True)], [])
    world.clock.pass_(60 * DAY)
    (delivery,) = await claimed(store, room(state.id))
    await store.write([], [settled(delivery)])
    for _ in range(2):
        world.clock.pass_(29 * DAY)
        while await store.prune(**KEEP):
            pass
        assert await world.deliveries() == [] or await store.webhooks_by_id([state.id])
    assert await store.webhooks_by_id([state.id]) == ()
    (again,) = (
        await store.adopt([Callback(url="https://a.example/", secret=None)])
    ).values()
    assert again.condition is Condition.ACTIVE


async def test_a_callers_webhook_stays_while_a_watch_runs_or_a_delivery_is_kept(
    world: World,
) -> None:
    store = world.store
    await store.webhooks(["name:one"])
    callbacks = [Callback(url=f"https://{name}.example/") for name in "abc"]
    ids = [state.id for state in (await store.adopt(callbacks)).values()]
    await store.register([wish("runs", 1, ids[0], deadline=DAY)])
    watch = await watching(store, "waits", ids[1])
    await store.write([step(watch, State.QUEUED, to(ids[1], room=False))], [])
    world.clock.pass_(400 * DAY)
    while await store.prune(**KEEP):
        pass
    kept = {one.state.id for one in await store.webhooks_by_id([1, *ids])}
    assert kept == {1, ids[0], ids[1]}


async def test_a_callers_webhook_that_was_just_brought_along_stays(world: World) -> None:
    callback = Callback(url="https://a.example/")
    (state,) = (await world.store.adopt([callback])).values()
    world.clock.pass_(89 * DAY)
    await world.store.prune(**KEEP)
    assert len(await world.store.webhooks_by_id([state.id])) == 1


async def test_one_call_deletes_no_more_than_a_thousand_rows(world: World) -> None:
    await world.store.webhooks(["name:one"])
    for part in range(3):
        names = [f"g{part}-{i}" for i in range(400)]
        watches = (await world.store.register([wish(name) for name in names])).started
        await world.store.write(
            [step(w, State.QUEUED, to(room=False)) for w in watches], []
        )
        got = await claimed(world.store, room(slots=400))
        await world.store.write([], [settled(delivery) for delivery in got])
    world.clock.pass_(31 * DAY)
    went = [await world.store.prune(**KEEP) for _ in range(3)]
    assert went == ([0, 0, 0] if by_days(world) else [1000, 200, 0])
    assert await world.attempts() == []


def by_days(world: World) -> bool:
    """Say whether attempts lie in days, which go as wholes that nobody counts."""
    return isinstance(world, PostgresWorld)


async def test_a_census_counts_what_there_is(store: Store) -> None:
    await announced(store, await watching(store, "g1"), State.QUEUED, State.DREAMING)
    watch = await watching(store, "g2")
    await store.write([step(watch, State.COMPLETED, to(2), ended=True)], [])
    assert await store.census() == Census(watches=1, pending=3, events=3)
    assert await store.pending() == 3


async def test_a_store_says_that_it_is_alive(store: Store) -> None:
    await store.alive()


async def test_a_lease_is_what_the_sender_asked_for(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    await claimed(world.store, room(lease=2 * LEASE))
    assert await world.store.next_due() == {1: 2 * LEASE}


async def test_a_shut_webhook_has_nothing_due_before_it_opens(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    state = (await world.store.webhooks(["name:one"]))["name:one"]
    await world.store.set_webhook(replace(state, gate=60 * SECOND))
    assert await world.store.next_due() == {1: 60 * SECOND}
    await world.store.set_webhook(replace(state, condition=Condition.PAUSED))
    assert await world.store.next_due() == {}
    await world.store.set_webhook(state)
    assert await world.store.next_due() == {1: timedelta()}
