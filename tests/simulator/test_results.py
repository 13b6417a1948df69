"""What the APIs that tell their results in ways of their own say besides the usual look."""

from base64 import b64decode

import httpx
import pytest

from bridge.simulator.switches import Second
from bridge.simulator.upstream import Upstream
from tests.simulator.asking import HEADERS, look

pytestmark = pytest.mark.anyio

DONE = [("completed", None)]


@pytest.mark.parametrize("path", ["results/{}", "image-to-video/result/{}"])
@pytest.mark.parametrize(
    ("state", "status"),
    [("queued", 202), ("dreaming", 202), ("completed", 200), ("failed", 200)],
)
async def test_the_status_is_the_state_of_a_result_of_stability(
    upstream: Upstream, client: httpx.AsyncClient, *, path: str, state: str, status: int
) -> None:
    id_ = upstream.add("stability", script=[(state, None)])
    url = f"{upstream.url('stability')}/v2beta/{path.format(id_)}"
    answer = await client.get(url, headers={"accept": "application/json"})
    assert answer.status_code == status
    filtered = answer.json().get("finish_reason") == "CONTENT_FILTERED"
    assert filtered == (state == "failed")
    assert ("result" in answer.json()) == (state == "completed")


@pytest.mark.parametrize(("kind", "file"), [("image", "image/png"), ("video", "video/mp4")])
async def test_stability_gives_the_file_itself_to_who_does_not_ask_for_json(
    upstream: Upstream, client: httpx.AsyncClient, kind: str, file: str
) -> None:
    id_ = upstream.add("stability", script=DONE, kind=kind)
    url = f"{upstream.url('stability')}/v2beta/results/{id_}"
    answer = await client.get(url, headers={"accept": f"{kind}/*"})
    document = (await look(upstream, client, "stability", id_)).json()
    assert answer.headers["content-type"] == file
    assert b64decode(document["result"]) == answer.content


async def test_stability_forgets_a_result_after_a_day(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    old = upstream.add("stability", script=DONE, age=86_500.0)
    young = upstream.add("stability", script=DONE, age=86_300.0)
    statuses = [
        (await look(upstream, client, "stability", id_)).status_code for id_ in (old, young)
    ]
    assert statuses == [404, 200]


@pytest.mark.parametrize("state", ["dreaming", "completed", "failed"])
async def test_heygen_has_a_newer_envelope_too(
    upstream: Upstream, client: httpx.AsyncClient, state: str
) -> None:
    id_ = upstream.add("heygen", script=[(state, None)], code="c", reason="why")
    older = (await look(upstream, client, "heygen", id_)).json()["data"]
    url = f"{upstream.url('heygen')}/v2/videos/{id_}"
    newer = (await client.get(url, headers=HEADERS["heygen"])).json()
    assert newer["error"] is None
    assert {name: newer["data"][name] for name in older if name != "error"}.keys() == (
        older.keys() - {"error"}
    )
    told = (newer["data"]["failure_code"], newer["data"]["failure_message"])
    assert told == (("c", "why") if state == "failed" else (None, None))


async def test_heygen_wants_an_id(upstream: Upstream, client: httpx.AsyncClient) -> None:
    answer = await look(upstream, client, "heygen", "")
    assert answer.status_code == 400


async def test_ideogram_answers_older_keys_on_the_older_path(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("ideogram", script=[("dreaming", None)])
    url = f"{upstream.url('ideogram')}/v1/generations/{id_}"
    older = await client.get(url, headers=HEADERS["ideogram"])
    assert older.json() == (await look(upstream, client, "ideogram", id_)).json()


async def test_aimlapi_video_is_at_the_root_too_under_either_path(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    query = "/v2/video/generations?generation_id="
    id_ = upstream.add("aimlapi-video", script=DONE)
    for base in (upstream.apis.origin, upstream.url("aimlapi-video")):
        assert (await client.get(f"{base}{query}{id_}")).json()["id"] == id_
        assert (await client.get(f"{base}{query}nobody")).status_code == 404
        assert (await client.get(f"{base}/v2/video/generations")).status_code == 400


async def test_aimlapi_makes_sounds_as_well(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    url = upstream.url("aimlapi-video") + "/v2/generate/audio"
    upstream.switch(script=(("completed", None),))
    made = (await client.post(url, json={"prompt": "la la"})).json()
    shown = (await client.get(url, params={"generation_id": made["id"]})).json()
    file = await client.get(shown["audio_file"]["url"])
    assert file.headers["content-type"] == "audio/mpeg"


async def test_a_clip_that_streams_has_a_live_link_and_a_failed_one_a_dead_one(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    opened = []
    for state in ("dreaming", "completed", "failed"):
        id_ = upstream.add("aimlapi-suno", script=[(state, None)])
        clip = (await look(upstream, client, "aimlapi-suno", id_)).json()
        opened.append((await client.get(clip["audio_url"])).status_code)
    assert opened == [200, 200, 404]


@pytest.mark.parametrize(
    ("second", "statuses"),
    [
        (Second.OK, [200, 200, 200]),
        (Second.NOT_FOUND, [404, 404, 404]),
        (Second.UNAVAILABLE, [503, 503, 200]),
        (Second.MODEL_ERROR, [422, 422, 422]),
    ],
)
async def test_the_result_of_fal_is_a_second_call_that_can_go_wrong(
    upstream: Upstream, client: httpx.AsyncClient, second: Second, statuses: list[int]
) -> None:
    upstream.switch(second=second)
    id_ = upstream.add("fal", script=DONE)
    url = f"{upstream.url('fal')}/{id_}"
    seen = [(await client.get(url, headers=HEADERS["fal"])).status_code for _ in range(3)]
    assert seen == statuses


@pytest.mark.parametrize(
    ("script", "age", "status"),
    [
        ([("dreaming", None)], 0.0, 400),
        (DONE, 0.0, 200),
        (DONE, 3_700.0, 404),
        ([("failed", None)], 0.0, 422),
    ],
)
async def test_the_result_of_fal_is_there_for_an_hour_after_the_end(
    upstream: Upstream,
    client: httpx.AsyncClient,
    *,
    script: list[tuple[str, float | None]],
    age: float,
    status: int,
) -> None:
    id_ = upstream.add("fal", script=script, age=age)
    answer = await client.get(f"{upstream.url('fal')}/{id_}", headers=HEADERS["fal"])
    assert answer.status_code == status


async def test_what_opens_with_the_key_alone_is_not_there_without_an_output(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(without_output=60.0)
    statuses = {}
    for age in (0.0, 61.0):
        id_ = upstream.add("openai-videos", script=DONE, age=age)
        url = f"{upstream.url('openai-videos')}/videos/{id_}/content"
        statuses[age] = (await client.get(url)).status_code
    assert statuses == {0.0: 404, 61.0: 200}
