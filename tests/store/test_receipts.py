"""What every store promises about receipts: kept with the settlement, forgotten with the watch."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bridge.core.delivering.delivery import Delivery, Status
from bridge.core.delivering.receipt import Receipt
from bridge.core.ladder import State
from bridge.core.ports import Store
from bridge.core.watch import Generation
from tests.store.world import (
    LEASE,
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
FIRST = Receipt(place="here", text="1001")
SECOND = Receipt(place="there", text="1002:file")


async def due(store: Store, id_: str = "g1", *webhooks: int) -> Sequence[Delivery]:
    """Claim what a new generation is told of to each webhook."""
    told = webhooks or (1,)
    watch = await watching(store, id_, *told)
    change = step(watch, State.QUEUED, *(to(one, room=False) for one in told))
    await store.write([change], [])
    return await claimed(store, *map(room, told))


async def keep(store: Store, delivery: Delivery, receipt: Receipt) -> None:
    await store.write([], [settled(delivery, receipt=receipt)])


async def test_nothing_is_known_before_anything_was_kept(store: Store) -> None:
    (delivery,) = await due(store)
    assert delivery.watch is not None
    assert await store.receipt(delivery.watch, 1) is None
    await store.write([], [settled(delivery)])
    assert await store.receipt(delivery.watch, 1) is None


async def test_a_receipt_outlives_a_restart(world: World) -> None:
    (delivery,) = await due(world.store)
    await keep(world.store, delivery, FIRST)
    await world.restart()
    assert await world.store.receipt(delivery.watch or 0, 1) == FIRST


async def test_each_webhook_and_each_watch_has_its_own(store: Store) -> None:
    one, two = sorted(await due(store, "g1", 1, 2), key=lambda d: d.webhook)
    (other,) = await due(store, "g2")
    await store.write(
        [], [settled(one, receipt=FIRST), settled(two, receipt=SECOND), settled(other)]
    )
    assert await store.receipt(one.watch or 0, 1) == FIRST
    assert await store.receipt(one.watch or 0, 2) == SECOND
    assert await store.receipt(other.watch or 0, 1) is None


async def test_a_newer_receipt_takes_the_place_of_the_older_one(store: Store) -> None:
    watch = await announced(store, await watching(store), State.QUEUED)
    (delivery,) = await claimed(store)
    await keep(store, delivery, FIRST)
    await announced(store, watch, State.DREAMING)
    (delivery,) = await claimed(store)
    await store.write([], [settled(delivery, Status.PENDING, receipt=None)])
    assert await store.receipt(watch.id, 1) == FIRST
    (delivery,) = await claimed(store)
    await keep(store, delivery, SECOND)
    assert await store.receipt(watch.id, 1) == SECOND


async def test_of_two_in_one_commit_the_last_one_counts(store: Store) -> None:
    watch = await announced(store, await watching(store), State.QUEUED, State.DREAMING)
    (queued,) = await claimed(store)
    await store.write([], [settled(queued, receipt=FIRST)])
    (dreaming,) = await claimed(store)
    await store.retry(queued.id)
    (again,) = await claimed(store)
    both = [settled(again, receipt=FIRST), settled(dreaming, receipt=SECOND)]
    await store.write([], both)
    assert await store.receipt(watch.id, 1) == SECOND


async def test_whoever_has_lost_a_delivery_keeps_no_receipt_of_it(world: World) -> None:
    (late,) = await due(world.store)
    world.clock.pass_(LEASE)
    (now,) = await claimed(world.store)
    await keep(world.store, now, SECOND)
    assert (await world.store.write([], [settled(late, receipt=FIRST)])).fenced == 1
    assert await world.store.receipt(late.watch or 0, 1) == SECOND


async def test_a_write_that_is_repeated_keeps_the_same(store: Store) -> None:
    (delivery,) = await due(store)
    for _ in range(2):
        await keep(store, delivery, FIRST)
    assert await store.receipt(delivery.watch or 0, 1) == FIRST


async def test_what_no_database_takes_is_made_plain(store: Store) -> None:
    (delivery,) = await due(store)
    await keep(store, delivery, Receipt(place="here", text="1\0\ud800"))
    assert await store.receipt(delivery.watch or 0, 1) == Receipt(
        place="here", text="1\ufffd"
    )


async def test_a_receipt_goes_when_its_watch_goes_and_not_before(world: World) -> None:
    store = world.store
    watch = await watching(store)
    change = step(watch, State.COMPLETED, to(room=False), ended=True)
    await store.write([change], [])
    (delivery,) = await claimed(store)
    await keep(store, delivery, FIRST)
    (running,) = await due(store, "g2")
    await keep(store, running, SECOND)
    world.clock.pass_(89 * DAY)
    await store.prune(**KEEP)
    assert await store.receipt(watch.id, 1) == FIRST
    world.clock.pass_(2 * DAY)
    await store.prune(**KEEP)
    assert await store.receipt(watch.id, 1) is None
    assert await store.receipt(running.watch or 0, 1) == SECOND
    # Ids may be given out again: what was kept under one must not come back with it.
    (fresh,) = (await store.register([wish()])).started
    assert fresh.generation == Generation("luma", "g1")
    assert await store.receipt(fresh.id, 1) is None
