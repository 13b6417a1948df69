"""openai, told to be strict, accepts what the simulator says of videos and batches."""

from collections.abc import AsyncIterator
from ssl import SSLContext
from typing import Any

import pytest

from bridge.simulator.limits import RetryAfter
from bridge.simulator.switches import Fault
from bridge.simulator.upstream import Upstream

pytestmark = [
    pytest.mark.anyio,
    # Whatever becomes of the vendor's own service, relays keep the shape.
    pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning"),
]

BATCHES = {
    "queued": "validating",
    "dreaming": "in_progress",
    "finalizing": "finalizing",
    "cancelling": "cancelling",
    "completed": "completed",
    "failed": "failed",
    "expired": "expired",
    "cancelled": "cancelled",
}


def strict(openai: Any, url: str, nobody: SSLContext) -> Any:
    return openai.AsyncOpenAI(
        api_key="key",
        base_url=url,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(trust_env=False, verify=nobody),
        _strict_response_validation=True,
    )


@pytest.fixture
async def videos(upstream: Upstream, openai: Any, nobody: SSLContext) -> AsyncIterator[Any]:
    async with strict(openai, upstream.url("openai-videos"), nobody) as client:
        yield client.videos


@pytest.fixture
async def batches(
    upstream: Upstream, openai: Any, nobody: SSLContext
) -> AsyncIterator[Any]:
    async with strict(openai, upstream.url("openai-batch"), nobody) as client:
        yield client


@pytest.mark.parametrize(
    ("state", "word", "progress"),
    [
        ("queued", "queued", 0),
        ("dreaming", "in_progress", 50),
        ("completed", "completed", 100),
        ("failed", "failed", 12),
    ],
)
async def test_every_state_of_a_video_is_read(
    upstream: Upstream, videos: Any, state: str, word: str, progress: int
) -> None:
    id_ = upstream.add("openai-videos", script=[(state, None)], code="c", reason="why")
    video = await videos.retrieve(id_)
    assert (video.id, video.status, video.progress) == (id_, word, progress)
    assert bool(video.completed_at and video.expires_at) == (state == "completed")
    told = video.error and (video.error.code, video.error.message)
    assert told == (("c", "why") if state == "failed" else None)


async def test_a_video_is_created_and_then_found(videos: Any) -> None:
    made = await videos.create(prompt="a boat", model="sora-2-pro")
    found = await videos.retrieve(made.id)
    assert (found.status, found.model, found.created_at) == (
        "queued",
        "sora-2-pro",
        made.created_at,
    )


async def test_a_video_is_downloaded_once_it_is_there(
    upstream: Upstream, openai: Any, videos: Any
) -> None:
    done = upstream.add("openai-videos", script=[("completed", None)])
    late = upstream.add("openai-videos", script=[("dreaming", None)])
    gone = upstream.add("openai-videos", script=[("completed", None)], age=90_000.0)
    file = await videos.download_content(done)
    assert file.response.headers["content-type"] == "video/mp4"
    thumbnail = await videos.download_content(done, variant="thumbnail")
    assert thumbnail.response.headers["content-type"] == "image/webp"
    for id_ in (late, gone, "nobody"):
        with pytest.raises(openai.NotFoundError):
            await videos.download_content(id_)


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_videos_are_listed_page_by_page(
    upstream: Upstream, videos: Any, order: str
) -> None:
    ids = [upstream.add("openai-videos", script=[("queued", None)]) for _ in range(7)]
    first = await videos.list(limit=3, order=order)
    assert (len(first.data), first.has_more, first.last_id) == (3, True, first.data[2].id)
    listed = [video.id async for video in first]
    assert listed == (ids if order == "asc" else ids[::-1])
    assert len([call for call in upstream.requests if call.value("after")]) == 2


@pytest.mark.parametrize("state", BATCHES)
async def test_every_state_of_a_batch_is_read(
    upstream: Upstream, batches: Any, state: str
) -> None:
    script = [("dreaming", 1.0), (state, None)]
    id_ = upstream.add("openai-batch", script=script, age=60.0, code="c", reason="why")
    batch = await batches.batches.retrieve(id_)
    assert (batch.id, batch.status) == (id_, BATCHES[state])
    assert bool(batch.output_file_id) == (state in ("completed", "expired"))
    assert bool(batch.error_file_id) == (state == "completed")
    told = batch.errors and [(e.code, e.message) for e in batch.errors.data]
    assert told == ([("c", "why")] if state == "failed" else None)


async def test_a_completed_batch_has_a_file_of_good_rows_and_one_of_bad_ones(
    upstream: Upstream, openai: Any, batches: Any
) -> None:
    id_ = upstream.add("openai-batch", script=[("completed", None)])
    batch = await batches.batches.retrieve(id_)
    counts = batch.request_counts
    assert counts.completed + counts.failed == counts.total
    good = await batches.files.content(batch.output_file_id)
    bad = await batches.files.content(batch.error_file_id)
    assert ('"status_code": 200' in good.text, '"status_code": 400' in bad.text) == (
        True,
        True,
    )
    with pytest.raises(openai.NotFoundError):
        await batches.files.content("file-in")


async def test_an_expired_batch_has_the_rows_that_were_in_time(
    upstream: Upstream, batches: Any
) -> None:
    id_ = upstream.add("openai-batch", script=[("expired", None)])
    batch = await batches.batches.retrieve(id_)
    assert 0 < batch.request_counts.completed < batch.request_counts.total
    assert (await batches.files.content(batch.output_file_id)).text


async def test_a_batch_is_created_found_and_listed(batches: Any) -> None:
    made = [
        await batches.batches.create(
            input_file_id="file-in", endpoint="/v1/responses", completion_window="24h"
        )
        for _ in range(3)
    ]
    assert (await batches.batches.retrieve(made[0].id)).status == "validating"
    page = await batches.batches.list(limit=2)
    assert [batch.id async for batch in page] == [batch.id for batch in made[::-1]]


async def test_errors_are_raised_as_its_own(
    upstream: Upstream, openai: Any, videos: Any
) -> None:
    with pytest.raises(openai.NotFoundError, match="not found"):
        await videos.retrieve("nobody")
    with pytest.raises(openai.BadRequestError):
        await videos.list(limit=101)
    upstream.switch(limit=0, retry_after=RetryAfter.MILLISECONDS)
    with pytest.raises(openai.RateLimitError, match="Rate limit") as limited:
        await videos.retrieve("nobody")
    assert limited.value.type == "rate_limit_error"
    upstream.switch(limit=None, fault=Fault.WRONG_KEY)
    with pytest.raises(openai.AuthenticationError):
        await videos.retrieve("nobody")


@pytest.mark.parametrize("word", ["processing", "succeeded", ""])
async def test_a_wrong_word_is_refused(
    upstream: Upstream, openai: Any, videos: Any, batches: Any, word: str
) -> None:
    for provider, retrieve in (
        ("openai-videos", videos.retrieve),
        ("openai-batch", batches.batches.retrieve),
    ):
        id_ = upstream.add(provider, script=[(word, None)])
        with pytest.raises(openai.APIResponseValidationError):
            await retrieve(id_)
