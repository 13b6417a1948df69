"""What every store promises about the health of webhooks, alerts, and how attempts went."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.delivering.delivery import (
    Alert,
    Condition,
    Delivery,
    Particulars,
    Purpose,
    Result,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.delivering.health import HEALTHY, Health
from bridge.core.ladder import State
from bridge.core.listing import DeliveryFilter
from bridge.core.message import Message
from bridge.core.network.exchange import Peer
from bridge.core.ports import Store
from bridge.store.settling import particulars_text
from bridge.store.webhooks import merged
from tests.store.world import (
    SECOND,
    MemoryWorld,
    World,
    announced,
    claimed,
    room,
    settled,
    watching,
)

pytestmark = pytest.mark.anyio

ILL = Health(
    open=True,
    opened=3,
    streak=2,
    failing=timedelta(hours=5),
    failures=70,
    told=50,
)


def alert(webhook: int = 2, number: int = 1, tag: str = "failing:50") -> Alert:
    kind = tag.partition(":")[0]
    return Alert(
        webhook=webhook,
        tag=tag,
        message=Message(
            id=UUID(int=2**100 + number),
            body=b'{"type":"webhook.%b","data":{"webhook":"one"}}' % kind.encode(),
        ),
    )


async def one_claimed(store: Store) -> Delivery:
    await announced(store, await watching(store), State.QUEUED)
    (delivery,) = await claimed(store)
    return delivery


async def state(store: Store) -> WebhookState:
    return (await store.webhooks(["name:one"]))["name:one"]


def failed(delivery: Delivery, health: Health, **more: object) -> Settlement:
    told = WebhookState(id=1, key="name:one", health=health, **more)  # type: ignore[arg-type]  # by name
    return settled(delivery, Status.PENDING, wait=SECOND, webhook=told)


async def test_health_is_kept_with_its_settlement_and_goes_on_ageing(world: World) -> None:
    delivery = await one_claimed(world.store)
    assert (await state(world.store)).health == HEALTHY
    await world.store.write([], [failed(delivery, ILL)])
    world.clock.pass_(60 * SECOND)
    await world.restart()
    aged = replace(ILL, failing=timedelta(hours=5, minutes=1))
    assert (await state(world.store)).health == aged
    (listed, _) = await world.store.list_webhooks(limit=10)
    assert listed.state.health == aged
    (listed,) = await world.store.webhooks_by_id([1])
    assert listed.state.health == aged


async def test_a_webhook_that_recovers_keeps_the_number_of_its_streak(world: World) -> None:
    delivery = await one_claimed(world.store)
    await world.store.write([], [failed(delivery, ILL)])
    world.clock.pass_(SECOND)
    (delivery,) = await claimed(world.store)
    well = WebhookState(id=1, key="name:one", health=Health(streak=2))
    await world.store.write([], [settled(delivery, webhook=well)])
    assert (await state(world.store)).health == Health(streak=2)


async def test_a_person_cannot_take_a_streaks_number_back(store: Store) -> None:
    delivery = await one_claimed(store)
    await store.write([], [failed(delivery, ILL)])
    await store.set_webhook(WebhookState(id=1, key="name:one"))
    assert (await state(store)).health == Health(streak=2)


async def test_of_several_states_in_one_commit_the_last_counts_and_off_stays_off(
    store: Store,
) -> None:
    watch = await watching(store)
    await announced(store, watch, State.QUEUED)
    await announced(store, await watching(store, "g2"), State.QUEUED)
    one, two = await claimed(store)
    off = failed(one, ILL, condition=Condition.DISABLED, why="gone")
    later = failed(two, replace(ILL, failures=71))
    await store.write([], [off, later])
    now = await state(store)
    assert (now.condition, now.health.failures) == (Condition.DISABLED, 71)


async def test_a_fenced_settlement_tells_of_the_webhook_all_the_same(world: World) -> None:
    delivery = await one_claimed(world.store)
    world.clock.pass_(31 * SECOND)
    await claimed(world.store)
    assert (await world.store.write([], [failed(delivery, ILL)])).fenced == 1
    assert (await state(world.store)).health.failures == 70


# ---------------------------------------------------------------- what several answers say at once


def told(gate: int | None = None, why: str | None = None, **more: Any) -> WebhookState:
    span = None if gate is None else gate * SECOND
    return WebhookState(id=1, key="name:one", gate=span, why=why, **more)


async def notes(store: Store, *states: WebhookState, together: bool = False) -> None:
    """Settle a delivery for each state, in one commit or one after the other."""
    begun = (await store.census()).watches
    for number, _ in enumerate(states, begun):
        watch = await watching(store, f"g{number}")
        await announced(store, watch, State.QUEUED)
    taken = await claimed(store)
    settlements = [
        settled(delivery, webhook=state)
        for delivery, state in zip(taken, states, strict=True)
    ]
    for some in [settlements] if together else [[one] for one in settlements]:
        await store.write([], some)


OFF = Condition.DISABLED
TOLD = {
    "who knows of no gate leaves it alone": (told(60, "429"), told(), 60, "429"),
    "a shorter gate shortens no longer one": (told(60, "429"), told(5, "503"), 60, "429"),
    "a longer gate counts": (told(5, "503"), told(60, "429"), 60, "429"),
    "off stays off, for its reason": (
        told(None, "410", condition=OFF),
        told(60, "429"),
        60,
        "410",
    ),
    "what switches it off says why": (
        told(60, "429"),
        told(None, "410", condition=OFF),
        60,
        "410",
    ),
}


@pytest.mark.parametrize("together", [False, True], ids=["in turn", "together"])
@pytest.mark.parametrize("case", TOLD)
async def test_of_what_answers_say_of_a_webhook_that_counts_which_holds_more_back(
    store: Store, case: str, *, together: bool
) -> None:
    one, two, gate, why = TOLD[case]
    await notes(store, one, two, together=together)
    now = await state(store)
    assert (now.gate, now.why) == (gate * SECOND, why)
    assert now.condition is max(one.condition, two.condition)


@pytest.mark.parametrize("together", [False, True], ids=["in turn", "together"])
async def test_an_answer_takes_no_streaks_number_back(
    store: Store, *, together: bool
) -> None:
    behind = told(health=Health(streak=1, failures=3))
    await notes(store, told(health=ILL), behind, together=together)
    assert (await state(store)).health == Health(streak=2, failures=3)


async def test_a_gate_that_has_opened_gives_way_to_any_other(world: World) -> None:
    await notes(world.store, told(60, "429"))
    world.clock.pass_(120 * SECOND)
    await notes(world.store, told(5, "503"))
    now = await state(world.store)
    assert (now.gate, now.why) == (5 * SECOND, "503")


async def test_the_reason_of_a_gate_goes_once_an_answer_comes_after_it(
    world: World,
) -> None:
    await notes(world.store, told(60, "429"))
    world.clock.pass_(120 * SECOND)
    await notes(world.store, told())
    assert ((await state(world.store)).gate, (await state(world.store)).why) == (None, None)


SPANS = st.none() | st.integers(1, 9)
SAYINGS = st.builds(
    told,
    SPANS,
    st.none() | st.sampled_from("ab"),
    condition=st.sampled_from(Condition),
    health=st.builds(Health, streak=st.integers(0, 3), open=st.booleans()),
)


@given(st.lists(SAYINGS, min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
def test_states_of_one_commit_are_merged_to_what_they_are_in_turn(
    states: list[WebhookState],
) -> None:
    async def noted(*states: WebhookState) -> WebhookState:
        world = MemoryWorld()
        await notes(world.store, *states)
        return await state(world.store)

    assert anyio.run(noted, reduce(merged, states)) == anyio.run(noted, *states)


# ---------------------------------------------------------------- alerts


async def test_an_alert_is_due_at_once_at_the_webhook_that_is_told(store: Store) -> None:
    delivery = await one_claimed(store)
    settlement = replace(failed(delivery, ILL), alerts=(alert(),))
    assert 2 in (await store.write([], [settlement])).woken
    (told,) = await claimed(store, room(2))
    assert told.message == alert().message
    assert (told.watch, told.seq, told.attempt, told.manual) == (None, 0, 1, False)
    await store.write([], [settled(told)])
    page = await store.list_deliveries(DeliveryFilter(webhook=2), limit=10)
    (shown,) = page.deliveries
    assert (shown.type, shown.generation) == ("webhook.failing", None)
    assert shown.delivery.status is Status.DELIVERED


async def test_an_alert_is_stored_once_however_often_it_is_written(store: Store) -> None:
    delivery = await one_claimed(store)
    settlement = replace(failed(delivery, ILL), alerts=(alert(), alert()))
    assert 2 in (await store.write([], [settlement])).woken
    assert (await store.write([], [settlement])).woken == frozenset()
    assert len(await claimed(store, room(2))) == 1


async def test_an_alert_for_a_webhook_that_is_gone_costs_nothing_else(
    store: Store,
) -> None:
    delivery = await one_claimed(store)
    lost = replace(settled(delivery), alerts=(alert(77), alert(2, 2)))
    assert (await store.write([], [lost])).fenced == 0
    assert len(await claimed(store, room(2))) == 1
    assert await claimed(store) == ()


async def test_several_alerts_do_not_wait_for_each_other(store: Store) -> None:
    delivery = await one_claimed(store)
    both = (alert(2, 1, "failing:50"), alert(2, 2, "disabled"))
    await store.write([], [replace(settled(delivery), alerts=both)])
    assert len(await claimed(store, room(2))) == 2


async def test_old_operational_events_go_once_nothing_of_them_is_pending(
    world: World,
) -> None:
    delivery = await one_claimed(world.store)
    both = (alert(2, 1), alert(2, 2))
    await world.store.write([], [replace(settled(delivery), alerts=both)])
    first, _ = await claimed(world.store, room(2))
    await world.store.write([], [settled(first)])
    year, day = timedelta(days=365), timedelta(days=1)
    world.clock.pass_(91 * day)
    assert await world.store.prune(attempts=year, bodies=year, deliveries=90 * day) == 1
    assert [row.webhook for row in await world.deliveries()] == [1, 2]
    assert (await world.store.census()).pending == 1


# ---------------------------------------------------------------- particulars

FULL = Particulars(
    purpose=Purpose.PROBE,
    step=3,
    started=datetime(2026, 11, 21, 8, 30, 1, 250_000, tzinfo=UTC),
    peer=Peer(address="192.0.2.7:443", tls="TLSv1.3"),
    form="compact",
    sent=(("content-type", "application/json"), ("authorization", "***")),
    heard=(("x-note", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"),),
    cut=True,
    result=Result.AGAIN,
    reason="http-500",
    sentence="500: the receiver failed",
    next=timedelta(seconds=5.65),
    because="step 3 \N{MULTIPLICATION SIGN} 1.13",
)


async def test_the_log_keeps_how_an_attempt_went(store: Store) -> None:
    delivery = await one_claimed(store)
    one = settled(delivery, answer=b"thanks")
    assert one.attempt is not None
    made = replace(one.attempt, particulars=FULL)
    await store.write([], [replace(one, attempt=made)])
    history = await store.history(delivery.id)
    assert history is not None
    assert history.message == delivery.message
    (attempt,) = history.attempts
    assert (attempt.number, attempt.code, attempt.answer) == (1, 204, b"thanks")
    assert attempt.particulars == FULL
    assert attempt.timings == made.timings


@pytest.mark.parametrize(
    ("made", "text"), [(Particulars(), "{}"), (Particulars(cut=True), '{"cut":true}')]
)
async def test_what_is_as_ever_takes_no_room_in_the_log(
    store: Store, made: Particulars, text: str
) -> None:
    delivery = await one_claimed(store)
    one = settled(delivery)
    assert one.attempt is not None
    await store.write([], [replace(one, attempt=replace(one.attempt, particulars=made))])
    history = await store.history(delivery.id)
    assert history is not None
    assert history.attempts[0].particulars == made
    assert particulars_text(made) == text


async def test_headers_that_no_text_can_hold_are_kept_as_far_as_possible(
    store: Store,
) -> None:
    delivery = await one_claimed(store)
    one = settled(delivery)
    assert one.attempt is not None
    strange = replace(FULL, heard=(("x-note", "\udcff\0"),))
    await store.write([], [replace(one, attempt=replace(one.attempt, particulars=strange))])
    history = await store.history(delivery.id)
    assert history is not None
    assert history.attempts[0].particulars == replace(FULL, heard=(("x-note", "\ufffd\0"),))
