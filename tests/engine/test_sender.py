"""What the sender does with lanes, limits, pauses and the end, on virtual time."""

import math
from datetime import timedelta
from typing import Any

import anyio
import pytest

from bridge.core.delivering.acknowledgement import Acknowledgement, TooRich, Unclear
from bridge.core.ladder import State
from bridge.core.message import Message
from bridge.core.network.exchange import Request, Response
from bridge.core.ports import Form, Limits, Rendered
from bridge.core.settings import Rate
from bridge.errors import StoreUnavailable
from tests.engine.rig import Rig, every, source, webhook
from tests.fakes.receiver import Slow

pytestmark = pytest.mark.anyio

DONE = (("completed", None),)


async def run(rig: Rig, count: int, seconds: float, **settings: Any) -> list[str]:
    """Deliver one event for each of so many generations."""
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(count)]
    async with rig.engine([source(rig.upstream)], [webhook(**settings)]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(seconds)
    return ids


async def test_a_webhook_never_gets_more_posts_at_once_than_its_concurrency() -> None:
    rig = Rig(rules={"studio": lambda _age, _r: Slow(after=timedelta(seconds=1), then=204)})
    ids = await run(rig, 100, 60, concurrency=4)
    assert rig.receiver.most_open == 4
    assert {p.document["data"]["generation_id"] for p in rig.receiver.accepted} == set(ids)


async def test_time_outs_halve_the_posts_at_once_and_successes_bring_them_back() -> None:
    def rule(age: timedelta, _request: Request) -> int | Slow:
        hung = Slow(after=timedelta(seconds=60), then=204)
        return hung if age < timedelta(seconds=20) else 204

    rig = Rig(rules={"studio": rule})
    await run(rig, 64, 400, concurrency=8, retry=every(1))
    late = [posted for posted in rig.posts() if 15 < posted.at < 20]
    assert len(rig.receiver.accepted) >= 64
    assert len(late) <= 8


async def test_a_pause_that_is_asked_for_holds_back_what_waits_for_the_rate() -> None:
    rig = Rig()

    def rule(age: timedelta, _request: Request) -> int | Response:
        if age < timedelta(seconds=5):
            wait = {"retry-after": "60"}
            return Response(status=429, headers=wait, received_at=rig.clock.now())
        return 204

    rig.receiver.rule = rule
    await run(rig, 10, 300, concurrency=8, rate=Rate(per_second=2.0))
    early = [posted for posted in rig.posts() if posted.at < 60]
    assert len(early) == 1
    assert len(rig.receiver.accepted) == 10


async def test_no_webhook_is_told_of_a_state_that_it_does_not_want() -> None:
    rig = Rig()
    script = (("queued", 2.0), ("dreaming", 2.0), ("completed", None))
    id_ = rig.upstream.add("aimlapi-luma", script=script)
    picky = webhook(states=frozenset({State.DREAMING}))
    async with rig.engine([source(rig.upstream)], [picky]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(30)
    assert rig.told(id_) == ["dreaming"]


async def test_a_signature_is_made_anew_for_each_attempt() -> None:
    rig = Rig(rules={"studio": lambda age, _: 204 if age > timedelta(seconds=30) else 500})
    await run(rig, 1, 60, retry=every(10))
    times = [int(posted.headers["webhook-timestamp"]) for posted in rig.posts()]
    assert times == sorted(set(times))
    assert len({posted.headers["webhook-signature"] for posted in rig.posts()}) == len(
        times
    )
    assert len({posted.id for posted in rig.posts()}) == 1
    assert len({posted.body for posted in rig.posts()}) == 1


class Broken:
    """A format that cannot render anything."""

    limits = Limits()
    signed = True

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        raise KeyError(message.id)

    def read(self, response: Response) -> Acknowledgement:
        return Unclear()


async def test_a_format_that_fails_costs_neither_the_lane_nor_the_delivery() -> None:
    rig = Rig()
    await run(rig, 3, 60, format=Broken())
    assert not rig.posts()
    assert (await rig.store.census()).pending == 3
    assert "attempt failed" in rig.log.phrases("warning")


class Fussy:
    """A format whose receiver takes one line only."""

    limits = Limits()
    signed = False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        return Rendered(body=form.name.encode())

    def read(self, response: Response) -> Acknowledgement:
        return Unclear() if response.status < 300 else TooRich(why="invalid_blocks")


async def test_a_message_that_is_too_rich_is_made_poorer_at_once() -> None:
    rig = Rig(
        rules={"studio": lambda _age, request: 204 if request.body == b"TEXT" else 400}
    )
    await run(rig, 1, 10, format=Fussy())
    assert [posted.body for posted in rig.posts()] == [b"FULL", b"COMPACT", b"TEXT"]
    assert len({posted.id for posted in rig.posts()}) == 1
    assert {posted.headers["webhook-attempt"] for posted in rig.posts()} == {"1"}


async def test_what_became_due_while_the_store_was_away_goes_out_after_it_is_back() -> None:
    rig = Rig(rules={"studio": lambda age, _: 204 if age > timedelta(seconds=5) else 500})
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(3)]
    async with rig.engine([source(rig.upstream)], [webhook(retry=every(10))]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(2)
        rig.store.broken = StoreUnavailable("disk full")
        await anyio.sleep(300)
        rig.store.broken = None
        await anyio.sleep(10)
    assert all(rig.told(id_) == ["completed"] for id_ in ids)


async def test_draining_lets_attempts_under_way_end_and_gives_the_rest_back() -> None:
    rig = Rig(rules={"studio": lambda _age, _r: Slow(after=timedelta(seconds=3), then=204)})
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(20)]
    async with rig.engine([source(rig.upstream)], [webhook(concurrency=4)]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(1)
        assert await engine.sender.drain(8.0)
        await engine.writer.flushed()
        assert len(rig.receiver.accepted) == 4
        assert (await rig.store.census()).pending == 16
    rig.restart()
    async with rig.engine([source(rig.upstream)], [webhook(concurrency=4)]):
        await anyio.sleep(60)
    assert {p.document["data"]["generation_id"] for p in rig.receiver.accepted} == set(ids)
    assert len(rig.posts()) == 20
    assert {p.headers["webhook-attempt"] for p in rig.posts()} == {"1"}


async def test_draining_does_not_wait_for_a_receiver_that_hangs() -> None:
    rig = Rig(rules={"studio": lambda _age, _r: Slow(after=timedelta(hours=1), then=204)})
    ids = [rig.upstream.add("aimlapi-luma", script=DONE)]
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(1)
        began = anyio.current_time()
        assert not await engine.sender.drain(8.0)
        assert math.isclose(anyio.current_time() - began, 8.0)


async def test_new_settings_of_a_webhook_hold_for_what_is_already_pending() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: 500, "moved": lambda _a, _r: 204})
    id_ = rig.upstream.add("aimlapi-luma", script=DONE)
    async with rig.engine([source(rig.upstream)], [webhook(retry=every(30))]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(5)
        states = await rig.store.webhooks(["name:studio"])
        moved = webhook(url="https://moved.example/hook", retry=every(30))
        engine.sender.set_lanes([(moved, states["name:studio"])])
        await anyio.sleep(40)
    assert rig.told(id_, "moved") == ["completed"]
