"""flux, kling and minimax: what they answer besides the document of one generation."""

from typing import Any

import httpx
import pytest

from bridge.simulator.limits import RetryAfter
from bridge.simulator.switches import Fault, Unknown
from bridge.simulator.upstream import Upstream
from tests.simulator.shapes import recorded, shape

pytestmark = pytest.mark.anyio

WALK = [("queued", 100.0), ("dreaming", 100.0), ("completed", None)]


async def test_kling_lists_a_family_page_by_page(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    url = upstream.url("kling") + "/v1/videos/text2video"
    upstream.add("kling", id="image2video/7", script=WALK)
    ids = [upstream.add("kling", script=WALK, age=age) for age in (150.0, 250.0)]
    page = (await client.get(url)).json()
    assert shape(page) == shape(recorded("kling", "list.json"))
    assert [f"text2video/{item['task_id']}" for item in page["data"]] == ids[::-1]
    second = (await client.get(url, params={"pageNum": 2, "pageSize": 1})).json()
    assert [f"text2video/{item['task_id']}" for item in second["data"]] == ids[:1]
    refused = await client.get(url, params={"pageSize": 501})
    assert refused.status_code == 400


async def test_kling_knows_a_task_by_the_family_of_its_creation_only(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.add("kling", id="text2video/7")
    upstream.add("kling", id="images/generations/8", script=[("completed", None)])
    base = upstream.url("kling") + "/v1"
    paths = ["videos/text2video/7", "videos/image2video/7", "images/generations/8"]
    answers = [await client.get(f"{base}/{path}") for path in paths]
    assert [answer.status_code for answer in answers] == [200, 404, 200]
    assert answers[1].json()["code"] == 1203
    assert answers[2].json()["data"]["task_result"]["images"][0]["url"]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("queued", "queued"),
        ("dreaming", "in_progress"),
        ("completed", "completed"),
        ("failed", "failed"),
    ],
)
async def test_kling_can_answer_flat_as_relays_do(
    upstream: Upstream, client: httpx.AsyncClient, state: str, shown: str
) -> None:
    upstream.switch(flat=True)
    upstream.add("kling", id="text2video/7", script=[(state, None)])
    answer = await client.get(upstream.url("kling") + "/v1/videos/text2video/7")
    document = answer.json()
    assert (document["task_id"], document["status"]) == ("7", shown)
    assert ("url" in document) == (state == "completed")


async def test_minimax_gives_the_link_in_a_second_call(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    base = upstream.url("minimax") + "/v1"
    id_ = upstream.add("minimax", script=[("completed", None)])
    task = (await client.get(f"{base}/query/video_generation?task_id={id_}")).json()
    answer = await client.get(f"{base}/files/retrieve?file_id={task['file_id']}")
    assert shape(answer.json()) == shape(recorded("minimax", "file-retrieve.json"))
    assert str(answer.json()["file"]["file_id"]) == task["file_id"]
    link = await client.get(answer.json()["file"]["download_url"])
    assert (link.status_code, link.headers["content-type"]) == (200, "video/mp4")


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ({"fault": Fault.WRONG_KEY}, 1004),
        ({"limit": 0}, 1002),
        ({}, 2013),
    ],
)
async def test_minimax_tells_errors_within_a_200(
    upstream: Upstream, client: httpx.AsyncClient, cause: dict[str, Any], code: int
) -> None:
    upstream.switch(**cause)
    url = upstream.url("minimax") + "/v1/query/video_generation?task_id=nobody"
    answer = await client.get(url)
    assert answer.status_code == 200
    assert answer.json()["base_resp"]["status_code"] == code


async def test_minimax_v2_forgets_after_a_week(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    url = upstream.url("minimax-v2") + "/v2/query/video_generation"
    upstream.add("minimax-v2", id="old", script=WALK, age=8 * 86_400.0)
    upstream.add("minimax-v2", id="new", script=WALK, age=6 * 86_400.0)
    old = await client.get(f"{url}/old")
    assert (old.status_code, (await client.get(f"{url}/new")).status_code) == (400, 200)
    assert shape(old.json()) == shape(recorded("minimax-v2", "invalid-task-id.json"))
    assert "invalid task_id" in old.json()["error"]["message"]
    page = (await client.get(url, params={"page_num": 1, "page_size": 100})).json()
    assert [task["id"] for task in page["tasks"]] == ["new"]


async def test_minimax_v2_has_real_statuses(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(limit=0)
    answer = await client.get(upstream.url("minimax-v2") + "/v2/query/video_generation/a")
    assert answer.status_code == 429
    assert shape(answer.json()) == shape(recorded("minimax-v2", "error-429.json"))


async def test_flux_tells_a_limit_in_a_body_of_its_own(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(limit=0, retry_after=RetryAfter.BODY)
    answer = await client.get(upstream.url("flux") + "/v1/get_result?id=a")
    assert answer.status_code == 429
    assert shape(answer.json()) == shape(recorded("flux", "error-429.json"))


async def test_flux_tells_an_unknown_task_in_its_status(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    url = upstream.url("flux") + "/v1/get_result?id=nobody"
    answer = await client.get(url)
    assert answer.status_code == 200
    assert shape(answer.json()) == shape(recorded("flux", "task-not-found.json"))
    assert answer.json()["status"] == "Task not found"
    upstream.switch(unknown=Unknown.BAD_REQUEST)
    assert (await client.get(url)).status_code == 400


async def test_a_polling_url_of_flux_is_bound_to_its_region(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    url = upstream.url("flux") + "/v1/flux-pro-1.1"
    made = (await client.post(url, json={"prompt": "a boat"})).json()
    right = (await client.get(made["polling_url"])).json()
    elsewhere = f"{upstream.url('flux')}/v1/get_result?id={made['id']}"
    wrong = (await client.get(elsewhere)).json()
    assert (right["status"], wrong["status"]) == ("Pending", "Task not found")
