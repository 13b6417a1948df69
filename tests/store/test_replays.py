"""What every store promises about sending again: one, many, and what was never made."""

from datetime import timedelta

import pytest

from bridge.core.delivering.delivery import Condition, Delivery, Status, WebhookState
from bridge.core.delivering.health import Health
from bridge.core.ladder import State
from bridge.core.ports import Store
from bridge.core.replay import Missing, Replayed, ReplayFilter
from bridge.errors import StoreError
from bridge.store.replaying import STEP
from tests.store.world import (
    SECOND,
    World,
    after,
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

HOUR = timedelta(hours=1)
MISSED = ReplayFilter(status=Missing.MISSING, webhook=2, tags=("queued", "completed"))


async def failed(store: Store, *ids: str, code: int = 500) -> list[Delivery]:
    """Make generations whose delivery to webhook 1 has failed after three attempts."""
    for id_ in ids:
        await announced(store, await watching(store, id_), State.QUEUED)
    found = list(await claimed(store, room(slots=1000)))
    await store.write([], [settled(one, Status.FAILED, code=code) for one in found])
    return found


async def through(store: Store) -> list[Replayed]:
    """Advance until nothing is left to do."""
    steps = []
    while (one := await store.advance_replay()) is not None:
        steps.append(one)
    return steps


# ---------------------------------------------------------------- one


async def test_a_failed_delivery_goes_out_again_with_its_id_and_a_new_schedule(
    world: World,
) -> None:
    (one,) = await failed(world.store, "g1")
    assert await claimed(world.store) == ()
    assert await world.store.retry(one.id) == 1
    (again,) = await claimed(world.store)
    assert (again.id, again.message) == (one.id, one.message)
    assert (again.attempt, again.tries, again.manual) == (2, 0, True)
    assert again.fence > one.fence
    assert (await world.store.write([], [settled(one)])).fenced == 1
    assert (await world.store.write([], [settled(again)])).fenced == 0


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.CANCELLED])
async def test_whatever_is_over_can_be_sent_again(store: Store, status: Status) -> None:
    await announced(store, await watching(store), State.QUEUED)
    (one,) = await claimed(store)
    await store.write([], [settled(one, status)])
    assert await store.retry(one.id) == 1
    assert len(await claimed(store)) == 1


async def test_a_waiting_delivery_is_made_due_and_a_flying_one_left_alone(
    world: World,
) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (one,) = await claimed(world.store)
    assert await world.store.retry(one.id) == 1
    assert await claimed(world.store) == ()
    await world.store.write([], [settled(one, Status.PENDING, wait=HOUR)])
    assert await world.store.retry(one.id) == 1
    (again,) = await claimed(world.store)
    assert (again.tries, again.manual) == (1, False)


async def test_what_is_not_there_is_not_sent(store: Store) -> None:
    assert await store.retry(1) is None


async def test_a_replay_waits_for_nobody_and_nobody_for_it(world: World) -> None:
    watch = await announced(world.store, await watching(world.store), State.QUEUED)
    (one,) = await claimed(world.store)
    await world.store.write([], [settled(one, Status.FAILED)])
    await announced(world.store, watch, State.DREAMING)
    await world.store.retry(one.id)
    assert {d.seq for d in await claimed(world.store)} == {0, 1}


# ---------------------------------------------------------------- many


async def test_a_replay_takes_what_its_filter_names(world: World) -> None:
    begin = world.clock.now()
    for number in range(4):
        await failed(world.store, f"g{number}")
        world.clock.pass_(HOUR)
    wanted = ReplayFilter(since=begin + HOUR, until=begin + 2 * HOUR)
    preview = await world.store.preview_replay(wanted)
    assert preview.count == 2
    assert [one.delivery.id for one in preview.first] == [2, 3]
    begun = await world.store.begin_replay(wanted)
    assert (begun.filter, begun.done, begun.over) == (wanted, 0, False)
    (done,) = await through(world.store)
    assert (done.replay.id, done.replay.done, done.replay.over) == (begun.id, 2, True)
    assert done.woken == {1}
    assert [one.id for one in await claimed(world.store)] == [2, 3]


async def test_a_replay_of_one_webhook_leaves_the_others_alone(store: Store) -> None:
    watch = await watching(store, "g1", 1, 2)
    await store.write([step(watch, State.QUEUED, to(1, room=False), to(2, room=False))], [])
    both = await claimed(store, room(1), room(2))
    await store.write([], [settled(one, Status.FAILED) for one in both])
    await store.begin_replay(ReplayFilter(webhook=2))
    assert [set(one.woken) for one in await through(store)] == [{2}]
    assert await claimed(store) == ()


async def test_a_replay_of_what_was_delivered_or_superseded(store: Store) -> None:
    await failed(store, "g1")
    await announced(store, await watching(store, "g2"), State.QUEUED)
    (good,) = await claimed(store)
    await store.write([], [settled(good)])
    await store.begin_replay(ReplayFilter(status=Status.SUPERSEDED))
    await store.begin_replay(ReplayFilter(status=Status.DELIVERED))
    assert [one.replay.done for one in await through(store)] == [0, 1]
    assert [one.id for one in await claimed(store)] == [good.id]


async def test_what_is_pending_is_left_alone(store: Store) -> None:
    await announced(store, await watching(store), State.QUEUED)
    wanted = ReplayFilter(status=Status.PENDING)
    assert (await store.preview_replay(wanted)).count == 0
    await store.begin_replay(wanted)
    (done,) = await through(store)
    assert (done.replay.done, done.replay.over) == (0, True)


async def test_steps_are_of_five_hundred_and_a_restart_goes_on_at_the_cursor(
    world: World,
) -> None:
    count = 2 * STEP + 7
    await world.store.webhooks(["name:one"])
    wishes = [wish(f"g{i}") for i in range(count)]
    watches = (await world.store.register(wishes)).started
    for part in (watches[i : i + 500] for i in range(0, count, 500)):
        await world.store.write(
            [step(one, State.QUEUED, to(room=False)) for one in part], []
        )
    left = count
    while found := await claimed(world.store, room(slots=500)):
        await world.store.write([], [settled(one, Status.FAILED) for one in found])
        left -= len(found)
    assert left == 0
    wanted = ReplayFilter()
    preview = await world.store.preview_replay(wanted)
    assert (preview.count, len(preview.first)) == (count, 10)
    begun = await world.store.begin_replay(wanted)
    first = await world.store.advance_replay()
    assert first is not None
    assert (first.replay.done, first.replay.over) == (STEP, False)
    await world.restart()
    assert (await world.store.replays(limit=5))[0].done == STEP
    rest = await through(world.store)
    assert [one.replay.done for one in rest][-1] == count
    assert {one.replay.id for one in rest} == {begun.id}
    assert (await world.store.replays(limit=5))[0].over
    sent = 0
    while found := await claimed(world.store, room(slots=500)):
        assert all(one.manual and one.attempt == 2 for one in found)
        await world.store.write([], [settled(one) for one in found])
        sent += len(found)
    assert sent == count


async def test_a_replay_begun_twice_sends_once(store: Store) -> None:
    await failed(store, "g1", "g2")
    await store.begin_replay(ReplayFilter())
    await store.begin_replay(ReplayFilter())
    assert [one.replay.done for one in await through(store)] == [2, 0]
    assert [len(await claimed(store)), len(await claimed(store))] == [2, 0]


async def test_replays_go_one_after_the_other_and_are_listed_newest_first(
    store: Store,
) -> None:
    await failed(store, "g1")
    one = await store.begin_replay(ReplayFilter())
    two = await store.begin_replay(ReplayFilter(webhook=2))
    assert [step_.replay.id for step_ in await through(store)] == [one.id, two.id]
    listed = await store.replays(limit=10)
    assert [(one.id, one.over) for one in listed] == [(two.id, True), (one.id, True)]
    assert [one.id for one in await store.replays(limit=1)] == [two.id]
    assert await store.advance_replay() is None


async def test_a_replay_that_is_over_is_forgotten_after_its_time(world: World) -> None:
    day = timedelta(days=1)
    await world.store.begin_replay(ReplayFilter())
    await through(world.store)
    await world.store.begin_replay(ReplayFilter())
    world.clock.pass_(91 * day)
    ages = {"attempts": day, "bodies": day, "deliveries": 90 * day}
    assert await world.store.prune(**ages) == 1
    assert len(await world.store.replays(limit=10)) == 1


# ---------------------------------------------------------------- what was never made


async def test_a_webhook_gets_what_it_never_had(world: World) -> None:
    watch = await watching(world.store, "g1", 1, 2)
    for state in (State.QUEUED, State.DREAMING, State.COMPLETED):
        change = step(watch, state, to(1, room=False))
        await world.store.write([change], [])
        watch = after(change)
    assert (await world.store.preview_replay(MISSED)).count == 2
    assert (await world.store.preview_replay(MISSED)).first == ()
    await world.store.begin_replay(MISSED)
    (done,) = await through(world.store)
    assert (done.replay.done, *done.woken) == (2, 2)
    got = await claimed(world.store, room(2))
    assert [(one.seq, one.attempt, one.manual) for one in got] == [
        (0, 1, True),
        (2, 1, True),
    ]
    await world.store.begin_replay(MISSED)
    assert [one.replay.done for one in await through(world.store)] == [0]


async def test_events_of_watches_that_do_not_name_a_webhook_are_not_told_to_it(
    store: Store,
) -> None:
    await announced(store, await watching(store, "g1", 1), State.QUEUED)
    assert (await store.preview_replay(MISSED)).count == 0
    await store.begin_replay(MISSED)
    assert [one.replay.done for one in await through(store)] == [0]


async def test_missing_events_are_bounded_by_their_moment(world: World) -> None:
    begin = world.clock.now()
    for number in range(4):
        watch = await watching(world.store, f"g{number}", 1, 2)
        await world.store.write([step(watch, State.QUEUED, to(1, room=False))], [])
        world.clock.pass_(HOUR)
    wanted = ReplayFilter(
        status=Missing.MISSING,
        webhook=2,
        since=begin + HOUR,
        until=begin + 2 * HOUR,
        tags=("queued",),
    )
    await world.store.begin_replay(wanted)
    assert [one.replay.done for one in await through(world.store)] == [2]
    assert len(await claimed(world.store, room(2))) == 2


async def test_what_is_missing_is_asked_for_one_webhook(store: Store) -> None:
    with pytest.raises(StoreError, match="for one webhook"):
        await store.begin_replay(ReplayFilter(status=Missing.MISSING))


async def test_missing_at_a_webhook_that_is_not_there_makes_nothing(store: Store) -> None:
    watch = await watching(store, "g1", 1, 77)
    await store.write([step(watch, State.QUEUED, to(1, room=False))], [])
    wanted = ReplayFilter(status=Missing.MISSING, webhook=77, tags=("queued",))
    await store.begin_replay(wanted)
    assert [one.replay.done for one in await through(store)] == [0]


# ---------------------------------------------------------------- a webhook opened again


async def held(world: World, count: int = 3) -> None:
    """Let deliveries wait for webhook 1, an hour apart, which is switched off."""
    for number in range(count):
        await announced(
            world.store, await watching(world.store, f"g{number}"), State.QUEUED
        )
        world.clock.pass_(HOUR)
    ill = Health(open=True, opened=9, streak=4, failing=HOUR, failures=30, told=90)
    await world.store.set_webhook(
        WebhookState(id=1, key="", condition=Condition.DISABLED, gate=HOUR, health=ill)
    )
    assert await claimed(world.store) == ()


async def test_a_resumed_webhook_is_as_new_and_gets_what_waited(world: World) -> None:
    await held(world)
    assert await world.store.next_due() == {}
    assert await world.store.resume_webhook(1) == 3
    (state,) = (await world.store.webhooks(["name:one"])).values()
    assert state == WebhookState(id=1, key="name:one", health=Health(streak=4))
    assert [one.id for one in await claimed(world.store)] == [1, 2, 3]


async def test_what_is_older_than_a_moment_can_be_left_out(world: World) -> None:
    begin = world.clock.now()
    await held(world)
    assert await world.store.resume_webhook(1, since=begin + HOUR) == 2
    assert [one.id for one in await claimed(world.store)] == [2, 3]
    assert (await world.deliveries())[0].status is Status.CANCELLED


async def test_all_of_it_can_be_discarded_and_still_be_replayed(world: World) -> None:
    await held(world)
    assert await world.store.resume_webhook(1, discard=True) == 0
    assert await claimed(world.store) == ()
    await world.store.begin_replay(ReplayFilter(status=Status.CANCELLED, webhook=1))
    await through(world.store)
    assert len(await claimed(world.store)) == 3


async def test_a_later_state_goes_when_the_one_before_was_discarded(world: World) -> None:
    watch = await announced(world.store, await watching(world.store), State.QUEUED)
    (one,) = await claimed(world.store)
    await world.store.write([], [settled(one, Status.PENDING, wait=HOUR)])
    world.clock.pass_(SECOND)
    middle = world.clock.now()
    await announced(world.store, watch, State.DREAMING)
    assert await claimed(world.store) == ()
    assert await world.store.resume_webhook(1, since=middle) == 1
    assert [one.seq for one in await claimed(world.store)] == [1]


async def test_what_is_in_flight_is_not_cancelled(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (one,) = await claimed(world.store)
    assert await world.store.resume_webhook(1, discard=True) == 1
    assert (await world.store.write([], [settled(one)])).fenced == 0


async def test_a_webhook_that_is_not_there_has_nothing_waiting(store: Store) -> None:
    assert await store.resume_webhook(77, discard=True) == 0
