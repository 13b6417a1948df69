"""The waiters in the vendors' own clients, unpatched, on virtual time, come to the right end."""

from itertools import pairwise
from typing import Any

import httpx
import httpx2
import pytest
import trio.testing

from bridge.simulator.timeline import Script
from tests.fakes.clock import VirtualClock
from tests.fakes.upstream import FakeUpstream
from tests.fakes.vendor_client import UpstreamApp

pytestmark = [
    pytest.mark.anyio,
    # Whatever becomes of the vendor's own service, relays keep the shape.
    pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning"),
]

SCRIPT: Script = [("queued", 20.0), ("dreaming", 60.0), ("completed", None)]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def looks(upstream: FakeUpstream) -> list[float]:
    return [call.at for call in upstream.requests if call.method == "GET"]


def runway_client(runwayml: Any, upstream: FakeUpstream) -> Any:
    transport = httpx.ASGITransport(app=UpstreamApp(upstream))
    return runwayml.AsyncRunwayML(
        api_key="key",
        base_url=upstream.url("runway"),
        max_retries=0,
        http_client=httpx.AsyncClient(transport=transport),
        _strict_response_validation=True,
    )


def openai_client(openai: Any, upstream: FakeUpstream) -> Any:
    transport = httpx2.ASGITransport(app=UpstreamApp(upstream))
    return openai.AsyncOpenAI(
        api_key="key",
        base_url=upstream.url("openai-videos"),
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=transport),
        _strict_response_validation=True,
    )


async def test_that_of_runway_looks_every_six_seconds_until_the_end(runwayml: Any) -> None:
    upstream = FakeUpstream(VirtualClock())
    upstream.switch(script=SCRIPT)
    async with runway_client(runwayml, upstream) as runway:
        made = await runway.text_to_image.create(
            model="gen4_image", prompt_text="a boat", ratio="1280:720"
        )
        done = await made.wait_for_task_output()
    assert done.status == "SUCCEEDED"
    at = looks(upstream)
    assert all(4.5 <= later - sooner <= 7.5 for sooner, later in pairwise(at))
    assert at[-2] < 80.0 <= at[-1]


@pytest.mark.parametrize(
    ("end", "word"), [("failed", "FAILED"), ("cancelled", "CANCELLED")]
)
async def test_that_of_runway_tells_a_failure(runwayml: Any, end: str, word: str) -> None:
    upstream = FakeUpstream(VirtualClock())
    id_ = upstream.add("runway", script=[("dreaming", 20.0), (end, None)])
    async with runway_client(runwayml, upstream) as runway:
        task = await runway.tasks.retrieve(id_)
        with pytest.raises(runwayml.TaskFailedError) as caught:
            await task.wait_for_task_output()
    assert caught.value.task_details.status == word


@pytest.mark.parametrize("pause", [2.0, 15.0])
async def test_that_of_openai_looks_when_the_header_tells_it_to(
    openai: Any, pause: float
) -> None:
    upstream = FakeUpstream(VirtualClock())
    upstream.switch(poll_after=pause)
    id_ = upstream.add("openai-videos", script=SCRIPT)
    async with openai_client(openai, upstream) as client:
        video = await client.videos.poll(id_)
    assert (video.id, video.status, video.progress) == (id_, "completed", 100)
    at = looks(upstream)
    assert {later - sooner for sooner, later in pairwise(at)} == {pause}
    assert at[-2] < 80.0 <= at[-1]


async def test_that_of_openai_returns_a_failure(openai: Any) -> None:
    upstream = FakeUpstream(VirtualClock())
    script: Script = [("queued", 5.0), ("failed", None)]
    id_ = upstream.add("openai-videos", script=script, code="c", reason="why")
    async with openai_client(openai, upstream) as client:
        video = await client.videos.poll(id_)
    assert (video.status, video.error.code, video.error.message) == ("failed", "c", "why")
