"""The documents have the shape of the recorded examples, field by field."""

import httpx
import pytest

from bridge.simulator.upstream import Upstream
from tests.simulator.asking import OTHERS
from tests.simulator.shapes import recorded, shape, words

pytestmark = pytest.mark.anyio

CASES = [
    ("aimlapi-luma", "queued", "queued.json", "video"),
    ("aimlapi-luma", "dreaming", "dreaming.json", "video"),
    ("aimlapi-luma", "completed", "completed.json", "video"),
    ("aimlapi-luma", "failed", "failed.json", "video"),
    ("luma-agents", "queued", "queued.json", "image"),
    ("luma-agents", "dreaming", "processing.json", "image"),
    ("luma-agents", "completed", "completed.json", "image"),
    ("luma-agents", "failed", "failed-content-moderated.json", "image"),
    ("dream-machine", "queued", "queued.json", "video"),
    ("dream-machine", "dreaming", "dreaming.json", "image"),
    ("dream-machine", "completed", "completed.json", "video"),
    ("dream-machine", "completed", "completed-image.json", "image"),
    ("dream-machine", "failed", "failed.json", "video"),
    ("relay-luma", "queued", "pending.json", "video"),
    ("relay-luma", "dreaming", "processing.json", "video"),
    ("relay-luma", "completed", "completed.json", "video"),
    ("relay-luma", "failed", "failed.json", "video"),
    ("relay-luma-own", "queued", "pending.json", "video"),
    ("relay-luma-own", "dreaming", "processing.json", "video"),
    ("relay-luma-own", "completed", "completed.json", "video"),
    ("relay-luma-own", "failed", "failed.json", "video"),
    ("relay-suno", "queued", "submitted.json", "music"),
    ("relay-suno", "dreaming", "in-progress.json", "music"),
    ("relay-suno", "completed", "success.json", "music"),
    ("relay-suno", "failed", "failure.json", "music"),
    ("relay-udio", "dreaming", "in-progress.json", "music"),
    ("relay-udio", "completed", "success.json", "music"),
    ("relay-udio", "failed", "failure.json", "music"),
    ("relay-midjourney", "queued", "not-start.json", "image"),
    ("relay-midjourney", "dreaming", "in-progress.json", "image"),
    ("relay-midjourney", "completed", "success.json", "image"),
    ("relay-midjourney", "failed", "failure.json", "image"),
    ("relay-runway", "dreaming", "running.json", "video"),
    ("relay-runway", "completed", "succeeded.json", "video"),
    ("flux", "dreaming", "pending.json", "image"),
    ("flux", "completed", "ready.json", "image"),
    ("flux", "moderated", "request-moderated.json", "image"),
    ("kling", "queued", "submitted.json", "video"),
    ("kling", "dreaming", "processing.json", "video"),
    ("kling", "completed", "succeed.json", "video"),
    ("kling", "failed", "failed.json", "video"),
    ("minimax", "queued", "queueing.json", "video"),
    ("minimax", "dreaming", "processing.json", "video"),
    ("minimax", "completed", "success.json", "video"),
    ("minimax", "failed", "fail.json", "video"),
    ("minimax-v2", "queued", "queued.json", "video"),
    ("minimax-v2", "dreaming", "running.json", "video"),
    ("minimax-v2", "completed", "succeeded.json", "video"),
    ("minimax-v2", "failed", "failed.json", "video"),
]


@pytest.mark.parametrize("case", CASES, ids="-".join)
async def test_a_document_has_the_shape_of_the_recorded_one(
    upstream: Upstream, client: httpx.AsyncClient, case: tuple[str, str, str, str]
) -> None:
    provider, state, file, kind = case
    example = recorded(provider, file)
    id_ = upstream.add(provider, script=[(state, None)], kind=kind)
    answer = await client.get(upstream.url(provider) + OTHERS[provider].format(id_))
    assert answer.status_code == 200
    assert shape(answer.json()) == shape(example)
    assert words(answer.json()) == words(example)
    assert id_.rpartition("/")[2] in answer.text


@pytest.mark.parametrize(
    ("provider", "file"),
    [("aimlapi-luma", "error-404.json"), ("luma-agents", "error-404.json")],
)
async def test_an_error_has_the_shape_of_the_recorded_one(
    upstream: Upstream, client: httpx.AsyncClient, provider: str, file: str
) -> None:
    example = recorded(provider, file)
    answer = await client.get(upstream.url(provider) + OTHERS[provider].format("nobody"))
    assert answer.status_code == 404
    assert shape(answer.json()) == shape(example)


async def test_a_dream_machine_video_in_the_making_shows_a_progress_video_only(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("dream-machine", script=[("dreaming", None)])
    answer = await client.get(f"{upstream.url('dream-machine')}/generations/{id_}")
    assert list(answer.json()["assets"]) == ["progress_video"]


async def test_only_one_link_of_a_relay_is_watermarked(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("relay-luma", script=[("completed", None)])
    url = f"{upstream.url('relay-luma')}/dream-machine/v1/generations/{id_}"
    document = (await client.get(url)).json()
    assert "watermarked" in document["video"]["url"]
    assert document["video"]["download_url"] == document["video_raw"]["url"]
    assert "watermarked" not in document["video"]["download_url"]


async def test_an_id_with_a_slash_and_a_colon_is_one_id(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.add("luma-agents", id="a/b:c d", script=[("queued", None)])
    answer = await client.get(f"{upstream.url('luma-agents')}/generations/a%2Fb%3Ac%20d")
    assert answer.json()["id"] == "a/b:c d"


@pytest.mark.parametrize("provider", OTHERS)
async def test_a_path_that_the_vendor_does_not_have_is_answered_in_its_own_envelope(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    answer = await client.get(upstream.url(provider) + "/nothing/here")
    assert answer.status_code == 404
    assert "Cannot GET" in answer.text


async def test_a_prefix_that_no_provider_has_is_not_found(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    origin = upstream.url("aimlapi-luma").removesuffix("/aimlapi-luma")
    assert (await client.get(f"{origin}/nobody/v1")).status_code == 404
