"""Lanes that are narrow, receivers that misbehave in crowds, changes of settings, and the end."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import anyio
import pytest

from bridge.core.change import Change
from bridge.core.delivering.acknowledgement import Acknowledgement, TooRich
from bridge.core.delivering.delivery import Delivery, Settlement
from bridge.core.message import Message
from bridge.core.network.exchange import Answer, Request, Response
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Form, Limits, Rendered, Room, Written
from bridge.core.settings import Rate
from bridge.errors import StoreError
from bridge.store.memory import MemoryStore
from tests.engine.rig import Rig, every, source, webhook
from tests.fakes.receiver import Slow

pytestmark = pytest.mark.anyio

DONE = (("completed", None),)


class Counting(MemoryStore):
    """A store that counts claims, and takes a while for whatever it is told to."""

    claims = 0
    claiming = 0.0
    writing = 0.0

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        self.claims += 1
        claimed = await super().claim_deliveries(rooms)
        await anyio.sleep(self.claiming)
        return claimed

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        written = await super().write(changes, settlements)
        await anyio.sleep(self.writing)
        return written


def counted(rig: Rig) -> Counting:
    rig.store = store = Counting(rig.clock, rig._uid)  # noqa: SLF001  (the rig's own source of uids)
    return store


def add(rig: Rig, count: int) -> list[str]:
    return [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(count)]


async def run(rig: Rig, count: int, seconds: float, **settings: Any) -> list[str]:
    """Deliver one event for each of so many generations."""
    ids = add(rig, count)
    async with rig.engine([source(rig.upstream)], [webhook(**settings)]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(seconds)
    return ids


@pytest.mark.parametrize("seconds", [6, 60, 3600])
async def test_a_slow_rate_is_kept_without_claiming_in_vain(seconds: int) -> None:
    rig = Rig()
    store = counted(rig)
    await run(rig, 20, 10.5 * seconds, rate=Rate(per_second=1 / seconds))
    assert [round(posted.at / seconds) for posted in rig.posts()] == list(range(11))
    assert store.claims < 10 * 11 + 10.5 * seconds / 30


async def test_a_rate_that_was_raised_counts_at_once() -> None:
    rig = Rig()
    ids = add(rig, 10)
    slow, fast = (webhook(rate=Rate(per_second=rate)) for rate in (1 / 3600, 10.0))
    async with rig.engine([source(rig.upstream)], [slow]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(60)
        assert len(rig.posts()) == 1
        states = await rig.store.webhooks(["name:studio"])
        engine.sender.set_lanes([(fast, states["name:studio"])])
        await anyio.sleep(60)
    assert len(rig.posts()) == 10


async def test_a_crowd_of_429s_is_one_reason_for_a_webhook_to_pause() -> None:
    def rule(age: timedelta, _request: Request) -> Slow:
        refuses = age < timedelta(seconds=1)
        return Slow(after=timedelta(seconds=1), then=429 if refuses else 204)

    rig = Rig(rules={"studio": rule})
    await run(rig, 8, 30, concurrency=8)
    assert len(rig.receiver.accepted) == 8


class Puzzled:
    """A format that cannot read an answer."""

    limits = Limits()
    signed = False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        return Rendered(body=b"{}")

    def read(self, response: Response) -> Acknowledgement:
        raise KeyError(response.status)


async def test_an_answer_that_a_format_cannot_read_is_judged_by_its_status() -> None:
    rig = Rig()
    await run(rig, 3, 60, format=Puzzled())
    assert len(rig.receiver.accepted) == 3
    assert (await rig.store.census()).pending == 0


class Collapses:
    """An Http that raises what nobody has foreseen."""

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        raise RuntimeError(request.method)


async def test_a_request_that_breaks_our_own_code_costs_no_other_webhook() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: 204, "other": lambda _a, _r: 204})
    rig.network.hosts["studio.example"] = Collapses()
    (id_,) = add(rig, 1)
    hooks = [webhook(), webhook("other")]
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(60)
    assert rig.told(id_, "other") == ["completed"]
    assert (await rig.store.census()).pending == 1


class Rich:
    """A format whose receiver finds everything too rich."""

    limits = Limits()
    signed = False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        return Rendered(body=form.name.encode())

    def read(self, response: Response) -> Acknowledgement:
        return TooRich(why="invalid_blocks")


async def test_all_the_forms_of_a_message_share_the_time_of_one_attempt() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: Slow(after=timedelta(seconds=10), then=400)})
    await run(rig, 1, 40, format=Rich(), retry=every(60))
    assert [(posted.at, posted.body) for posted in rig.posts()] == [
        (0, b"FULL"),
        (10, b"COMPACT"),
    ]


async def test_a_pause_outlives_new_settings_that_the_store_has_not_heard_of() -> None:
    rig = Rig()
    store = counted(rig)

    def rule(age: timedelta, _request: Request) -> int | Response:
        if age < timedelta(seconds=60):
            wait = {"retry-after": "60"}
            return Response(status=429, headers=wait, received_at=rig.clock.now())
        return 204

    rig.receiver.rule = rule
    ids = add(rig, 10)
    async with rig.engine([source(rig.upstream)], [webhook(concurrency=1)]) as engine:
        states = await store.webhooks(["name:studio"])
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(0.01)
        assert len(rig.posts()) == 1
        renewed = webhook(concurrency=1, timeout=timedelta(seconds=14))
        engine.sender.set_lanes([(renewed, states["name:studio"])])
        await anyio.sleep(200)
    assert [posted for posted in rig.posts() if posted.at < 60][1:] == []
    assert len(rig.receiver.accepted) == 10


async def test_a_webhook_that_was_switched_off_while_settings_changed_stays_off() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: 410})
    store = counted(rig)
    ids = add(rig, 1)
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        states = await store.webhooks(["name:studio"])
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(0.01)
        assert len(rig.posts()) == 1
        engine.sender.set_lanes([(webhook(), states["name:studio"])])
        await anyio.sleep(1)
        assert not engine.sender.sends_to(states["name:studio"].id)


async def test_draining_does_not_wait_for_what_waits_for_its_rate() -> None:
    rig = Rig()
    ids = add(rig, 20)
    slow = webhook(rate=Rate(per_second=0.1))
    async with rig.engine([source(rig.upstream)], [slow]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(1)
        began = anyio.current_time()
        assert await engine.sender.drain(8.0)
        assert anyio.current_time() - began < 1
        await engine.writer.flushed()
    rig.restart()
    async with rig.engine([source(rig.upstream)], [webhook()]):
        await anyio.sleep(10)
    assert {posted.headers["webhook-attempt"] for posted in rig.posts()} == {"1"}
    assert len(rig.posts()) == 20


async def test_what_is_being_claimed_when_draining_begins_is_given_back() -> None:
    rig = Rig(rules={"studio": lambda age, _: 204 if age > timedelta(seconds=15) else 500})
    store = counted(rig)
    (id_,) = add(rig, 1)
    hook = webhook(retry=every(10))
    async with rig.engine([source(rig.upstream)], [hook]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(5)
        store.claiming = 2.0
        await anyio.sleep(6)
        assert await engine.sender.drain(8.0)
        await engine.writer.flushed()
    rig.restart()
    async with rig.engine([source(rig.upstream)], [hook]):
        await anyio.sleep(30)
    assert [posted.headers["webhook-attempt"] for posted in rig.posts()] == ["1", "2", "3"]


async def test_a_source_that_changes_during_a_commit_has_nothing_sent_twice() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: Slow(after=timedelta(seconds=8), then=204)})
    store = counted(rig)
    ids = add(rig, 3)
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        store.writing = 1.0
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(0.5)
        changed = source(rig.upstream, rate=Rate(per_second=50.0))
        engine.supervisor.set_sources({changed.name: changed})
        await anyio.sleep(60)
    assert len(rig.posts()) == 3


async def test_a_backlog_is_claimed_while_what_was_claimed_before_is_sent() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: Slow(after=timedelta(seconds=1), then=204)})
    counted(rig).claiming = 1.0
    await run(rig, 40, 30, concurrency=4)
    assert len(rig.receiver.accepted) == 40
    assert rig.posts()[-1].at < 13  # claiming only between batches takes 15 and more


class Unwilling(Counting):
    """A store that takes no settlement of an attempt, in whatever form."""

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        if settlements:
            raise StoreError("cannot be stored")
        return await super().write(changes, settlements)


async def test_a_delivery_whose_settlement_is_refused_for_good_is_not_posted_for_ever() -> (
    None
):
    rig = Rig()
    rig.store = Unwilling(rig.clock, rig._uid)  # noqa: SLF001  (the rig's own source of uids)
    await run(rig, 1, 3600)
    assert len(rig.posts()) == 1
    assert "the store refuses a row" in rig.log.phrases("error")
    assert (await rig.store.census()).pending == 1
