"""What each switch does, seen from the other end of a socket."""

import math
from typing import Any

import anyio
import httpx
import pytest

from bridge.simulator.switches import Container, Links, Switches, Unknown
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

pytestmark = pytest.mark.anyio

FOREVER = [("completed", None)]


async def ask(upstream: Upstream, client: httpx.AsyncClient, id_: str) -> httpx.Response:
    return await client.get(f"{upstream.url('luma-agents')}/generations/{id_}")


async def link(upstream: Upstream, client: httpx.AsyncClient, id_: str) -> str:
    url: str = (await ask(upstream, client, id_)).json()["output"][0]["url"]
    return url


@pytest.mark.parametrize(
    ("unknown", "status"),
    [
        (Unknown.NOT_FOUND, 404),
        (Unknown.BAD_REQUEST, 400),
        (Unknown.OK_WITH_ERROR, 200),
    ],
)
async def test_an_unknown_id_is_answered_as_the_switch_says(
    upstream: Upstream, client: httpx.AsyncClient, unknown: Unknown, status: int
) -> None:
    upstream.switch(unknown=unknown)
    answer = await ask(upstream, client, "nobody")
    assert answer.status_code == status
    assert "detail" in answer.json()


async def test_a_new_generation_can_be_hidden_for_a_while(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(hidden=60.0)
    young = upstream.add("luma-agents", script=FOREVER)
    old = upstream.add("luma-agents", script=FOREVER, age=61.0)
    assert (await ask(upstream, client, young)).status_code == 404
    assert (await ask(upstream, client, old)).status_code == 200


@pytest.mark.parametrize("span", [60.0, math.inf])
async def test_the_output_can_come_late_or_never(
    upstream: Upstream, client: httpx.AsyncClient, span: float
) -> None:
    upstream.switch(without_output=span)
    young = upstream.add("luma-agents", script=FOREVER)
    old = upstream.add("luma-agents", script=FOREVER, age=61.0)
    assert (await ask(upstream, client, young)).json()["output"] is None
    assert (await ask(upstream, client, young)).json()["state"] == "completed"
    shown = (await ask(upstream, client, old)).json()["output"]
    assert bool(shown) == (span == 60.0)


async def test_a_stale_replica_tells_the_state_before_and_the_ids_in_another_order(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(stale=1.0)
    script = [("queued", 1.0), ("dreaming", None)]
    for id_ in ("a", "b"):
        upstream.add("aimlapi-luma", id=id_, script=script, age=10.0)
    url = upstream.url("aimlapi-luma") + "/v2/generate/video/luma-ai/generations"
    stale = (await client.get(url, params={"generation_ids": "a,b"})).json()
    upstream.switch(stale=0.0)
    fresh = (await client.get(url, params={"generation_ids": "a,b"})).json()
    assert [(g["id"], g["state"]) for g in stale] == [("b", "queued"), ("a", "queued")]
    assert [(g["id"], g["state"]) for g in fresh] == [("a", "dreaming"), ("b", "dreaming")]


async def test_a_stale_replica_lists_in_another_order(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    for id_ in ("a", "b"):
        upstream.add("dream-machine", id=id_, script=FOREVER)

    async def listed() -> list[str]:
        page = await client.get(upstream.url("dream-machine") + "/generations")
        return [item["id"] for item in page.json()["generations"]]

    assert await listed() == ["b", "a"]
    upstream.switch(stale=1.0)
    assert await listed() == ["a", "b"]


async def test_only_a_share_of_the_answers_is_stale(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(stale=0.5)
    script = [("queued", 1.0), ("completed", None)]
    id_ = upstream.add("luma-agents", script=script, age=10.0)
    said = {(await ask(upstream, client, id_)).json()["state"] for _ in range(40)}
    assert said == {"queued", "completed"}


async def test_an_odd_word_stands_on_the_way(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(odd_word="upscaling")
    script = [("queued", 10.0), ("dreaming", 10.0), ("completed", None)]
    said = []
    for age in (12.0, 17.0, 22.0):
        id_ = upstream.add("luma-agents", script=script, age=age)
        said.append((await ask(upstream, client, id_)).json()["state"])
    assert said == ["processing", "upscaling", "completed"]


async def test_a_link_is_dead_after_its_life(client: httpx.AsyncClient) -> None:
    switches = Switches(link_life=1.0)
    async with Upstream(clock=SystemClock(), switches=switches, speed=10.0) as upstream:
        url = await link(upstream, client, upstream.add("luma-agents", script=FOREVER))
        await anyio.sleep(0.15)
        dead = await client.get(url)
    assert dead.status_code == 403
    assert b"expired" in dead.content


async def test_a_link_is_renewed_by_a_fresh_look_or_not(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("luma-agents", script=FOREVER, age=7200.0)
    assert (await client.get(await link(upstream, client, id_))).status_code == 200
    upstream.switch(links=Links.NOT_RENEWED)
    assert (await client.get(await link(upstream, client, id_))).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/files/a.mp4",
        "/files/a.mp4?X-Amz-Date=yesterday&X-Amz-Expires=3600",
        "/files/a.mp4?X-Amz-Date=20261341T999999Z&X-Amz-Expires=3600",
        "/files/a.exe?X-Amz-Date=20261121T083000Z&X-Amz-Expires=9999999",
    ],
)
async def test_a_link_that_was_never_made_is_not_found(
    upstream: Upstream, client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(upstream.apis.origin + path)).status_code == 404


@pytest.mark.parametrize("given", ["", "Basic abc", "Bearer", "Bearer other"])
async def test_a_wrong_key_is_refused(client: httpx.AsyncClient, given: str) -> None:
    async with Upstream(clock=SystemClock(), key="good") as upstream:
        id_ = upstream.add("luma-agents")
        url = f"{upstream.url('luma-agents')}/generations/{id_}"
        good = await client.get(url, headers={"authorization": "bearer good"})
        wrong = await client.get(url, headers={"authorization": given})
    assert (good.status_code, wrong.status_code) == (200, 401)


async def test_one_api_can_be_switched_alone(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch("aimlapi-luma", unknown=Unknown.BAD_REQUEST, container=Container.DATA)
    assert (await ask(upstream, client, "nobody")).status_code == 404


async def test_every_request_is_logged_with_what_was_asked_and_when(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    before = upstream.clock.monotonic()
    await client.get(upstream.url("luma-agents") + "/generations/a?x=1&x=2")
    (call,) = upstream.requests
    shown: list[Any] = [call.method, call.provider, call.path, call.query]
    wanted = ["GET", "luma-agents", "/v1/generations/a", (("x", "1"), ("x", "2"))]
    assert shown == wanted
    assert before <= call.at <= upstream.clock.monotonic()
    assert "any" not in repr(call)
