"""How callers' webhooks stand, are switched off, and come back only when somebody asks."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import anyio
import pytest

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.settings import Webhook
from bridge.engine.callbacks import Callbacks
from bridge.formats.standard import Format
from bridge.store.memory import MemoryStore
from tests.fakes.clock import VirtualClock

pytestmark = pytest.mark.anyio

BROUGHT = Callback(url="https://caller.example/hook")


class Lanes:
    """The sender's lanes, by the state that each was given last."""

    def __init__(self) -> None:
        self.states: dict[int, WebhookState] = {}

    def add_lane(self, webhook: Webhook, state: WebhookState) -> None:
        self.states[state.id] = state

    def sends_to(self, webhook: int) -> bool:
        state = self.states.get(webhook)
        return state is not None and state.condition is not Condition.DISABLED

    def drop_lane(self, webhook: int) -> None:
        del self.states[webhook]


class Office:
    """Callbacks over a store that outlasts them."""

    def __init__(self) -> None:
        numbers = count(1)
        self.clock = VirtualClock()
        self.store = MemoryStore(self.clock, lambda: UUID(int=next(numbers)))
        self.restart()

    def restart(self) -> None:
        self.lanes = Lanes()
        self.callbacks = Callbacks(self.store, self.lanes, _make, clock=self.clock)

    async def order(self) -> int:
        return (await self.callbacks.adopt([BROUGHT]))[BROUGHT.key]

    async def condition(self, id_: int) -> Condition:
        (listed,) = await self.store.webhooks_by_id([id_])
        return listed.state.condition

    async def prune(self) -> None:
        """Let the store forget what nobody wants any more."""
        age = timedelta(hours=2)
        while await self.store.prune(attempts=age, bodies=age, deliveries=age):
            pass

    async def set(self, id_: int, condition: Condition) -> None:
        (listed,) = await self.store.webhooks_by_id([id_])
        state = replace(listed.state, condition=condition, why="410")
        await self.store.set_webhook(state)


def _make(callback: Callback, state: WebhookState) -> Webhook:
    return Webhook(name=f"callback {state.id}", url=callback.url, format=Format())


async def test_one_that_is_switched_off_stays_off_over_a_restart_and_a_reload() -> None:
    office = Office()
    id_ = await office.order()
    await office.set(id_, Condition.DISABLED)
    office.restart()
    await office.callbacks.meet([id_])
    await office.callbacks.refresh()
    assert [state.condition for _, state in office.callbacks.lanes()] == [
        Condition.DISABLED
    ]
    assert office.lanes.states[id_].condition is Condition.DISABLED
    assert await office.condition(id_) is Condition.DISABLED


async def test_one_that_is_switched_off_is_opened_when_it_is_ordered_anew() -> None:
    office = Office()
    id_ = await office.order()
    await office.set(id_, Condition.DISABLED)
    office.restart()
    assert await office.order() == id_
    assert office.lanes.states[id_].condition is Condition.ACTIVE
    assert await office.condition(id_) is Condition.ACTIVE


async def test_one_that_a_person_paused_stays_paused_whoever_orders_it() -> None:
    office = Office()
    id_ = await office.order()
    await office.set(id_, Condition.PAUSED)
    office.restart()
    await office.order()
    assert office.lanes.states[id_].condition is Condition.PAUSED
    assert await office.condition(id_) is Condition.PAUSED


async def test_a_reload_learns_what_was_done_to_a_webhook_meanwhile() -> None:
    office = Office()
    id_ = await office.order()
    await office.set(id_, Condition.PAUSED)
    await office.callbacks.refresh()
    assert [state.condition for _, state in office.callbacks.lanes()] == [Condition.PAUSED]


async def test_one_that_the_store_has_forgotten_is_made_known_anew() -> None:
    office = Office()
    await office.order()
    await anyio.sleep(5 * 3600)
    await office.prune()
    assert not await office.store.webhooks_by_id([1])
    new = await office.order()
    assert await office.condition(new) is Condition.ACTIVE
    assert office.lanes.states[new].id == new


async def test_one_that_is_ordered_again_and_again_stays_what_it_is() -> None:
    office = Office()
    first = await office.order()
    for _ in range(20):
        await anyio.sleep(1800)
        await office.prune()
        assert await office.order() == first


async def test_one_that_the_store_has_forgotten_has_no_lane_for_ever() -> None:
    office = Office()
    old = await office.order()
    await anyio.sleep(5 * 3600)
    await office.prune()
    await office.callbacks.refresh()
    assert old not in office.lanes.states
    assert not office.callbacks.lanes()
    assert office.callbacks.known(old) is None
