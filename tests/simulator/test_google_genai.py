"""google-genai accepts what the simulator says of veo's operations."""

from collections.abc import AsyncIterator
from ssl import SSLContext
from typing import Any

import httpx
import pytest

from bridge.simulator.switches import Fault
from bridge.simulator.upstream import Upstream

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(upstream: Upstream, genai: Any, nobody: SSLContext) -> AsyncIterator[Any]:
    async with httpx.AsyncClient(trust_env=False, verify=nobody) as http:
        options = genai.types.HttpOptions(
            base_url=upstream.url("veo"), httpx_async_client=http
        )
        asking = genai.Client(api_key="key", http_options=options)
        yield asking.aio
        asking.close()


@pytest.fixture
def named(genai: Any) -> Any:
    return lambda name: genai.types.GenerateVideosOperation(name=name)


@pytest.mark.parametrize(
    ("state", "done"), [("queued", None), ("dreaming", None), ("false", False)]
)
async def test_an_operation_that_runs_is_not_done(
    upstream: Upstream, client: Any, named: Any, state: str, done: bool | None
) -> None:
    name = upstream.add("veo", script=[(state, None)])
    seen = await client.operations.get(named(name))
    assert (seen.name, seen.done, seen.response, seen.error) == (name, done, None, None)


async def test_an_operation_that_is_done_has_a_link_for_the_key(
    upstream: Upstream, client: Any, named: Any, nobody: SSLContext
) -> None:
    name = upstream.add("veo", script=[("completed", None)])
    seen = await client.operations.get(named(name))
    (made,) = seen.response.generated_videos
    assert (seen.name, seen.done, seen.error) == (name, True, None)
    async with httpx.AsyncClient(trust_env=False, verify=nobody) as stranger:
        refused = await stranger.get(made.video.uri)
        opened = await stranger.get(made.video.uri, headers={"x-goog-api-key": "key"})
    assert (refused.status_code, opened.status_code) == (401, 200)
    assert opened.headers["content-type"] == "video/mp4"


async def test_a_failure_is_done_with_an_error(
    upstream: Upstream, client: Any, named: Any
) -> None:
    name = upstream.add("veo", script=[("failed", None)], reason="why")
    seen = await client.operations.get(named(name))
    assert (seen.done, seen.error["message"], seen.response) == (True, "why", None)


async def test_what_is_filtered_is_done_with_nothing_left(
    upstream: Upstream, client: Any, named: Any
) -> None:
    name = upstream.add("veo", script=[("moderated", None)], reason="why")
    seen = await client.operations.get(named(name))
    assert (seen.done, seen.error, seen.response.generated_videos) == (True, None, None)
    assert seen.response.rai_media_filtered_count == 1
    assert seen.response.rai_media_filtered_reasons == ["why"]


async def test_an_operation_that_was_begun_by_hand_is_found(
    upstream: Upstream, client: Any, named: Any, nobody: SSLContext
) -> None:
    """The client itself begins none any more with a key of this API."""
    path = "/v1beta/models/veo-3.0-fast-generate-001:predictLongRunning"
    async with httpx.AsyncClient(trust_env=False, verify=nobody) as http:
        answer = await http.post(
            upstream.url("veo") + path,
            json={"instances": [{"prompt": "a boat"}]},
            headers={"x-goog-api-key": "key"},
        )
    name = answer.json()["name"]
    assert name.startswith("models/veo-3.0-fast-generate-001/operations/")
    assert (await client.operations.get(named(name))).name == name


async def test_errors_are_raised_as_its_own(
    upstream: Upstream, genai: Any, client: Any, named: Any
) -> None:
    nobody = named("models/m/operations/nobody")
    told = []
    for switches in ({}, {"limit": 0}, {"limit": None, "fault": Fault.WRONG_KEY}):
        upstream.switch(**switches)
        with pytest.raises(genai.errors.ClientError) as caught:
            await client.operations.get(nobody)
        told.append((caught.value.code, caught.value.status))
    assert told == [
        (404, "NOT_FOUND"),
        (429, "RESOURCE_EXHAUSTED"),
        (401, "UNAUTHENTICATED"),
    ]


@pytest.mark.parametrize(
    ("document", "place"),
    [('{"done": "almost"}', "done"), ('{"name": 7}', "name"), ("{", "line 1")],
)
async def test_an_unfaithful_document_is_refused(
    genai: Any, named: Any, document: str, place: str
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=document))
    async with httpx.AsyncClient(transport=transport) as http:
        options = genai.types.HttpOptions(httpx_async_client=http)
        client = genai.Client(api_key="key", http_options=options)
        with pytest.raises(ValueError, match=place):
            await client.aio.operations.get(named("models/m/operations/a"))
        client.close()
