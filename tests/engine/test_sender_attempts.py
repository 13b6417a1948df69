"""One attempt after the other: what is logged, what is renewed, what is spared, what overlaps."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest

from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    TooRich,
    Unclear,
)
from bridge.core.delivering.delivery import Attempt, Delivery, Purpose, Result, Status
from bridge.core.message import Message
from bridge.core.network.exchange import Peer, Request, Response, Timings
from bridge.core.ports import Consent, Form, Limits, Rendered
from bridge.core.settings import Order, Rate
from tests.engine.heap import Heap
from tests.engine.rig import Rig, every, source, webhook
from tests.fakes.outbox import BODY
from tests.fakes.receiver import Choice, Slow

pytestmark = pytest.mark.anyio

STEPS = (("queued", 2.0), ("dreaming", 2.0), ("completed", None))
DONE = (("completed", None),)


def attempts(heap: Heap) -> list[Attempt]:
    return [one.attempt for _, one in heap.pile.settled if one.attempt is not None]


async def sent(heap: Heap, count: int, seconds: float, **settings: Any) -> list[int]:
    async with heap.sender([webhook("w1", **settings)]):
        ids = [heap.pile.add(1) for _ in range(count)]
        await anyio.sleep(seconds)
    return ids


async def test_the_log_of_attempts_tells_everything() -> None:
    heap = Heap([])
    answers = [500, 204]

    class Wire:
        async def send(self, request: Request, **_rest: Any) -> Response:
            await anyio.sleep(0.25)
            return Response(
                status=answers.pop(0),
                headers={"server": "x", "set-cookie": "session=1"},
                body=b"sorry",
                received_at=heap.clock.now(),
                timings=Timings(connect=1.0, total=250.0),
                peer=Peer(address="192.0.2.7:443", tls="TLSv1.3"),
            )

    heap.network.hosts["w1.example"] = Wire()
    await sent(heap, 1, 60, retry=every(10))
    first, second = attempts(heap)
    told = first.particulars
    assert (first.number, first.code, first.answer) == (1, 500, b"sorry")
    assert (told.purpose, told.step, told.result) == (Purpose.LIVE, 0, Result.AGAIN)
    assert (told.reason, told.next) == ("http-500", timedelta(seconds=10))
    assert told.because is not None
    assert told.because.startswith("step 1")
    assert told.peer == Peer(address="192.0.2.7:443", tls="TLSv1.3")
    assert told.heard == (("server", "x"), ("set-cookie", "…"))
    assert dict(told.sent)["webhook-signature"] == "…"
    assert first.timings.queue is not None
    assert (first.timings.connect, first.timings.total) == (1.0, 250.0)
    assert (second.particulars.step, second.particulars.result) == (1, Result.DELIVERED)
    assert (second.particulars.next, second.particulars.form) == (None, "full")


async def test_what_waits_for_its_rate_has_waited_in_the_queue() -> None:
    heap = Heap([lambda _a, _r: 204])
    await sent(heap, 3, 30, rate=Rate(per_second=0.2))
    waits = [one.timings.queue for one in attempts(heap)]
    assert [round(wait or 0.0) for wait in waits] == [0, 5000, 10000]


async def test_a_replay_is_logged_as_one() -> None:
    heap = Heap([lambda _a, _r: 204])
    async with heap.sender([webhook("w1")]):
        heap.pile.add(1, manual=True)
        await anyio.sleep(1)
    assert attempts(heap)[0].particulars.purpose is Purpose.REPLAY


# Forms


class Fussy:
    """A format whose receiver takes one line only, for an hour and a half."""

    limits = Limits()
    signed = False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        return Rendered(body=form.name.encode())

    def read(self, response: Response) -> Acknowledgement:
        return Unclear() if response.status < 300 else TooRich(why="invalid_blocks")


async def test_after_three_messages_in_a_row_that_were_too_rich_only_poor_ones_are_sent() -> (
    None
):
    heap = Heap([lambda _a, request: 204 if request.body == b"TEXT" else 400])
    async with heap.sender([webhook("w1", format=Fussy())]):
        for _ in range(5):
            heap.pile.add(1)
            await anyio.sleep(60)
        receiver = heap.receivers[0]
        assert [p.body for p in receiver.posted] == [
            *[b"FULL", b"COMPACT", b"TEXT"] * 3,
            *[b"TEXT"] * 2,
        ]
        assert heap.log.phrases("warning") == ["poorer messages for an hour"]
        await anyio.sleep(3600)
        receiver.posted.clear()
        heap.pile.add(1)
        await anyio.sleep(1)
        assert [p.body for p in receiver.posted] == [b"FULL", b"COMPACT", b"TEXT"]


class Obliging:
    """A format that reads a pause out of an acceptance."""

    limits = Limits()
    signed = False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        return Rendered(body=b"{}")

    def read(self, response: Response) -> Acknowledgement:
        return Accepted(pause=timedelta(seconds=30))


async def test_a_receiver_that_wants_a_pause_after_a_message_gets_it() -> None:
    heap = Heap([lambda _a, _r: 204])
    await sent(heap, 4, 100, format=Obliging(), concurrency=1)
    assert [round(p.at) for p in heap.receivers[0].posted] == [0, 30, 60, 90]


class Asking:
    """A format whose receivers grant a rate."""

    limits = Limits()
    signed = False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        return Rendered(body=b"{}")

    def read(self, response: Response) -> Acknowledgement:
        return Unclear()

    def greet(self, origin: str, rate: float | None) -> Rendered | None:
        return Rendered(body=b"", method="OPTIONS")

    def consent(self, response: Response, origin: str) -> Consent:
        return Consent(granted=True, rate=0.1)


async def test_a_rate_that_the_receiver_has_consented_to_holds() -> None:
    heap = Heap([lambda _a, _r: 204])
    await sent(heap, 5, 100, format=Asking(), concurrency=1)
    moments = [p.at for p in heap.receivers[0].posted if p.body]
    gaps = [round(b - a) for a, b in pairwise(moments)]
    assert gaps[1:] == [10] * 3


# Links


class Renewal:
    """A renewer that knows fresh links, or fails."""

    def __init__(self, error: Exception | None = None, takes: float = 0.0) -> None:
        self.asked: list[Delivery] = []
        self.error = error
        self.takes = takes

    async def fresh(self, delivery: Delivery) -> Message | None:
        self.asked.append(delivery)
        await anyio.sleep(self.takes)
        if self.error is not None:
            raise self.error
        return replace(delivery.message, body=BODY.replace(b'"a"', b'"fresh"'))


WITH_LINKS = BODY.replace(
    b'{"a":1}', b'{"outputs":[{"expires_at":"2026-11-21T08:31:00Z"}]}'
)


async def renewed(renewal: Renewal, body: bytes) -> bytes:
    heap = Heap([lambda _a, _r: 204])
    async with heap.sender([webhook("w1")], renewer=renewal):
        heap.pile.add(1)
        _, number, delivery = heap.pile.waiting[1][0]
        message = replace(delivery.message, body=body)
        heap.pile.waiting[1] = [(0.0, number, replace(delivery, message=message))]
        await anyio.sleep(30)
    return heap.receivers[0].posted[0].body


async def test_links_are_renewed_before_an_attempt() -> None:
    renewal = Renewal()
    assert b'"fresh"' in await renewed(renewal, WITH_LINKS)
    assert len(renewal.asked) == 1


async def test_a_message_without_links_is_nothing_to_renew() -> None:
    renewal = Renewal()
    assert b'"a"' in await renewed(renewal, BODY)
    assert not renewal.asked


@pytest.mark.parametrize("renewal", [Renewal(KeyError("x")), Renewal(takes=3600.0)])
async def test_links_that_cannot_be_renewed_hold_nothing_up(renewal: Renewal) -> None:
    assert b"08:31:00Z" in await renewed(renewal, WITH_LINKS)


# Order


async def test_what_waits_gives_way_to_a_newer_state_where_only_the_latest_counts() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: Slow(after=timedelta(seconds=9), then=204)})
    id_ = rig.upstream.add("aimlapi-luma", script=STEPS)
    hook = webhook(order=Order.LATEST, concurrency=1)
    async with rig.engine([source(rig.upstream)], [hook]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(60)
    assert rig.told(id_) == ["queued", "completed"]
    statuses = [row.status for row in rig.store.disk.deliveries.values()]
    assert statuses == [Status.DELIVERED, Status.SUPERSEDED, Status.DELIVERED]


async def test_what_fails_under_way_is_not_repeated_if_a_newer_state_is_there() -> None:
    def rule(age: timedelta, _request: Request) -> Choice:
        early = age < timedelta(seconds=1)
        return Slow(after=timedelta(seconds=9), then=500 if early else 204)

    rig = Rig(rules={"studio": rule})
    id_ = rig.upstream.add("aimlapi-luma", script=STEPS)
    hook = webhook(order=Order.LATEST, retry=every(30))
    async with rig.engine([source(rig.upstream)], [hook]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(60)
    assert rig.told(id_) == ["completed"]
    assert rig.posts()[1].at < 10
    statuses = [row.status for row in rig.store.disk.deliveries.values()]
    assert statuses == [Status.SUPERSEDED, Status.SUPERSEDED, Status.DELIVERED]


async def test_attempts_of_one_delivery_never_overlap() -> None:
    under_way: dict[str, int] = defaultdict(int)
    most: dict[str, int] = defaultdict(int)
    rig = Rig()

    class Wire:
        async def send(self, request: Request, *, timeout: timedelta, **_rest: Any) -> Any:  # noqa: ASYNC109  (the port's word)
            id_ = dict(request.headers)["webhook-id"]
            under_way[id_] += 1
            most[id_] = max(most[id_], under_way[id_])
            try:
                await anyio.sleep(timeout.total_seconds() - 0.1)
            finally:
                under_way[id_] -= 1
            return Response(status=500, received_at=rig.clock.now())

    rig.network.hosts["studio.example"] = Wire()
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(40)]
    hook = webhook(retry=every(0.1), concurrency=2, rate=Rate(per_second=0.3))
    async with rig.engine([source(rig.upstream)], [hook]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(1200)
    assert len(most) > 5
    assert set(most.values()) == {1}


async def test_a_thousand_failures_are_spread_over_a_fifth_each_way() -> None:
    heap = Heap([lambda _a, _r: 422])
    policy = replace(every(100), jitter=0.2)
    async with heap.sender([webhook("w1", retry=policy, concurrency=1000)]):
        for _ in range(9):
            heap.pile.add(1, watch=7)
        for _ in range(991):
            heap.pile.add(1, watch=8)
        await anyio.sleep(10)
    waits = sorted(one.wait.total_seconds() for _, one in heap.pile.settled)
    assert len(waits) == 1000
    assert 80 <= waits[0] < 81
    assert 119 < waits[-1] <= 120
    for quarter in range(4):
        inside = sum(80 + 10 * quarter <= wait < 90 + 10 * quarter for wait in waits)
        assert 200 <= inside <= 300


@pytest.mark.parametrize("status", [*range(300, 400), 200, 201, 404, 503])
async def test_no_answer_leads_to_a_request_anywhere_else(status: int) -> None:
    heap = Heap([lambda _a, _r: 204, lambda _a, _r: 204])

    def moves(_age: timedelta, _request: Request) -> Choice:
        headers = {"location": "https://w2.example/elsewhere"}
        return Response(status=status, headers=headers, received_at=heap.clock.now())

    heap.receivers[0].rule = moves
    await sent(heap, 1, 20)
    assert not heap.receivers[1].posted
    assert {p.url for p in heap.receivers[0].posted} == {"https://w1.example/hook"}
