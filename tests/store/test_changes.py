"""What every store promises about a step of a watch, its event and its deliveries."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from bridge.core.delivering.delivery import Alert, Condition, Status, WebhookState
from bridge.core.ladder import State
from bridge.core.ports import Store
from bridge.core.watch import Generation
from bridge.errors import StoreError
from bridge.store import writing
from bridge.store.sql import Transaction
from tests.store.postgres_world import PostgresWorld
from tests.store.world import (
    LEASE,
    SqliteWorld,
    World,
    after,
    announced,
    claimed,
    message,
    room,
    sent,
    settled,
    step,
    to,
    watching,
    wish,
)

pytestmark = pytest.mark.anyio


async def test_a_change_moves_its_watch_and_tells_its_recipients(store: Store) -> None:
    watch = await watching(store, "g1", 1, 2)
    change = step(watch, State.DREAMING, to(1), to(2, room=False))
    written = await store.write([change], [])
    (recorded,) = written.recorded
    assert recorded.accepted
    assert [(b.webhook, b.claimed) for b in recorded.deliveries] == [(1, True), (2, False)]
    assert written.woken == {2}
    seen = await store.watch(watch.generation)
    assert seen is not None
    assert (seen.rank, seen.seq, seen.native_state) == (State.DREAMING, 0, "dreaming")


@pytest.mark.parametrize(
    ("fence", "seq", "id_"), [(1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1)]
)
async def test_a_change_that_knew_another_watch_is_refused_whole(
    world: World, fence: int, seq: int, id_: int
) -> None:
    watch = await announced(world.store, await watching(world.store), State.QUEUED)
    known = replace(
        watch, fence=watch.fence + fence, seq=watch.seq + seq, id=watch.id + id_
    )
    (recorded,) = (
        await world.store.write([step(known, State.DREAMING, to())], [])
    ).recorded
    assert (recorded.accepted, recorded.deliveries) == (False, ())
    assert len(await world.deliveries()) == 1
    assert (await world.store.census()).events == 1


async def test_a_lower_rank_is_refused_and_an_equal_one_is_not(store: Store) -> None:
    watch = await announced(store, await watching(store), State.DREAMING)
    lower = step(watch, State.QUEUED)
    equal = replace(
        step(watch, State.DREAMING), tag="stalled:1", message=message(watch, "stalled:1")
    )
    recorded = (await store.write([lower, equal], [])).recorded
    assert [one.accepted for one in recorded] == [False, True]


async def test_an_ended_watch_takes_no_more_changes(store: Store) -> None:
    watch = await watching(store)
    end = step(watch, State.COMPLETED, ended=True)
    await store.write([end], [])
    (recorded,) = (await store.write([step(after(end), State.FAILED, to())], [])).recorded
    assert not recorded.accepted
    assert (await store.census()).watches == 0


async def test_two_steps_of_one_watch_fit_into_one_commit(store: Store) -> None:
    watch = await watching(store)
    first = step(watch, State.QUEUED, to())
    second = step(after(first), State.DREAMING, to())
    other = step(await watching(store, "g2"), State.QUEUED, to())
    recorded = (await store.write([first, other, second], [])).recorded
    assert [one.accepted for one in recorded] == [True, True, True]
    assert [[b.claimed for b in one.deliveries] for one in recorded] == [
        [True],
        [True],
        [False],
    ]


async def test_a_refused_change_does_not_spoil_the_others_of_its_commit(
    store: Store,
) -> None:
    one, two = await watching(store, "g1"), await watching(store, "g2")
    stale = step(replace(one, fence=9), State.QUEUED, to())
    recorded = (await store.write([stale, step(two, State.QUEUED, to())], [])).recorded
    assert [change.accepted for change in recorded] == [False, True]


async def test_a_repeated_change_is_accepted_again_with_what_is_still_claimed(
    store: Store,
) -> None:
    watch = await watching(store, "g1", 1, 2)
    change = step(watch, State.QUEUED, to(1), to(2, room=False))
    (first,) = (await store.write([change], [])).recorded
    (again,) = (await store.write([change], [])).recorded
    assert again.accepted
    assert again.deliveries == first.deliveries[:1]
    assert (await store.census()).events == 1


async def test_a_repeated_change_is_accepted_though_the_watch_went_on(store: Store) -> None:
    watch = await watching(store)
    change = step(watch, State.QUEUED, to())
    await store.write([change], [])
    await store.register([wish("g1", 2)])
    (again,) = (await store.write([change], [])).recorded
    assert (again.accepted, len(again.deliveries)) == (True, 1)


async def test_a_repeated_change_does_not_name_deliveries_that_are_settled(
    store: Store,
) -> None:
    watch = await watching(store)
    change = step(watch, State.QUEUED, to(room=False))
    await store.write([change], [])
    (delivery,) = await claimed(store)
    await store.write([], [settled(delivery)])
    (again,) = (await store.write([change], [])).recorded
    assert (again.accepted, again.deliveries) == (True, ())


async def test_a_born_delivery_is_claimed_for_its_lease(world: World) -> None:
    watch = await watching(world.store)
    await world.store.write([step(watch, State.QUEUED, to())], [])
    assert await claimed(world.store) == ()
    assert await world.store.next_due() == {1: LEASE}
    world.clock.pass_(LEASE)
    (delivery,) = await claimed(world.store)
    assert (delivery.attempt, delivery.fence) == (2, 1)


async def test_a_delivery_is_not_born_claimed_behind_one_that_is_pending(
    store: Store,
) -> None:
    watch = await announced(store, await watching(store), State.QUEUED)
    written = await store.write([step(watch, State.DREAMING, to())], [])
    assert [b.claimed for b in written.recorded[0].deliveries] == [False]
    assert written.woken == frozenset()


async def test_another_generation_and_another_webhook_hold_nothing_up(store: Store) -> None:
    one, two = await watching(store, "g1", 1, 2), await watching(store, "g2")
    changes = [step(one, State.QUEUED, to(1), to(2)), step(two, State.QUEUED, to(1))]
    recorded = (await store.write(changes, [])).recorded
    assert all(born.claimed for one in recorded for born in one.deliveries)


@pytest.mark.parametrize(
    ("condition", "gate"),
    [
        (Condition.PAUSED, None),
        (Condition.DISABLED, None),
        (Condition.ACTIVE, timedelta(minutes=1)),
    ],
)
async def test_a_delivery_is_not_born_claimed_for_a_webhook_that_takes_none(
    store: Store, condition: Condition, gate: timedelta | None
) -> None:
    watch = await watching(store)
    state = (await store.webhooks(["name:one"]))["name:one"]
    await store.set_webhook(replace(state, condition=condition, gate=gate))
    (recorded,) = (await store.write([step(watch, State.QUEUED, to())], [])).recorded
    assert [born.claimed for born in recorded.deliveries] == [False]


async def test_latest_supersedes_what_waits_but_not_what_flies(world: World) -> None:
    watch = await watching(world.store)
    first = step(watch, State.QUEUED, to())
    second = step(after(first), State.DREAMING, to())
    await world.store.write([first, second], [])
    third = step(after(second), State.COMPLETED, to(latest=True))
    written = await world.store.write([third], [])
    assert [row.status for row in await world.deliveries()] == [
        Status.PENDING,
        Status.SUPERSEDED,
        Status.PENDING,
    ]
    assert [b.claimed for b in written.recorded[0].deliveries] == [False]


async def test_what_supersedes_all_that_waits_is_born_claimed(world: World) -> None:
    watch = await announced(
        world.store, await watching(world.store), State.QUEUED, State.DREAMING
    )
    third = step(watch, State.COMPLETED, to(latest=True))
    (recorded,) = (await world.store.write([third], [])).recorded
    assert [born.claimed for born in recorded.deliveries] == [True]
    statuses = [row.status for row in await world.deliveries()]
    assert statuses == [Status.SUPERSEDED, Status.SUPERSEDED, Status.PENDING]


async def test_latest_leaves_other_generations_and_webhooks_alone(world: World) -> None:
    one, two = await watching(world.store, "g1", 1, 2), await watching(world.store, "g2")
    first = step(one, State.QUEUED, to(1, room=False), to(2, room=False))
    await world.store.write([first, step(two, State.QUEUED, to(1, room=False))], [])
    await world.store.write([step(after(first), State.DREAMING, to(1, latest=True))], [])
    assert [row.status for row in await world.deliveries()] == [
        Status.SUPERSEDED,
        Status.PENDING,
        Status.PENDING,
        Status.PENDING,
    ]


async def test_nothing_of_a_failed_write_is_there(world: World) -> None:
    watch = await watching(world.store)
    good = step(watch, State.QUEUED, to())
    poison = replace(
        step(after(good), State.DREAMING, to()),
        message=replace(message(watch, "dreaming"), body="ü".encode("latin-1")),
    )
    with pytest.raises(StoreError):
        await world.store.write([good, poison], [])
    assert (await world.store.census()).events == 0
    assert await world.deliveries() == []
    (recorded,) = (await world.store.write([good], [])).recorded
    assert recorded.accepted


class Stopped(StoreError):
    """What ends a transaction of these tests halfway."""


def stopped(transaction: Transaction[Any], after: int) -> Transaction[Any]:
    """Run so many statements of a transaction and fail before the next."""
    query = next(transaction)
    for _ in range(after):
        rows = yield query
        try:
            query = transaction.send(rows)
        except StopIteration as end:
            return end.value
    raise Stopped


async def test_a_failure_after_any_statement_leaves_nothing_of_a_write(
    sqlite: SqliteWorld,
) -> None:
    await nothing_of_it(sqlite, sqlite.store._write)  # noqa: SLF001  (whoever runs a transaction)


async def test_nor_does_it_on_a_server(postgres: PostgresWorld) -> None:
    async def run(transaction: Transaction[Any]) -> Any:
        return await postgres.store._pool.write(lambda: transaction)  # noqa: SLF001  (as above)

    await nothing_of_it(postgres, run)


async def nothing_of_it(
    world: World, run: Callable[[Transaction[Any]], Awaitable[Any]]
) -> None:
    """Stop a write that does everything a write can, at each of its statements."""
    flying = step(await watching(world.store, "g0"), State.QUEUED, to())
    one = sent(flying, (await world.store.write([flying], [])).recorded[0])
    change = step(await watching(world.store), State.QUEUED, to(latest=True), to(2))
    webhook = WebhookState(id=1, key="name:one", gate=LEASE, why="429")
    told = Alert(webhook=2, tag="failing:50", message=message(change.watch, "failing"))
    done = settled(one, answer=b"thanks", webhook=webhook)
    work = ([change], [replace(done, alerts=(told,))])
    before = await kept(world)
    for statements in count():
        try:
            await run(stopped(writing.write(*work, me=me(world)), statements))
            break
        except Stopped:
            assert await kept(world) == before, statements
    assert statements >= 10
    assert await kept(world) != before


async def kept(world: World) -> object:
    return (
        await world.deliveries(),
        await world.attempts(),
        await world.store.census(),
        await world.store.webhooks(["name:one"]),
        await world.store.listed([Generation("luma", "g1")]),
    )


def me(world: World) -> int:
    return getattr(world.store, "me", 1)


async def test_a_change_and_the_settlement_of_its_predecessor_release_it_together(
    store: Store,
) -> None:
    watch = await watching(store)
    first = step(watch, State.QUEUED, to())
    flying = sent(first, (await store.write([first], [])).recorded[0])
    second = step(after(first), State.DREAMING, to())
    written = await store.write([second], [settled(flying)])
    assert [b.claimed for b in written.recorded[0].deliveries] == [False]
    assert written.woken == {1}
    assert [d.seq for d in await claimed(store)] == [1]


async def test_five_hundred_changes_fit_into_one_commit(store: Store) -> None:
    await store.webhooks(["name:one", "name:two"])
    watches = (await store.register([wish(f"g{i}") for i in range(500)])).started
    written = await store.write(
        [step(watch, State.QUEUED, to(1), to(2, room=False)) for watch in watches], []
    )
    assert all(one.accepted for one in written.recorded)
    assert sum(b.claimed for one in written.recorded for b in one.deliveries) == 500
    assert len(await store.claim_deliveries([room(2, slots=1000)])) == 500
    assert await store.next_due() == {1: LEASE, 2: LEASE}
