"""The relays: batches in the shape of the recorded ones, lists, and unknown tasks."""

import httpx
import pytest

from bridge.simulator.upstream import Upstream
from tests.simulator.shapes import recorded, shape

pytestmark = pytest.mark.anyio

WALK = [("queued", 100.0), ("dreaming", 100.0), ("completed", None)]


def two(upstream: Upstream, provider: str, **details: str) -> list[str]:
    """Two generations, of which one is being made and the other is done."""
    return [
        upstream.add(provider, script=WALK, age=age, **details) for age in (150.0, 250.0)
    ]


BATCHES = {
    "relay-luma-own": "/luma/tasks",
    "relay-suno": "/suno/fetch",
    "relay-midjourney": "/mj/task/list-by-condition",
}


@pytest.mark.parametrize("provider", BATCHES)
async def test_a_batch_tells_the_asked_generations_and_passes_over_the_unknown(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    ids = two(upstream, provider)
    body = {"ids": [*ids, "nobody"], "action": "MUSIC"}
    answer = await client.post(upstream.url(provider) + BATCHES[provider], json=body)
    bare = provider == "relay-midjourney"
    items = answer.json() if bare else answer.json()["data"]
    assert [item["id" if bare else "task_id"] for item in items] == ids
    assert [item["status"] for item in items] == ["IN_PROGRESS", "SUCCESS"]


@pytest.mark.parametrize("provider", BATCHES)
async def test_a_batch_has_the_members_of_the_recorded_one(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    body = {"ids": two(upstream, provider)}
    answer = await client.post(upstream.url(provider) + BATCHES[provider], json=body)
    items, examples = answer.json(), recorded(provider, "batch.json")
    if provider != "relay-midjourney":
        assert set(items) == set(examples)
        items, examples = items["data"], examples["data"]
    assert [set(item) for item in items] == [set(example) for example in examples]


async def test_a_batch_has_the_shape_of_the_recorded_one(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    body = {"ids": two(upstream, "relay-luma-own")}
    answer = await client.post(upstream.url("relay-luma-own") + "/luma/tasks", json=body)
    assert shape(answer.json()) == shape(recorded("relay-luma-own", "batch.json"))


@pytest.mark.parametrize("provider", BATCHES)
@pytest.mark.parametrize("ids", [None, [], "a", [None], ["a", "b", "c"]])
async def test_a_batch_that_is_none_or_too_long_is_refused(
    upstream: Upstream, client: httpx.AsyncClient, provider: str, ids: object
) -> None:
    upstream.switch(most_ids=2)
    url = upstream.url(provider) + BATCHES[provider]
    assert (await client.post(url, json={"ids": ids})).status_code == 400


async def test_a_task_of_a_batch_has_no_luma_object_before_its_start(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("relay-luma-own", script=[("queued", None)])
    url = upstream.url("relay-luma-own") + "/luma/tasks"
    (item,) = (await client.post(url, json={"ids": [id_]})).json()["data"]
    assert (item["status"], item["data"]) == ("SUBMITTED", None)


async def test_midjourney_takes_ids_as_numbers_and_another_header(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    ids = two(upstream, "relay-midjourney")
    url = upstream.url("relay-midjourney") + "/mj/task/list-by-condition"
    headers = {"authorization": "", "mj-api-secret": "secret"}
    body = {"ids": [int(id_) for id_ in ids]}
    answer = await client.post(url, json=body, headers=headers)
    assert [item["id"] for item in answer.json()] == ids
    nobody = await client.post(url, json=body, headers={"authorization": ""})
    assert nobody.status_code == 401


async def test_midjourney_lists_everything_the_newest_first(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    ids = two(upstream, "relay-midjourney", kind="image")
    answer = await client.get(upstream.url("relay-midjourney") + "/mj/task/list")
    assert [item["id"] for item in answer.json()] == ids[::-1]


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("relay-luma-own", "/luma/generations/nobody"),
        ("relay-suno", "/suno/fetch/nobody"),
        ("relay-udio", "/udio/fetch/nobody"),
        ("relay-runway", "/runway/tasks/nobody"),
    ],
)
async def test_a_relay_tells_an_unknown_task_within_a_200(
    upstream: Upstream, client: httpx.AsyncClient, provider: str, path: str
) -> None:
    answer = await client.get(upstream.url(provider) + path)
    assert answer.status_code == 200
    assert answer.json()["code"] == "task_not_exist"
