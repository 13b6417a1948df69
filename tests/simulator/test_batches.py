"""Batches of aimlapi-luma: how ids are named, what holds the items, whom they wait for."""

from typing import Any

import httpx
import pytest

from bridge.simulator.switches import BatchWait, Container, Holding, IdForm, LinkAt
from bridge.simulator.upstream import Upstream

pytestmark = pytest.mark.anyio

DONE = [("completed", None)]
SOON = [("queued", 0.7), ("dreaming", None)]
LATER = [("queued", 2.0), ("dreaming", None)]


async def ask(upstream: Upstream, client: httpx.AsyncClient, query: str) -> httpx.Response:
    url = upstream.url("aimlapi-luma") + "/v2/generate/video/luma-ai/generations"
    return await client.get(f"{url}?{query}")


def two(upstream: Upstream) -> None:
    for id_ in ("a", "b"):
        upstream.add("aimlapi-luma", id=id_, script=DONE)


FORMS = {
    IdForm.BRACKETS: "generation_ids[]=a&generation_ids[]=b",
    IdForm.REPEATED: "generation_ids=a&generation_ids=b",
    IdForm.COMMAS: "generation_ids=a,b",
}


@pytest.mark.parametrize("query", FORMS.values())
async def test_a_batch_takes_all_three_forms_of_ids(
    upstream: Upstream, client: httpx.AsyncClient, query: str
) -> None:
    two(upstream)
    answer = await ask(upstream, client, query)
    assert [item["id"] for item in answer.json()] == ["a", "b"]


@pytest.mark.parametrize("form", FORMS)
async def test_a_batch_can_be_made_to_take_one_form_only(
    upstream: Upstream, client: httpx.AsyncClient, form: IdForm
) -> None:
    two(upstream)
    upstream.switch(id_form=form)
    good = {name for name, query in FORMS.items() if await whole(upstream, client, query)}
    assert good == {form}


async def whole(upstream: Upstream, client: httpx.AsyncClient, query: str) -> bool:
    answer = await ask(upstream, client, query)
    return answer.status_code == 200 and len(answer.json()) == 2


async def test_a_batch_without_ids_or_with_too_many_is_refused(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    assert (await ask(upstream, client, "generation_ids=")).status_code == 400
    upstream.switch(most_ids=2)
    assert (await ask(upstream, client, "generation_ids=a,b,c")).status_code == 400
    assert (await ask(upstream, client, "generation_ids=a,b")).status_code == 200


async def test_a_batch_leaves_out_what_it_does_not_know(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    two(upstream)
    answer = await ask(upstream, client, "generation_ids=a,nobody")
    assert [item["id"] for item in answer.json()] == ["a"]
    assert (await ask(upstream, client, "generation_ids=nobody")).json() == []


@pytest.mark.parametrize(
    ("container", "way"),
    [
        (Container.LIST, []),
        (Container.GENERATIONS, ["generations"]),
        (Container.DATA, ["data"]),
        (Container.NESTED, ["data", "result", "items"]),
    ],
)
async def test_a_batch_has_its_items_where_the_switch_says(
    upstream: Upstream, client: httpx.AsyncClient, container: Container, way: list[str]
) -> None:
    two(upstream)
    upstream.switch(container=container)
    items: Any = (await ask(upstream, client, FORMS[IdForm.COMMAS])).json()
    for name in way:
        items = items[name]
    assert [item["id"] for item in items] == ["a", "b"]


async def test_a_batch_can_be_keyed_by_id(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    two(upstream)
    upstream.switch(container=Container.KEYED)
    answer = (await ask(upstream, client, FORMS[IdForm.COMMAS])).json()
    assert {name: item["id"] for name, item in answer.items()} == {"a": "a", "b": "b"}


@pytest.mark.parametrize(
    ("wait", "states"),
    [
        (BatchWait.NOBODY, ["queued", "queued"]),
        (BatchWait.ANY, ["dreaming", "queued"]),
        (BatchWait.ALL, ["dreaming", "dreaming"]),
    ],
)
async def test_a_batch_waits_for_whom_the_switch_says(
    upstream: Upstream, client: httpx.AsyncClient, wait: BatchWait, states: list[str]
) -> None:
    upstream.switch(batch_wait=wait)
    upstream.add("aimlapi-luma", id="a", script=SOON)
    upstream.add("aimlapi-luma", id="b", script=LATER)
    answer = await ask(upstream, client, "generation_ids=a,b&status=dreaming")
    assert [item["state"] for item in answer.json()] == states


async def test_the_batch_path_does_not_listen_to_the_single_paths_name(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(batch_wait=BatchWait.ALL)
    upstream.add("aimlapi-luma", id="a", script=SOON)
    answer = await ask(upstream, client, "generation_ids=a&state=dreaming")
    assert answer.json()[0]["state"] == "queued"


async def test_a_batch_does_not_wait_longer_than_a_hold(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(batch_wait=BatchWait.ALL, hold_limit=1.0)
    upstream.add("aimlapi-luma", id="a", script=SOON)
    upstream.add("aimlapi-luma", id="b", script=[("queued", None)])
    answer = await ask(upstream, client, "generation_ids=a,b&status=dreaming")
    assert [item["state"] for item in answer.json()] == ["dreaming", "queued"]


async def test_a_batch_is_cut_like_a_hold(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(
        batch_wait=BatchWait.ALL, holding=Holding.GATEWAY_TIMEOUT, hold_limit=0.05
    )
    upstream.add("aimlapi-luma", id="a", script=[("queued", None)])
    answer = await ask(upstream, client, "generation_ids=a&status=dreaming")
    assert answer.status_code == 504


@pytest.mark.parametrize(
    ("place", "way"),
    [
        (LinkAt.ASSETS_VIDEO, ["assets", "video"]),
        (LinkAt.VIDEO_URL_OBJECT, ["video", "url"]),
        (LinkAt.VIDEO_URL, ["video_url"]),
        (LinkAt.DATA_VIDEO_URL, ["data", "videoUrl"]),
    ],
)
async def test_the_link_is_where_the_switch_says_and_opens(
    upstream: Upstream, client: httpx.AsyncClient, place: LinkAt, way: list[str]
) -> None:
    upstream.switch(link_at=place)
    upstream.add("aimlapi-luma", id="a", script=DONE)
    found: Any = (await ask(upstream, client, "generation_ids=a")).json()[0]
    for name in way:
        found = found[name]
    file = await client.get(found)
    assert (file.status_code, file.headers["content-type"]) == (200, "video/mp4")


@pytest.mark.parametrize("place", LinkAt)
async def test_a_failure_has_its_reason_wherever_the_link_would_be(
    upstream: Upstream, client: httpx.AsyncClient, place: LinkAt
) -> None:
    upstream.switch(link_at=place)
    upstream.add("aimlapi-luma", id="a", script=[("failed", None)], reason="why")
    found = (await ask(upstream, client, "generation_ids=a")).json()[0]
    shown = found.get("data", found)
    assert (shown["state"], shown["failure_reason"]) == ("failed", "why")
