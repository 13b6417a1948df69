"""The desk, where callers order watches, and the lanes of the webhooks that they bring."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from uuid import UUID

import anyio
import pytest

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import WebhookState
from bridge.core.listing import ListedWatch
from bridge.core.order import Ordered, WatchOrder
from bridge.core.ports import Enlisted
from bridge.core.settings import Webhook
from bridge.core.watch import Generation, WatchWish
from bridge.engine.callbacks import Callbacks
from bridge.engine.desk import MOST, Desk
from bridge.errors import StoreUnavailable
from bridge.formats.standard import Format
from bridge.store.memory import MemoryStore
from tests.fakes.clock import VirtualClock

pytestmark = pytest.mark.anyio

URL = "https://caller.example/hook"


def order(id_: str, callback: Callback | None = None) -> WatchOrder:
    webhooks = ("studio",) if callback is None else ()
    return WatchOrder(
        generation=Generation("luma", id_), webhooks=webhooks, callback=callback
    )


class SlowRegistry:
    """A store whose commits take a second."""

    def __init__(self) -> None:
        numbers = count(1)
        self.store = MemoryStore(VirtualClock(), lambda: UUID(int=next(numbers)))
        self.commits: list[int] = []
        self.broken = False

    async def register(self, wishes: Sequence[WatchWish]) -> Enlisted:
        self.commits.append(len(wishes))
        await anyio.sleep(1)
        if self.broken:
            raise StoreUnavailable("the disk is full")
        return await self.store.register(wishes)

    async def unwatch(self, generations: Sequence[Generation]) -> Enlisted:
        return await self.store.unwatch(generations)

    async def listed(self, generations: Sequence[Generation]) -> Sequence[ListedWatch]:
        return await self.store.listed(generations)


class NoAdopter:
    """Knows no callers' webhooks."""

    async def adopt(self, callbacks: Iterable[Callback]) -> Mapping[str, int]:
        raise AssertionError(list(callbacks))


class Office:
    """A desk with a queue of callers before it."""

    def __init__(self) -> None:
        self.registry = SlowRegistry()
        self.enlisted: list[Enlisted] = []
        self.desk = Desk(self.registry, NoAdopter(), self._enlist)
        self.done: dict[str, Sequence[Ordered]] = {}
        self.failed: list[str] = []

    async def _enlist(self, enlisted: Enlisted) -> None:
        self.enlisted.append(enlisted)

    async def call(self, *ids: str) -> None:
        try:
            orders = [order(id_) for id_ in ids]
            self.done[ids[0]] = await self.desk.order(orders, {"studio": 1})
        except StoreUnavailable:
            self.failed.append(ids[0])

    async def calls(self, *calls: Sequence[str]) -> None:
        async with anyio.create_task_group() as tasks:
            for ids in calls:
                tasks.start_soon(self.call, *ids)
                await anyio.sleep(0.01)


async def test_what_is_ordered_while_a_commit_runs_shares_the_next_one() -> None:
    office = Office()
    began = anyio.current_time()
    await office.calls(*([f"g{i}"] for i in range(20)))
    assert office.registry.commits == [1, 19]
    assert anyio.current_time() - began < 3
    assert all(one.begun for done in office.done.values() for one in done)
    assert {id_: done[0].watch.generation.id for id_, done in office.done.items()} == {
        f"g{i}": f"g{i}" for i in range(20)
    }


async def test_of_two_callers_for_one_new_generation_the_first_has_begun_it() -> None:
    office = Office()
    await office.calls(["other"], ["g1", "g2"], ["g2", "g1"])
    assert [one.begun for one in office.done["g1"]] == [True, True]
    assert [one.begun for one in office.done["g2"]] == [False, False]


async def test_a_commit_takes_no_more_than_the_largest_call_may_bring() -> None:
    office = Office()
    many = [[f"{call}-{i}" for i in range(600)] for call in range(3)]
    await office.calls(["first"], *many)
    assert sum(office.registry.commits) == 1801
    assert max(office.registry.commits) <= MOST


async def test_every_caller_of_a_failed_commit_is_told_and_may_ask_again() -> None:
    office = Office()
    office.registry.broken = True
    await office.calls(["a"], ["b"], ["c"])
    assert office.failed == ["a", "b", "c"]
    assert not office.enlisted
    office.registry.broken = False
    await office.calls(["a"], ["b"])
    assert office.done.keys() == {"a", "b"}


async def test_a_caller_that_goes_away_leaves_the_others_their_answer() -> None:
    office = Office()
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as impatient:

            async def give_up() -> None:
                await anyio.sleep(1.5)
                impatient.cancel()

            tasks.start_soon(office.call, "first")
            await anyio.sleep(0.1)
            tasks.start_soon(give_up)
            tasks.start_soon(_later, office, "patient")
            await office.call("leaves")
    assert [one.begun for one in office.done["patient"]] == [True]
    assert office.registry.commits == [1, 2]


async def _later(office: Office, id_: str) -> None:
    await anyio.sleep(0.1)
    await office.call(id_)


class Lanes:
    """The sender's lanes."""

    def __init__(self) -> None:
        self.opened: dict[int, str] = {}

    def add_lane(self, webhook: Webhook, state: WebhookState) -> None:
        self.opened[state.id] = webhook.url

    def sends_to(self, webhook: int) -> bool:
        return webhook in self.opened

    def drop_lane(self, webhook: int) -> None:
        del self.opened[webhook]


def make(callback: Callback, state: WebhookState) -> Webhook:
    return Webhook(name=f"callback {state.id}", url=callback.url, format=Format())


def store() -> MemoryStore:
    numbers = count(1)
    return MemoryStore(VirtualClock(), lambda: UUID(int=next(numbers)))


async def test_a_webhook_that_was_met_once_is_not_asked_about_again() -> None:
    kept, lanes = store(), Lanes()
    callbacks = Callbacks(kept, lanes, make, clock=VirtualClock())
    first = await callbacks.adopt([Callback(url=URL)])
    kept.broken = StoreUnavailable("asked")
    assert await callbacks.adopt([Callback(url=URL)]) == first
    await callbacks.meet(first.values())


async def test_after_a_restart_a_webhook_has_its_lane_once_it_is_met() -> None:
    kept, lanes = store(), Lanes()
    named = (await kept.webhooks(["name:studio"]))["name:studio"].id
    (id_,) = (
        await Callbacks(kept, Lanes(), make, clock=VirtualClock()).adopt(
            [Callback(url=URL)]
        )
    ).values()
    callbacks = Callbacks(kept, lanes, make, clock=VirtualClock())
    await callbacks.meet([named, id_, 99])
    assert lanes.opened == {id_: URL}
    assert [state.id for _, state in callbacks.lanes()] == [id_]
    known = callbacks.known(named)
    assert known is not None
    assert known.state.key == "name:studio"
    assert callbacks.known(99) is None
