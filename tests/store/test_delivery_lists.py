"""What every store promises about lists of deliveries, and about one with its attempts."""

from datetime import timedelta

import pytest

from bridge.core.delivering.delivery import Status
from bridge.core.ladder import State
from bridge.core.listing import DeliveryFilter, ToldDelivery
from bridge.core.ports import Store
from bridge.core.watch import Generation
from bridge.store.listing import STRETCH, STRETCHES
from tests.store.world import (
    SECOND,
    SqliteWorld,
    World,
    announced,
    claimed,
    message,
    room,
    settled,
    step,
    to,
    watching,
)

pytestmark = pytest.mark.anyio

ALL = DeliveryFilter()
HOUR = timedelta(hours=1)


async def filled(world: World) -> None:
    """Four generations, an hour apart, each told to both webhooks; the third has failed."""
    for number in range(4):
        watch = await watching(world.store, f"g{number}", 1, 2)
        change = step(watch, State.QUEUED, to(1, room=False), to(2, room=False))
        await world.store.write([change], [])
        (one,) = await claimed(world.store, room(1))
        status = Status.FAILED if number == 2 else Status.DELIVERED
        await world.store.write([], [settled(one, status, code=200 + number, why="why")])
        world.clock.pass_(HOUR)


async def ids(store: Store, wanted: DeliveryFilter, **more: int) -> list[int]:
    page = await store.list_deliveries(wanted, **{"limit": 100, **more})
    assert page.before is None
    return [one.delivery.id for one in page.deliveries]


async def test_the_newest_come_first_beside_their_events(world: World) -> None:
    await filled(world)
    page = await world.store.list_deliveries(ALL, limit=3)
    newest, paid, failed = page.deliveries
    assert [newest.delivery.webhook, paid.delivery.webhook] == [2, 1]
    assert newest.generation == Generation("luma", "g3")
    assert newest.type == "generation.queued"
    assert (newest.seq, newest.manual) == (0, False)
    assert (newest.delivery.status, newest.delivery.attempts) == (Status.PENDING, 0)
    assert (paid.delivery.status, paid.delivery.code) == (Status.DELIVERED, 203)
    assert paid.event == newest.event
    assert paid.first_at == paid.delivery.settled_at == newest.delivery.due_at
    assert failed.delivery.id == page.before == 6


async def test_pages_follow_each_other_without_a_gap(world: World) -> None:
    await filled(world)
    for wanted in (ALL, DeliveryFilter(webhook=1), DeliveryFilter(status=Status.DELIVERED)):
        whole = await ids(world.store, wanted)
        seen: list[ToldDelivery] = []
        before = None
        while True:
            page = await world.store.list_deliveries(wanted, before=before, limit=2)
            seen += page.deliveries
            before = page.before
            if before is None:
                break
        assert [one.delivery.id for one in seen] == whole


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ALL, [8, 7, 6, 5, 4, 3, 2, 1]),
        (DeliveryFilter(webhook=1), [7, 5, 3, 1]),
        (DeliveryFilter(webhook=3), []),
        (DeliveryFilter(status=Status.FAILED), [5]),
        (DeliveryFilter(status=Status.PENDING), [8, 6, 4, 2]),
        (DeliveryFilter(status=Status.SUPERSEDED), []),
        (DeliveryFilter(webhook=1, status=Status.DELIVERED), [7, 3, 1]),
        (DeliveryFilter(webhook=2, status=Status.DELIVERED), []),
    ],
)
async def test_a_filter_lets_through_what_it_says(
    world: World, wanted: DeliveryFilter, expected: list[int]
) -> None:
    await filled(world)
    assert await ids(world.store, wanted) == expected


@pytest.mark.parametrize(
    ("status", "webhook", "expected"),
    [
        (None, None, [6, 5, 4, 3]),
        (None, 1, [5, 3]),
        (Status.FAILED, None, [5]),
        (Status.PENDING, None, [6, 4]),
        (Status.DELIVERED, 1, [3]),
    ],
)
async def test_two_moments_bound_when_a_delivery_was_made(
    world: World, status: Status | None, webhook: int | None, expected: list[int]
) -> None:
    begin = world.clock.now()
    await filled(world)
    wanted = DeliveryFilter(
        status=status, webhook=webhook, since=begin + HOUR, until=begin + 2 * HOUR
    )
    assert await ids(world.store, wanted) == expected
    early = DeliveryFilter(status=status, webhook=webhook, until=begin - HOUR)
    assert await ids(world.store, early) == []
    late = DeliveryFilter(status=status, webhook=webhook, since=begin + 9 * HOUR)
    assert await ids(world.store, late) == []


async def test_a_page_looks_at_so_much_and_no_more(sqlite: SqliteWorld) -> None:
    await announced(sqlite.store, await watching(sqlite.store), State.QUEUED)
    (first,) = await claimed(sqlite.store)
    await sqlite.store.write([], [settled(first)])
    sqlite.sql(MORE, STRETCH * STRETCHES)
    wanted = DeliveryFilter(status=Status.DELIVERED)
    page = await sqlite.store.list_deliveries(wanted, limit=10)
    assert page.deliveries == ()
    assert page.before is not None
    page = await sqlite.store.list_deliveries(wanted, before=page.before, limit=10)
    assert [one.delivery.id for one in page.deliveries] == [first.id]
    assert page.before is None


MORE = """
WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= ?)
INSERT INTO deliveries (event_id, webhook_id, seq, status, manual, attempt, tries, due_at,
                        first_at, fence)
SELECT 1, 1 + i, 0, 3, 0, 0, 0, 0, 0, 0 FROM n
"""


async def test_nobody_has_a_history_who_was_never_made(store: Store) -> None:
    assert await store.history(1) is None


async def test_a_history_tells_every_attempt_in_its_order(world: World) -> None:
    watch = await announced(world.store, await watching(world.store), State.QUEUED)
    for code in (500, 503, 204):
        (one,) = await claimed(world.store)
        status = Status.DELIVERED if code == 204 else Status.PENDING
        answer = b"" if code == 503 else b"answer"
        await world.store.write(
            [], [settled(one, status, code=code, wait=SECOND, answer=answer, why=f"{code}")]
        )
        world.clock.pass_(SECOND)
    history = await world.store.history(1)
    assert history is not None
    assert history.message == message(watch, "queued")
    assert history.delivery.delivery.status is Status.DELIVERED
    told = [(one.number, one.code, one.why, one.answer) for one in history.attempts]
    assert told == [
        (1, 500, "500", b"answer"),
        (2, 503, "503", None),
        (3, 204, "204", b"answer"),
    ]
    first, second, _ = history.attempts
    assert second.at - first.at == SECOND


async def test_an_answer_that_is_kept_no_longer_is_none(world: World) -> None:
    await announced(world.store, await watching(world.store), State.QUEUED)
    (one,) = await claimed(world.store)
    await world.store.write([], [settled(one, answer=b"answer")])
    day = timedelta(days=1)
    world.clock.pass_(8 * day)
    await world.store.prune(attempts=30 * day, bodies=7 * day, deliveries=90 * day)
    history = await world.store.history(one.id)
    assert history is not None
    assert [attempt.answer for attempt in history.attempts] == [None]
