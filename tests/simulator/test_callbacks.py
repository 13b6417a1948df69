"""The vendors' own callbacks: truthful, forged, lost or doubled, and never to another machine."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from bridge.simulator.outbox import Callback
from bridge.simulator.receiver import Receiver
from bridge.simulator.switches import Callbacks, Switches
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

pytestmark = pytest.mark.anyio

QUICK = (("queued", 0.01), ("dreaming", 0.01), ("completed", None))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(clock=SystemClock()) as receiving:
        yield receiving


async def begin(
    upstream: Upstream, client: httpx.AsyncClient, hook: str, prompt: str = "a boat"
) -> str:
    url = upstream.url("dream-machine") + "/generations"
    made = await client.post(url, json={"prompt": prompt, "callback_url": hook})
    id_: str = made.json()["id"]
    return id_


def told(receiver: Receiver) -> list[str]:
    documents = [received.document or {} for received in receiver.deliveries]
    return [document["state"] for document in documents]


async def heard(
    upstream: Upstream, client: httpx.AsyncClient, receiver: Receiver, **changes: Any
) -> list[str]:
    """What was told of one generation until another one's end is told."""
    upstream.switch(**{"script": QUICK, **changes})
    await begin(upstream, client, receiver.url)
    await receiver.wait(lambda r: len(r.deliveries) >= 1)
    upstream.switch(script=QUICK, callbacks=Callbacks.TRUTHFUL)
    last = await begin(upstream, client, receiver.url)
    await receiver.wait(lambda r: ended(r, last))
    documents = [received.document or {} for received in receiver.deliveries]
    return sorted(d["state"] for d in documents if d["id"] != last)


def ended(receiver: Receiver, id_: str) -> bool:
    documents = [received.document or {} for received in receiver.deliveries]
    return any(d["id"] == id_ and d["state"] == "completed" for d in documents)


async def test_truthful_callbacks_tell_each_state_as_a_look_would(
    upstream: Upstream, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    said = await heard(upstream, client, receiver, callbacks=Callbacks.TRUTHFUL)
    assert said == ["completed", "dreaming", "queued"]
    assert {received.method for received in receiver.deliveries} == {"POST"}


async def test_doubled_callbacks_arrive_twice(
    upstream: Upstream, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    said = await heard(upstream, client, receiver, callbacks=Callbacks.DOUBLED)
    assert said == ["completed"] * 2 + ["dreaming"] * 2 + ["queued"] * 2


async def test_a_lost_callback_is_the_one_that_tells_the_end(
    upstream: Upstream, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    said = await heard(upstream, client, receiver, callbacks=Callbacks.LOST)
    assert said == ["dreaming", "queued"]


@pytest.mark.parametrize("prompt", ["a boat", "fail"])
async def test_a_forged_callback_tells_the_other_end_at_once(
    upstream: Upstream, client: httpx.AsyncClient, receiver: Receiver, prompt: str
) -> None:
    script = (("queued", 3600.0), ("completed", None))
    upstream.switch(callbacks=Callbacks.FORGED, script=script)
    id_ = await begin(upstream, client, receiver.url, prompt)
    await receiver.wait(lambda r: len(r.deliveries) >= 1)
    look = await client.get(f"{upstream.url('dream-machine')}/generations/{id_}")
    job = upstream.apis.accounts["dream-machine"].jobs[id_]
    ends = {told(receiver)[0], job.timeline.steps[-1].word}
    assert (ends, look.json()["state"]) == ({"completed", "failed"}, "queued")


async def test_no_callback_is_made_where_none_is_asked_for_or_they_are_off(
    upstream: Upstream, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    url = upstream.url("dream-machine") + "/generations"
    await begin(upstream, client, receiver.url)
    upstream.switch(callbacks=Callbacks.TRUTHFUL, script=QUICK)
    for hook in ({}, {"callback_url": 7}, {"notify_hook": receiver.url}):
        await client.post(url, json={"prompt": "a boat", **hook})
    last = await begin(upstream, client, receiver.url)
    await receiver.wait(lambda r: ended(r, last))
    assert {(r.document or {})["id"] for r in receiver.deliveries} == {last}


async def test_a_receiver_that_is_away_harms_nobody(
    upstream: Upstream, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    upstream.switch(callbacks=Callbacks.TRUTHFUL, script=QUICK)
    await begin(upstream, client, "http://127.0.0.1:9/nobody")
    await begin(upstream, client, "http://[")
    last = await begin(upstream, client, receiver.url)
    await receiver.wait(lambda r: ended(r, last))


async def test_callbacks_that_are_not_due_end_with_the_simulator(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    switches = Switches(
        callbacks=Callbacks.TRUTHFUL, script=(("queued", 3600.0), ("completed", None))
    )
    with anyio.fail_after(10):
        async with Upstream(clock=SystemClock(), switches=switches) as upstream:
            await begin(upstream, client, receiver.url)
            await receiver.wait(lambda r: len(r.deliveries) >= 1)
    assert told(receiver) == ["queued"]


async def test_an_error_of_the_block_stays_what_it_is() -> None:
    with pytest.raises(KeyError, match="mine"):
        async with Upstream(clock=SystemClock()):
            raise KeyError("mine")


async def test_the_simulator_can_be_cancelled(receiver: Receiver) -> None:
    with anyio.CancelScope() as scope:
        async with Upstream(clock=SystemClock()) as upstream:
            callback = Callback(at=1e12, url=receiver.url, make=lambda: (b"", {}))
            upstream.apis.outbox.append(callback)
            async with httpx.AsyncClient(trust_env=False) as asking:
                await asking.get(upstream.apis.origin)
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert not receiver.deliveries
