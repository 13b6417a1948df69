"""The documents have the shape of the recorded examples, field by field."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.simulator.upstream import Upstream

pytestmark = pytest.mark.anyio

EXAMPLES = Path(__file__).parents[1] / "fixtures" / "providers"

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
]

PATHS = {
    "aimlapi-luma": "/v2/generate/video/luma-ai/generation?generation_id={}",
    "luma-agents": "/generations/{}",
    "dream-machine": "/generations/{}",
    "relay-luma": "/dream-machine/v1/generations/{}",
}


def shape(value: Any) -> Any:
    """Names and types without the values; the names of one object have no order."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


@pytest.mark.parametrize("case", CASES, ids="-".join)
async def test_a_document_has_the_shape_of_the_recorded_one(
    upstream: Upstream, client: httpx.AsyncClient, case: tuple[str, str, str, str]
) -> None:
    provider, state, file, kind = case
    recorded = json.loads((EXAMPLES / provider / file).read_text())
    id_ = upstream.add(provider, script=[(state, None)], kind=kind)
    answer = await client.get(upstream.url(provider) + PATHS[provider].format(id_))
    assert answer.status_code == 200
    assert shape(answer.json()) == shape(recorded)
    assert answer.json()["state"] == recorded["state"]
    assert answer.json()["id"] == id_


@pytest.mark.parametrize(
    ("provider", "file"),
    [("aimlapi-luma", "error-404.json"), ("luma-agents", "error-404.json")],
)
async def test_an_error_has_the_shape_of_the_recorded_one(
    upstream: Upstream, client: httpx.AsyncClient, provider: str, file: str
) -> None:
    recorded = json.loads((EXAMPLES / provider / file).read_text())
    answer = await client.get(upstream.url(provider) + PATHS[provider].format("nobody"))
    assert answer.status_code == 404
    assert shape(answer.json()) == shape(recorded)


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


@pytest.mark.parametrize("provider", list(PATHS))
async def test_a_path_that_the_vendor_does_not_have_is_answered_in_its_own_envelope(
    upstream: Upstream, client: httpx.AsyncClient, provider: str
) -> None:
    answer = await client.get(upstream.url(provider) + "/nothing/here")
    assert answer.status_code == 404
    assert {"message", "detail"} & set(answer.json())


async def test_a_prefix_that_no_provider_has_is_not_found(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    origin = upstream.url("aimlapi-luma").removesuffix("/aimlapi-luma")
    assert (await client.get(f"{origin}/nobody/v1")).status_code == 404
