"""What every store promises about deliveries: claimed once, in order, settled by their holder."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.delivering.delivery import (
    Condition,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.ladder import State
from bridge.core.ports import Store
from tests.store.world import (
    LEASE,
    SECOND,
    Logged,
    World,
    announced,
    claimed,
    message,
    room,
    sent,
    settled,
    step,
    to,
    watching,
)

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


async def test_a_claim_gives_the_message_and_counts_the_attempt(store: Store) -> None:
    watch = await announced(store, await watching(store), State.QUEUED)
    (delivery,) = await claimed(store)
    assert delivery.message == message(watch, "queued")
    assert (delivery.watch, delivery.webhook, delivery.seq) == (watch.id, 1, 0)
    assert (delivery.attempt, delivery.tries, delivery.fence) == (1, 0, 1)
    assert not delivery.manual


async def test_a_claimed_delivery_is_nobody_elses_until_its_lease_is_over(
    world: World,
) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (first,) = await claimed(world.store)
    world.clock.pass_(LEASE - SECOND)
    assert await claimed(world.store) == ()
    world.clock.pass_(SECOND)
    (second,) = await claimed(world.store)
    assert (second.id, second.attempt) == (first.id, 2)
    assert second.fence > first.fence


async def test_the_oldest_due_goes_first_and_slots_are_kept(world: World) -> None:
    await world.store.webhooks(["name:one"])
    for id_ in ("b", "a", "c"):
        await announced(world.store, await watching(world.store, id_), State.QUEUED)
        world.clock.pass_(SECOND)
    first = await claimed(world.store, room(slots=2))
    assert [delivery.id for delivery in first] == [1, 2]
    assert [delivery.id for delivery in await claimed(world.store)] == [3]


async def test_each_webhook_gets_its_own_slots(store: Store) -> None:
    for id_ in ("g1", "g2", "g3"):
        watch = await watching(store, id_, 1, 2)
        change = step(watch, State.QUEUED, to(1, room=False), to(2, room=False))
        await store.write([change], [])
    got = await claimed(store, room(2, slots=2), room(1, slots=1))
    assert [(d.webhook, d.id) for d in got] == [(2, 2), (2, 4), (1, 1)]


async def test_no_slots_and_no_rooms_claim_nothing(store: Store) -> None:
    await announced(store, await watching(store), State.QUEUED)
    assert await claimed(store, room(slots=0)) == ()
    assert await store.claim_deliveries([]) == ()


async def test_a_later_state_waits_for_the_earlier_one(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED, State.DREAMING)
    (first,) = await claimed(world.store)
    assert first.seq == 0
    assert await claimed(world.store) == ()
    written = await world.store.write([], [settled(first)])
    assert written.woken == {1}
    (second,) = await claimed(world.store)
    assert second.seq == 1


async def test_a_later_state_waits_while_the_earlier_one_is_tried_again(
    world: World,
) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED, State.DREAMING)
    (first,) = await claimed(world.store)
    written = await world.store.write([], [settled(first, Status.PENDING, wait=MINUTE)])
    assert written.woken == frozenset()
    for _ in range(MINUTE // SECOND):
        assert await claimed(world.store) == ()
        world.clock.pass_(SECOND)
    (again,) = await claimed(world.store)
    assert (again.id, again.attempt) == (first.id, 2)


async def test_a_blocked_delivery_moves_behind_what_it_waits_for(world: World) -> None:
    watch = await announced(world.store, await watching(world.store), State.QUEUED)
    (first,) = await claimed(world.store)
    await world.store.write([], [settled(first, Status.PENDING, wait=MINUTE)])
    await announced(world.store, watch, State.DREAMING)
    assert await world.store.next_due() == {1: timedelta()}
    assert await claimed(world.store) == ()
    assert await world.store.next_due() == {1: MINUTE}
    blocked = (await world.deliveries())[1]
    assert (blocked.attempt, blocked.claimed) == (0, False)


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
async def test_an_end_of_any_kind_lets_the_next_state_go(
    store: Store, status: Status
) -> None:
    await announced(store, await watching(store), State.QUEUED, State.DREAMING)
    (first,) = await claimed(store)
    await store.write([], [settled(first, status)])
    assert [delivery.seq for delivery in await claimed(store)] == [1]


async def test_blocked_deliveries_do_not_hide_those_behind_them(world: World) -> None:
    for id_ in ("g1", "g2", "g3"):
        watch = await announced(world.store, await watching(world.store, id_), State.QUEUED)
        (first,) = await claimed(world.store)
        await world.store.write([], [settled(first, Status.PENDING, wait=MINUTE)])
        await announced(world.store, watch, State.DREAMING)
    await announced(world.store, await watching(world.store, "g4"), State.QUEUED)
    (free,) = await claimed(world.store, room(slots=1))
    assert free.id == 7


async def test_other_generations_do_not_wait(store: Store) -> None:
    for id_ in ("g1", "g2"):
        await announced(store, await watching(store, id_), State.QUEUED, State.DREAMING)
    assert [delivery.id for delivery in await claimed(store)] == [1, 3]


async def test_a_replay_neither_waits_nor_holds_up(world: World) -> None:
    await announced(
        world.store,
        await watching(world.store),
        State.QUEUED,
        State.DREAMING,
        State.COMPLETED,
    )
    await world.make_manual(2)
    got = await claimed(world.store)
    assert [(delivery.seq, delivery.manual) for delivery in got] == [(0, False), (1, True)]
    await world.store.write([], [settled(got[0])])
    assert [delivery.seq for delivery in await claimed(world.store)] == [2]


async def test_replays_take_half_of_the_slots_while_live_ones_wait(world: World) -> None:
    for i in range(8):
        await announced(world.store, await watching(world.store, f"g{i}"), State.QUEUED)
    for delivery in range(1, 5):
        await world.make_manual(delivery)
    got = await claimed(world.store, room(slots=4))
    assert [delivery.manual for delivery in got] == [False, False, True, True]
    got = await claimed(world.store, room(slots=4))
    assert [delivery.manual for delivery in got] == [False, False, True, True]


@pytest.mark.parametrize("condition", [Condition.PAUSED, Condition.DISABLED])
async def test_nothing_is_claimed_for_a_webhook_that_is_not_active(
    store: Store, condition: Condition
) -> None:
    await announced(store, await watching(store), State.QUEUED)
    state = (await store.webhooks(["name:one"]))["name:one"]
    await store.set_webhook(replace(state, condition=condition))
    assert await claimed(store) == ()
    await store.set_webhook(state)
    assert len(await claimed(store)) == 1


async def test_nothing_is_claimed_through_a_shut_gate(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    state = (await world.store.webhooks(["name:one"]))["name:one"]
    await world.store.set_webhook(replace(state, gate=MINUTE))
    assert await claimed(world.store) == ()
    world.clock.pass_(MINUTE)
    assert len(await claimed(world.store)) == 1


@pytest.mark.parametrize("shut", [1, 2])
async def test_of_two_webhooks_only_the_open_one_is_claimed_for(
    store: Store, shut: int
) -> None:
    watch = await watching(store, "g1", 1, 2)
    change = step(watch, State.QUEUED, to(1, room=False), to(2, room=False))
    await store.write([change], [])
    await store.set_webhook(WebhookState(id=shut, key="", gate=MINUTE))
    found = await claimed(store, room(1), room(2))
    assert [one.webhook for one in found] == [3 - shut]


async def test_a_shut_gate_writes_no_delivery(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    before = await world.deliveries()
    state = (await world.store.webhooks(["name:one"]))["name:one"]
    await world.store.set_webhook(replace(state, gate=MINUTE))
    await claimed(world.store)
    assert await world.deliveries() == before


async def test_a_settled_delivery_keeps_what_came_of_it(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    settlement = settled(delivery, code=200, why="fine", answer=b"\xff\0ok")
    assert (await world.store.write([], [settlement])).fenced == 0
    (row,) = await world.deliveries()
    assert (row.status, row.claimed, row.code, row.why) == (
        Status.DELIVERED,
        False,
        200,
        "fine",
    )
    assert await world.attempts() == [
        Logged(delivery=delivery.id, number=1, code=200, why="fine", answer=b"\xff\0ok")
    ]
    assert await world.store.next_due() == {}
    assert (await world.store.census()).pending == 0


async def test_a_step_is_counted_only_where_one_was_used(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    for used in (True, False, True):
        (delivery,) = await claimed(world.store)
        settlement = settled(delivery, Status.PENDING, code=503, wait=SECOND, step=used)
        await world.store.write([], [settlement])
        world.clock.pass_(SECOND)
    (delivery,) = await claimed(world.store)
    assert (delivery.tries, delivery.attempt) == (2, 4)


async def test_a_delivery_is_due_again_after_its_wait(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    await world.store.write([], [settled(delivery, Status.PENDING, code=503, wait=MINUTE)])
    assert await world.store.next_due() == {1: MINUTE}
    world.clock.pass_(MINUTE - timedelta(microseconds=1))
    assert await claimed(world.store) == ()
    world.clock.pass_(timedelta(microseconds=1))
    assert len(await claimed(world.store)) == 1


async def test_a_delivery_that_is_given_back_is_due_at_once(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    unsent = Settlement(delivery=delivery, status=Status.PENDING, step=False, attempt=None)
    written = await world.store.write([], [unsent])
    assert written.woken == {1}
    assert await world.attempts() == []
    assert len(await claimed(world.store)) == 1


async def test_a_settlement_under_an_old_fence_is_counted_and_only_logged(
    world: World,
) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (late,) = await claimed(world.store)
    world.clock.pass_(LEASE)
    (now,) = await claimed(world.store)
    written = await world.store.write([], [settled(late)])
    assert written.fenced == 1
    (row,) = await world.deliveries()
    assert (row.status, row.claimed) == (Status.PENDING, True)
    assert [one.number for one in await world.attempts()] == [1]
    assert (await world.store.write([], [settled(now)])).fenced == 0


async def test_a_repeated_settlement_is_fenced_and_logged_once(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    settlement = settled(delivery, Status.PENDING, code=503, wait=MINUTE)
    await world.store.write([], [settlement])
    world.clock.pass_(SECOND)
    assert (await world.store.write([], [settlement])).fenced == 1
    assert len(await world.attempts()) == 1
    assert await world.store.next_due() == {1: MINUTE - SECOND}


async def test_two_settlements_of_one_delivery_in_one_commit_count_once(
    world: World,
) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    twice = [settled(delivery), settled(delivery, Status.FAILED)]
    assert (await world.store.write([], twice)).fenced == 1
    assert [row.status for row in await world.deliveries()] == [Status.DELIVERED]


async def test_a_delivery_that_nobody_has_claimed_cannot_be_settled(world: World) -> None:
    watch = await watching(world.store)
    change = step(watch, State.QUEUED, to(room=False))
    (recorded,) = (await world.store.write([change], [])).recorded
    assert (await world.store.write([], [settled(sent(change, recorded))])).fenced == 1
    assert [row.status for row in await world.deliveries()] == [Status.PENDING]


async def test_an_answer_is_kept_once_up_to_64_kib(world: World) -> None:
    answer = b"y" * 70_000
    for id_ in ("g1", "g2"):
        await announced(world.store, await watching(world.store, id_), State.QUEUED)
    await world.store.write(
        [], [settled(delivery, answer=answer) for delivery in await claimed(world.store)]
    )
    logged = await world.attempts()
    assert [len(one.answer or b"") for one in logged] == [65_536, 65_536]


async def test_a_settlement_notes_its_webhooks_state(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    state = (await world.store.webhooks(["name:one"]))["name:one"]
    shut = replace(state, gate=MINUTE, why="429")
    await world.store.write(
        [], [settled(delivery, Status.PENDING, code=429, wait=MINUTE, webhook=shut)]
    )
    assert (await world.store.webhooks(["name:one"]))["name:one"] == shut
    world.clock.pass_(MINUTE)
    open_ = (await world.store.webhooks(["name:one"]))["name:one"]
    assert open_.gate is None


async def test_a_settlement_does_not_lift_what_a_person_has_set(store: Store) -> None:
    await announced(store, await watching(store), State.QUEUED)
    (delivery,) = await claimed(store)
    state = (await store.webhooks(["name:one"]))["name:one"]
    await store.set_webhook(replace(state, condition=Condition.PAUSED))
    await store.write([], [settled(delivery, webhook=state)])
    assert (await store.webhooks(["name:one"]))["name:one"].condition is Condition.PAUSED


async def test_a_settlement_can_disable_its_webhook(store: Store) -> None:
    await announced(store, await watching(store), State.QUEUED)
    (delivery,) = await claimed(store)
    state = (await store.webhooks(["name:one"]))["name:one"]
    gone = replace(state, condition=Condition.DISABLED, why="410")
    await store.write([], [settled(delivery, Status.PENDING, code=410, webhook=gone)])
    assert (await store.webhooks(["name:one"]))["name:one"] == gone
    assert await claimed(store) == ()


async def test_next_due_speaks_of_every_webhook_with_something_pending(
    world: World,
) -> None:
    watch = await watching(world.store, "g1", 1, 2)
    await world.store.write([step(watch, State.QUEUED, to(1), to(2, room=False))], [])
    assert await world.store.next_due() == {1: LEASE, 2: timedelta()}
    world.clock.pass_(MINUTE)
    assert await world.store.next_due() == {1: timedelta(), 2: timedelta()}


async def test_a_stepped_wall_clock_fires_nothing_and_holds_nothing_back(
    world: World,
) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (delivery,) = await claimed(world.store)
    await world.store.write([], [settled(delivery, Status.PENDING, code=503, wait=MINUTE)])
    world.clock.wall += timedelta(days=3650)
    assert await claimed(world.store) == ()
    world.clock.wall -= timedelta(days=7300)
    world.clock.pass_(MINUTE)
    assert len(await claimed(world.store)) == 1


async def test_all_states_of_many_generations_arrive_in_order(world: World) -> None:
    states = (State.QUEUED, State.DREAMING, State.COMPLETED)
    watches = {}
    for i in range(20):
        watch = await watching(world.store, f"g{i}")
        watches[watch.id] = await announced(world.store, watch, *states)
    seen: dict[int, list[int]] = {id_: [] for id_ in watches}
    for _ in range(200):
        got = await claimed(world.store, room(slots=7))
        if not got and not await world.store.next_due():
            break
        for delivery in got:
            fails = delivery.attempt == 1 and delivery.id % 3 == 0
            if not fails:
                seen[delivery.watch or 0].append(delivery.seq)
            await world.store.write(
                [],
                [
                    settled(delivery, Status.PENDING, wait=SECOND)
                    if fails
                    else settled(delivery)
                ],
            )
        world.clock.pass_(SECOND)
    assert all(seqs == [0, 1, 2] for seqs in seen.values())
