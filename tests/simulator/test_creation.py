"""Generations can be begun over HTTP, as at the vendors."""

from typing import Any

import httpx
import pytest

from bridge.errors import StartError
from bridge.simulator.creation import prompt_in
from bridge.simulator.picture import PROMPT
from bridge.simulator.switches import Switches
from bridge.simulator.upstream import Upstream
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


async def test_every_answer_is_told_in_a_line(client: httpx.AsyncClient) -> None:
    lines: list[str] = []
    async with Upstream(clock=SystemClock(), say=lines.append) as upstream:
        url = upstream.url("luma-agents") + "/generations"
        made = (await client.post(url, json={"prompt": "a boat"})).json()
        await client.get(f"{url}/{made['id']}?x=%1B[31m")
        await client.post(upstream.url("kling") + "/v1/videos/text2video", json={})
    assert lines[0] == "POST /luma-agents/v1/generations → 201 queued"
    assert lines[1].endswith(f"/{made['id']}?x=\ufffd[31m → 200 queued")
    assert lines[2] == "POST /kling/v1/videos/text2video → 200 submitted"


async def test_a_port_that_is_taken_is_named() -> None:
    async with Upstream(clock=SystemClock()) as upstream:
        port = int(upstream.apis.origin.rpartition(":")[2])
        with pytest.raises(StartError, match=f"127.0.0.1:{port}"):
            async with Upstream(clock=SystemClock(), port=port):
                pass


OWN = {
    "relay-luma-own": ("/luma/generations", "/luma/generations/{}", ["id"]),
    "relay-suno": ("/suno/submit/music", "/suno/fetch/{}", ["data"]),
    "relay-udio": ("/udio/submit/music", "/udio/fetch/{}", ["data"]),
    "relay-midjourney": ("/mj/submit/imagine", "/mj/task/{}/fetch", ["result"]),
    "relay-runway": ("/runway/tasks", "/runway/tasks/{}", ["task", "id"]),
    "flux": ("/eu/v1/flux-pro-1.1", "/eu/v1/get_result?id={}", ["id"]),
    "kling": ("/v1/videos/image2video", "/v1/videos/image2video/{}", ["data", "task_id"]),
    "minimax": (
        "/v1/video_generation",
        "/v1/query/video_generation?task_id={}",
        ["task_id"],
    ),
    "minimax-v2": (
        "/v2/video_generation",
        "/v2/query/video_generation/{}",
        ["task", "id"],
    ),
}


@pytest.mark.parametrize("provider", OWN)
@pytest.mark.parametrize(("prompt", "rank"), [("a boat", 2), ("fail", 3)])
async def test_what_was_begun_is_found_and_comes_to_its_end(
    client: httpx.AsyncClient, provider: str, prompt: str, rank: int
) -> None:
    make, ask, place = OWN[provider]
    switches = Switches(script=(("queued", 0.0), ("completed", None)))
    async with Upstream(clock=SystemClock(), switches=switches) as upstream:
        base = upstream.url(provider)
        made = (await client.post(base + make, json={"prompt": prompt})).json()
        for name in place:
            made = made[name]
        look = await client.get(base + ask.format(made))
        (job,) = upstream.apis.accounts[provider].jobs.values()
    assert look.status_code == 200
    assert job.timeline.steps[-1].word in look.text
    assert (job.prompt, job.timeline.steps[-1].rank) == (prompt, rank)


@pytest.mark.parametrize("provider", OWN)
async def test_a_creation_without_an_object_makes_nothing(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    answer = await client.post(upstream.url(provider) + OWN[provider][0], content=b"[]")
    assert not upstream.apis.accounts[provider].jobs
    # minimax tells its errors within a 200.
    told = answer.status_code if provider != "minimax" else answer.json()["base_resp"]
    assert told in (400, {"status_code": 2013, "status_msg": MUST})


MUST = "The body must be a JSON object with a prompt"


@pytest.mark.parametrize(
    ("wish", "prompt"),
    [
        ({"prompt": "a boat"}, "a boat"),
        ({"user_prompt": "a boat"}, "a boat"),
        ({"prompt_optimizer": True, "prompt": "a boat"}, "a boat"),
        ({"input": {"promptText": "a boat"}}, "a boat"),
        ({"instances": [{"prompt": "a boat"}]}, "a boat"),
        ({"model": "m"}, PROMPT),
        ({"prompt": 7}, None),
    ],
)
def test_a_prompt_is_found_wherever_a_vendor_has_it(
    wish: dict[str, Any], prompt: str | None
) -> None:
    assert prompt_in(wish) == prompt
