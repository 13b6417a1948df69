"""Generations can be begun over HTTP, as at the vendors."""

import anyio
import httpx
import pytest

from bridge.errors import StartError
from bridge.simulator.switches import Switches
from bridge.simulator.upstream import Upstream, serve
from bridge.telemetry.clock import SystemClock

pytestmark = pytest.mark.anyio

MAKE = {
    "aimlapi-luma": "/v2/generate/video/luma-ai/generation",
    "luma-agents": "/generations",
    "dream-machine": "/generations/video",
    "relay-luma": "/dream-machine/v1/generations",
}


@pytest.mark.parametrize("provider", MAKE)
async def test_a_generation_is_begun_with_a_prompt(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    url = upstream.url(provider) + MAKE[provider]
    made = await client.post(url, json={"prompt": "a boat"})
    assert made.status_code == 201
    assert made.json()["state"] in ("queued", "pending")
    assert list(upstream.apis.accounts[provider].jobs) == [made.json()["id"]]


@pytest.mark.parametrize("provider", MAKE)
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"prompt": 3}'])
async def test_a_body_without_a_prompt_is_refused(
    upstream: Upstream, client: httpx.AsyncClient, provider: str, body: bytes
) -> None:
    answer = await client.post(upstream.url(provider) + MAKE[provider], content=body)
    assert answer.status_code == 400
    assert not upstream.apis.accounts[provider].jobs


async def test_a_generation_goes_through_the_script_of_the_switches(
    client: httpx.AsyncClient,
) -> None:
    script = (("queued", 0.0), ("completed", None))
    switches = Switches(script=script)
    async with Upstream(clock=SystemClock(), switches=switches) as upstream:
        url = upstream.url("luma-agents") + "/generations"
        good = (await client.post(url, json={"prompt": "a boat"})).json()
        bad = (await client.post(url, json={"prompt": "please fail"})).json()
    assert (good["state"], bad["state"]) == ("completed", "failed")


async def test_the_served_apis_tell_where_they_are_and_what_they_answered(
    client: httpx.AsyncClient,
) -> None:
    lines: list[str] = []
    told = anyio.Event()

    def say(line: str) -> None:
        lines.append(line)
        if line.startswith("curl"):
            told.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: serve(clock=SystemClock(), port=0, say=say))
        await told.wait()
        url = lines[-1].split()[-1]
        made = (await client.post(url, json={"prompt": "a boat"})).json()
        await client.get(f"{url}/{made['id']}?x=%1B[31m")
        tasks.cancel_scope.cancel()
    assert {line.split(":")[0] for line in lines[:4]} == set(MAKE)
    assert lines[-2] == "POST /luma-agents/v1/generations → 201 queued"
    assert lines[-1].endswith(f"/{made['id']}?x=\ufffd[31m → 200 queued")


async def test_a_port_that_is_taken_is_named() -> None:
    async with Upstream(clock=SystemClock()) as upstream:
        port = int(upstream.apis.origin.rpartition(":")[2])
        with pytest.raises(StartError, match=f"127.0.0.1:{port}"):
            await serve(clock=SystemClock(), port=port, say=print)
