"""Outputs that take a second call, and what can be wrong with it."""

import httpx
import pytest

from bridge.simulator.switches import Second
from bridge.simulator.upstream import Upstream

pytestmark = pytest.mark.anyio


async def fetch(upstream: Upstream, client: httpx.AsyncClient, id_: str) -> httpx.Response:
    base = upstream.url("minimax") + "/v1"
    look = await client.get(f"{base}/query/video_generation?task_id={id_}")
    return await client.get(f"{base}/files/retrieve?file_id={look.json()['file_id']}")


def done(upstream: Upstream) -> str:
    return upstream.add("minimax", script=[("completed", None)])


async def test_a_second_call_can_find_nothing(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(second=Second.NOT_FOUND)
    assert (await fetch(upstream, client, done(upstream))).status_code == 404


async def test_a_second_call_can_be_refused_so_many_times_for_each_generation(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(second=Second.UNAVAILABLE, second_failures=2)
    for id_ in (done(upstream), done(upstream)):
        answers = [await fetch(upstream, client, id_) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [503, 503, 200, 200]
        assert answers[2].json()["file"]["download_url"]


async def test_a_second_call_can_have_the_vendors_own_error(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(second=Second.MODEL_ERROR)
    answer = await fetch(upstream, client, done(upstream))
    assert (answer.status_code, answer.json()["base_resp"]["status_code"]) == (200, 1000)


async def test_a_file_is_unknown_until_it_was_made(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    url = upstream.url("minimax") + "/v1/files/retrieve?file_id="
    upstream.add("minimax", script=[("dreaming", None)])
    for id_ in ("", "7"):
        assert (await client.get(url + id_)).json()["base_resp"]["status_code"] == 2013
