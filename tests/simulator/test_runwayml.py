"""runwayml, told to be strict, accepts what the simulator says."""

from collections.abc import AsyncIterator
from ssl import SSLContext
from typing import Any

import httpx
import pytest

from bridge.simulator.switches import Fault
from bridge.simulator.upstream import Upstream

pytestmark = pytest.mark.anyio

WORDS = {
    "queued": "PENDING",
    "THROTTLED": "THROTTLED",
    "dreaming": "RUNNING",
    "completed": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}


@pytest.fixture
async def runway(
    upstream: Upstream, runwayml: Any, nobody: SSLContext
) -> AsyncIterator[Any]:
    async with runwayml.AsyncRunwayML(
        api_key="key",
        base_url=upstream.url("runway"),
        max_retries=0,
        http_client=runwayml.DefaultAsyncHttpxClient(trust_env=False, verify=nobody),
        _strict_response_validation=True,
    ) as client:
        yield client


@pytest.mark.parametrize("state", WORDS)
async def test_every_state_is_read(upstream: Upstream, runway: Any, state: str) -> None:
    id_ = upstream.add("runway", script=[(state, None)], reason="why", code="INTERNAL")
    task = await runway.tasks.retrieve(id_)
    assert (task.id, task.status) == (id_, WORDS[state])
    assert hasattr(task, "output") == (state == "completed")
    assert getattr(task, "progress", None) == (0.5 if state == "dreaming" else None)
    told = (getattr(task, "failure", None), getattr(task, "failure_code", None))
    assert told == (("why", "INTERNAL") if state == "failed" else (None, None))


async def test_the_link_opens(
    upstream: Upstream, runway: Any, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("runway", script=[("completed", None)])
    (url,) = (await runway.tasks.retrieve(id_)).output
    assert (await client.get(url)).headers["content-type"] == "video/mp4"


async def test_errors_are_raised_as_its_own(
    upstream: Upstream, runwayml: Any, runway: Any
) -> None:
    with pytest.raises(runwayml.NotFoundError, match="not found"):
        await runway.tasks.retrieve("nobody")
    upstream.switch(limit=0)
    with pytest.raises(runwayml.RateLimitError):
        await runway.tasks.retrieve("nobody")
    upstream.switch(limit=None, fault=Fault.WRONG_KEY)
    with pytest.raises(runwayml.AuthenticationError):
        await runway.tasks.retrieve("nobody")


async def test_a_task_is_created_found_and_deleted_for_good(
    upstream: Upstream, runwayml: Any, runway: Any
) -> None:
    made = await runway.text_to_video.create(
        model="veo3.1", prompt_text="a boat", ratio="1280:720", duration=4
    )
    assert (await runway.tasks.retrieve(made.id)).status == "PENDING"
    await runway.tasks.delete(made.id)
    for again in (runway.tasks.retrieve, runway.tasks.delete):
        with pytest.raises(runwayml.NotFoundError):
            await again(made.id)


@pytest.mark.parametrize("word", ["DONE", "succeeded", ""])
async def test_a_wrong_word_is_refused(
    upstream: Upstream, runwayml: Any, runway: Any, word: str
) -> None:
    id_ = upstream.add("runway", script=[(word, None)])
    with pytest.raises(runwayml.APIResponseValidationError):
        await runway.tasks.retrieve(id_)


async def test_a_page_in_place_of_a_document_is_refused(
    upstream: Upstream, runwayml: Any, runway: Any
) -> None:
    id_ = upstream.add("runway", script=[("failed", None)])
    upstream.switch(fault=Fault.HTML)
    with pytest.raises(runwayml.APIResponseValidationError):
        await runway.tasks.retrieve(id_)
