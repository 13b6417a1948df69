import json

import anyio
import httpx
import pytest

from bridge.core.delivering.signing import Key, read_key, signature_headers
from bridge.errors import StartError
from bridge.simulator.receiver import Receiver, Scripted, serve
from bridge.simulator.seal import Seal
from bridge.telemetry.clock import SystemClock

pytestmark = pytest.mark.anyio

KEY = read_key("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
OTHER = read_key("whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=")
EVENT = {
    "type": "generation.completed",
    "data": {"source": "luma", "generation_id": "a\x1b[31m", "sequence": 2},
}


async def post(
    client: httpx.AsyncClient, url: str, key: Key = KEY, body: bytes | None = None
) -> httpx.Response:
    body = json.dumps(EVENT).encode() if body is None else body
    now = int(SystemClock().now().timestamp())
    headers = dict(signature_headers([key], "msg", now, body))
    return await client.post(url, content=body, headers=headers | {"webhook-attempt": "3"})


async def test_a_receiver_answers_as_told_and_then_as_ever(
    client: httpx.AsyncClient,
) -> None:
    answers: list[Scripted | int] = [
        503,
        Scripted(status=429, headers=(("retry-after", "1"),), body=b"slow down"),
    ]
    async with Receiver(clock=SystemClock(), keys=[KEY], answers=answers) as receiver:
        got = [await post(client, receiver.url) for _ in range(4)]
    assert [answer.status_code for answer in got] == [503, 429, 200, 200]
    assert (got[1].headers["retry-after"], got[1].text) == ("1", "slow down")
    assert [received.status for received in receiver.deliveries] == [503, 429, 200, 200]
    assert len(receiver.accepted) == 2


async def test_a_receiver_refuses_what_does_not_verify_and_spends_no_answer_on_it(
    client: httpx.AsyncClient,
) -> None:
    async with Receiver(clock=SystemClock(), keys=[KEY], answers=[204]) as receiver:
        refused = await post(client, receiver.url, key=OTHER)
        taken = await post(client, receiver.url)
    assert (refused.status_code, taken.status_code) == (401, 204)
    assert [r.seal for r in receiver.deliveries] == [Seal.WRONG, Seal.VERIFIED]


async def test_a_receiver_keeps_what_it_got(client: httpx.AsyncClient) -> None:
    async with Receiver(clock=SystemClock()) as receiver:
        await post(client, f"{receiver.url}/deeper?x=1")
        await post(client, receiver.url, body=b"\xff" * 2_000_000)
    first, second = receiver.deliveries
    assert (first.method, first.path) == ("POST", "/webhook/deeper?x=1")
    assert first.headers["webhook-id"] == "msg"
    assert first.document == EVENT
    assert second.document is None
    assert len(second.body) == 2_000_000


async def test_a_slow_receiver_has_the_delivery_although_its_sender_left(
    client: httpx.AsyncClient,
) -> None:
    slow = Scripted(pause=30.0)
    async with Receiver(clock=SystemClock(), otherwise=slow) as receiver:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(post, client, receiver.url)
            await receiver.wait(lambda r: bool(r.deliveries))
            tasks.cancel_scope.cancel()
        assert len(receiver.accepted) == 1


async def test_a_receiver_that_keeps_nothing_still_tells(client: httpx.AsyncClient) -> None:
    told: list[str] = []
    async with Receiver(
        clock=SystemClock(),
        keys=[KEY],
        on_delivery=lambda received: told.append(received.line),
        keep=0,
    ) as receiver:
        await post(client, receiver.url)
        await post(client, receiver.url, body=b"[]")
        assert not receiver.deliveries
    assert told[0].endswith(
        "generation.completed luma a\ufffd[31m #2, attempt 3, verified → 200"
    )
    assert "a body that is no event" in told[1]


async def test_listening_tells_where_and_prints_each_delivery(
    client: httpx.AsyncClient,
) -> None:
    lines: list[str] = []
    told = anyio.Event()

    def say(line: str) -> None:
        lines.append(line)
        told.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(
            lambda: serve(clock=SystemClock(), port=0, say=say, keys=[KEY], status=503)
        )
        await told.wait()
        answer = await post(client, lines[0].split()[-1])
        tasks.cancel_scope.cancel()
    assert answer.status_code == 503
    assert lines[1].endswith("attempt 3, verified → 503")


async def test_a_port_that_is_taken_is_named() -> None:
    async with Receiver(clock=SystemClock()) as receiver:
        port = httpx.URL(receiver.url).port
        assert port
        with pytest.raises(StartError, match=f"127.0.0.1:{port}"):
            await serve(clock=SystemClock(), port=port, say=print)
