"""aimlapi-suno holds for two minutes, in words of its own; on virtual time."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
import trio.testing

from bridge.simulator.switches import Holding, OddWait
from bridge.simulator.timeline import Script
from tests.fakes.clock import VirtualClock
from tests.fakes.upstream import FakeUpstream
from tests.fakes.vendor_client import UpstreamApp

pytestmark = pytest.mark.anyio

WALK: Script = [("queued", 50.0), ("dreaming", 50.0), ("completed", None)]
FOR_EVER: Script = [("queued", None)]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@pytest.fixture
def upstream() -> FakeUpstream:
    return FakeUpstream(VirtualClock())


@pytest.fixture
async def client(upstream: FakeUpstream) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=UpstreamApp(upstream)),
        base_url=upstream.url("aimlapi-suno") + "/v2/generate/audio/suno-ai",
        headers={"authorization": "Bearer any"},
    ) as asking:
        yield asking


async def ask(client: httpx.AsyncClient, id_: str, **query: str) -> tuple[int, Any, float]:
    """The status of the answer, the state in it, and when it came."""
    answer = await client.get("/clip", params={"clip_id": id_, **query})
    return answer.status_code, answer.json().get("status"), anyio.current_time()


async def test_a_look_without_a_state_is_answered_at_once(
    upstream: FakeUpstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("aimlapi-suno", script=WALK)
    assert await ask(client, id_) == (200, "queued", 0.0)
    assert await ask(client, id_, state="completed") == (200, "queued", 0.0)


async def test_a_hold_wakes_at_the_moment_of_the_transition(
    upstream: FakeUpstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("aimlapi-suno", script=WALK)
    assert await ask(client, id_, status="streaming") == (200, "streaming", 50.0)
    assert await ask(client, id_, status="completed") == (200, "complete", 100.0)
    assert await ask(client, id_, status="queued") == (200, "complete", 100.0)


async def test_a_hold_ends_after_two_minutes_or_as_the_switch_says(
    upstream: FakeUpstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("aimlapi-suno", script=FOR_EVER)
    assert await ask(client, id_, status="completed") == (200, "queued", 120.0)
    upstream.switch(hold_limit=5.0)
    assert await ask(client, id_, status="completed") == (200, "queued", 125.0)
    upstream.switch(holding=Holding.GATEWAY_TIMEOUT)
    assert await ask(client, id_, status="completed") == (504, None, 130.0)
    upstream.switch(holding=Holding.IGNORED)
    assert await ask(client, id_, status="completed") == (200, "queued", 130.0)


@pytest.mark.parametrize("word", ["error", "complete", "dreaming", ""])
async def test_a_state_that_cannot_be_awaited_is_refused_or_passed_over(
    upstream: FakeUpstream, client: httpx.AsyncClient, word: str
) -> None:
    id_ = upstream.add("aimlapi-suno", script=WALK)
    assert await ask(client, id_, status=word) == (400, None, 0.0)
    upstream.switch(odd_wait=OddWait.IMMEDIATE)
    assert await ask(client, id_, status=word) == (200, "queued", 0.0)


async def test_an_id_is_needed_and_must_be_known(
    upstream: FakeUpstream, client: httpx.AsyncClient
) -> None:
    assert await ask(client, "", status="completed") == (400, None, 0.0)
    assert await ask(client, "nobody", status="completed") == (404, None, 0.0)
