"""What every store tells people of what it keeps."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Condition, Status, WebhookState
from bridge.core.ladder import State
from bridge.core.listing import WatchFilter
from bridge.core.ports import Store
from bridge.core.watch import Generation, Origin, WatchWish
from bridge.store import listing
from tests.store.world import (
    World,
    announced,
    claimed,
    message,
    room,
    settled,
    step,
    to,
    watching,
    wish,
)

pytestmark = pytest.mark.anyio

EVERYTHING = WatchFilter()
MINUTE = timedelta(minutes=1)


def elsewhere(id_: str) -> WatchWish:
    """Return a wish for a generation of the source `aiml`."""
    return replace(wish(id_), generation=Generation("aiml", id_))


async def ids(
    store: Store, wanted: WatchFilter = EVERYTHING, limit: int = 100
) -> list[str]:
    """Walk over all pages."""
    found: list[str] = []
    before: int | None = None
    while True:
        page = await store.list_watches(wanted, before=before, limit=limit)
        assert len(page.watches) <= limit
        found += [watch.generation.id for watch in page.watches]
        if page.before is None:
            return found
        assert before is None or page.before < before
        before = page.before


async def test_a_registration_names_what_nobody_had_watched_before(store: Store) -> None:
    await store.webhooks(["name:one"])
    first = await store.register([wish("g1"), wish("g2"), wish("g1")])
    assert first.begun == {Generation("luma", "g1"), Generation("luma", "g2")}
    again = await store.register([wish("g1", metadata={"a": 1}), wish("g3")])
    assert again.begun == {Generation("luma", "g3")}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_hold_every_watch_once_newest_first(store: Store, limit: int) -> None:
    await store.webhooks(["name:one"])
    await store.register([wish(f"g{i}") for i in range(7)])
    assert await ids(store, limit=limit) == [f"g{i}" for i in reversed(range(7))]


async def test_a_watch_that_comes_while_pages_are_read_does_not_disturb_them(
    store: Store,
) -> None:
    await store.webhooks(["name:one"])
    await store.register([wish(f"g{i}") for i in range(4)])
    page = await store.list_watches(EVERYTHING, limit=2)
    await store.register([wish("new")])
    rest = await store.list_watches(EVERYTHING, before=page.before, limit=2)
    assert [w.generation.id for w in (*page.watches, *rest.watches)] == [
        "g3",
        "g2",
        "g1",
        "g0",
    ]


async def test_nothing_is_listed_of_an_empty_store(store: Store) -> None:
    page = await store.list_watches(EVERYTHING, limit=10)
    assert (page.watches, page.before) == ((), None)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (WatchFilter(source="aiml"), ["other"]),
        (WatchFilter(source="nobody"), []),
        (WatchFilter(state=State.DREAMING), ["dreaming"]),
        (WatchFilter(active=True), ["other", "dreaming"]),
        (WatchFilter(active=False), ["done"]),
        (WatchFilter(source="luma", state=State.COMPLETED, active=False), ["done"]),
        (WatchFilter(source="luma", state=State.COMPLETED, active=True), []),
    ],
)
async def test_watches_are_listed_by_source_by_state_and_by_whether_they_run(
    store: Store, wanted: WatchFilter, found: list[str]
) -> None:
    dreaming = await watching(store, "dreaming")
    done = await watching(store, "done")
    await store.register([elsewhere("other")])
    changes = [step(dreaming, State.DREAMING), step(done, State.COMPLETED, ended=True)]
    await store.write(changes, [])
    assert await ids(store, wanted) == found


async def test_a_rare_watch_is_found_behind_a_long_stretch_of_others(world: World) -> None:
    await world.store.webhooks(["name:one"])
    rare = elsewhere("rare")
    many = [wish(f"g{i}") for i in range(listing.STRETCH * listing.STRETCHES + 10)]
    await world.store.register([rare, *many])
    assert await ids(world.store, WatchFilter(source="aiml")) == ["rare"]


async def test_a_listed_watch_says_all_that_was_asked_and_seen(world: World) -> None:
    began = world.clock.wall
    watch = await watching(
        world.store, "g1", 1, 2, metadata={"order": 2**70}, deadline=MINUTE
    )
    world.clock.pass_(MINUTE)
    await world.store.write([step(watch, State.DREAMING)], [])
    world.clock.pass_(MINUTE)
    await world.store.unwatch([watch.generation])
    (listed,) = await world.store.listed([watch.generation, Generation("luma", "none")])
    assert listed.generation == watch.generation
    assert (listed.origin, listed.until) == (Origin.API, State.COMPLETED)
    assert (listed.webhooks, listed.metadata) == ((1, 2), {"order": 2**70})
    assert (listed.rank, listed.native_state, listed.seq) == (State.DREAMING, "dreaming", 0)
    assert (listed.active, listed.ended) == (False, "unwatched")
    assert (listed.created_at, listed.deadline_at) == (began, began + MINUTE)
    assert (listed.state_at, listed.ended_at) == (began + MINUTE, began + 2 * MINUTE)


async def test_a_timeline_holds_every_event_with_its_deliveries(world: World) -> None:
    store = world.store
    watch = await announced(
        store, await watching(store, "g1", 1), State.QUEUED, State.DREAMING
    )
    (delivery,) = await claimed(store, room(slots=1))
    await store.write([], [settled(delivery, code=204)])
    timeline = await store.timeline(watch.generation)
    assert timeline is not None
    assert [(e.tag, e.seq, e.id) for e in timeline.events] == [
        ("queued", 0, message(watch, "queued").id),
        ("dreaming", 1, message(watch, "dreaming").id),
    ]
    assert timeline.events[0].body == message(watch, "queued").body
    assert timeline.events[0].occurred_at == world.clock.wall
    (first,), (second,) = (event.deliveries for event in timeline.events)
    assert (first.webhook, first.status, first.attempts) == (1, Status.DELIVERED, 1)
    assert (first.code, first.settled_at) == (204, world.clock.wall)
    assert (second.status, second.attempts, second.settled_at) == (Status.PENDING, 0, None)


async def test_of_a_stranger_there_is_no_timeline(store: Store) -> None:
    assert await store.timeline(Generation("luma", "none")) is None


async def test_a_webhook_that_a_caller_brings_is_kept_with_its_secret(world: World) -> None:
    one = Callback(url="https://example.com/a", secret="whsec_A")
    same_url = Callback(url="https://example.com/a", secret="whsec_B")
    unsigned = Callback(url="https://example.com/a")
    states = await world.store.adopt([one, same_url, unsigned, one])
    assert len({state.id for state in states.values()}) == 3
    await world.restart()
    again = await world.store.adopt([one])
    assert again[one.key].id == states[one.key].id
    found = await world.store.webhooks_by_id([state.id for state in states.values()])
    assert [entry.callback for entry in found] == [one, same_url, unsigned]
    assert [entry.state.condition for entry in found] == [Condition.ACTIVE] * 3


async def test_a_webhook_of_the_file_is_no_ones_callback(store: Store) -> None:
    states = await store.webhooks(["name:one"])
    (found,) = await store.webhooks_by_id([states["name:one"].id, 99])
    assert (found.state, found.callback) == (states["name:one"], None)


async def test_deliveries_go_to_a_callers_webhook_as_to_any_other(store: Store) -> None:
    callback = Callback(url="https://example.com/a")
    id_ = (await store.adopt([callback]))[callback.key].id
    watch = await watching(store, "g1", id_)
    await store.write([step(watch, State.QUEUED, to(id_, room=False))], [])
    (delivery,) = await claimed(store, room(id_))
    assert delivery.webhook == id_


async def test_webhooks_are_listed_with_how_they_stand(world: World) -> None:
    states = await world.store.webhooks(["name:one", "name:two"])
    await world.store.set_webhook(
        WebhookState(
            id=states["name:two"].id,
            key="name:two",
            condition=Condition.DISABLED,
            gate=MINUTE,
            why="gone",
        )
    )
    callback = Callback(url="https://example.com/a", secret="whsec_A")
    await world.store.adopt([callback])
    (first,) = await world.store.list_webhooks(limit=1)
    rest = await world.store.list_webhooks(after=first.state.id, limit=10)
    assert first.state.key == "name:one"
    assert [(one.state.key, one.state.condition) for one in rest] == [
        ("name:two", Condition.DISABLED),
        (callback.key, Condition.ACTIVE),
    ]
    assert (rest[0].state.gate, rest[0].state.why) == (MINUTE, "gone")
    assert [one.callback for one in rest] == [None, callback]


async def test_whoever_answers_is_a_replica_that_lives(world: World) -> None:
    await watching(world.store, "g1", 1)
    await watching(world.store, "g2", 1)
    (replica,) = await world.store.replicas()
    assert (replica.owned, replica.dead_at) == (2, None)
    assert (replica.started_at, replica.seen_at) == (world.clock.wall, world.clock.wall)


def test_a_callback_shows_neither_its_path_nor_its_secret() -> None:
    callback = Callback(url="https://example.com/CANARY", secret="CANARY")
    assert "CANARY" not in repr(callback)
    assert "CANARY" not in callback.key
