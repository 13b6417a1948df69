"""replicate, which is always strict, accepts what the simulator says; its waiter ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from ssl import SSLContext
from typing import Any

import httpx
import pytest

from bridge.simulator.limits import RetryAfter
from bridge.simulator.switches import Fault
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

pytestmark = pytest.mark.anyio

WORDS = {
    "queued": "starting",
    "dreaming": "processing",
    "completed": "succeeded",
    "failed": "failed",
    "cancelled": "canceled",
}


@asynccontextmanager
async def reaching(
    upstream: Upstream, replicate: Any, nobody: SSLContext
) -> AsyncIterator[Any]:
    """A client cannot be closed, but what it sends through can."""
    async with httpx.AsyncHTTPTransport(verify=nobody) as transport:
        url = upstream.url("replicate")
        yield replicate.Client("key", base_url=url, transport=transport)


@pytest.fixture
async def client(
    upstream: Upstream, replicate: Any, nobody: SSLContext
) -> AsyncIterator[Any]:
    async with reaching(upstream, replicate, nobody) as asking:
        asking.poll_interval = 0.02
        yield asking


@pytest.mark.parametrize("state", WORDS)
async def test_every_state_is_read(upstream: Upstream, client: Any, state: str) -> None:
    script = [("queued", 1.0), (state, None)]
    id_ = upstream.add("replicate", script=script, age=1.5, reason="why")
    seen = await client.predictions.async_get(id_)
    assert (seen.id, seen.status) == (id_, WORDS[state])
    assert bool(seen.output) == (state == "completed")
    assert seen.error == ("why" if state == "failed" else None)
    assert bool(seen.started_at) == (state in ("dreaming", "completed"))
    assert bool(seen.completed_at) == (state in ("completed", "failed", "cancelled"))


async def test_the_percentage_is_read_from_the_logs(
    upstream: Upstream, client: Any
) -> None:
    script = [("dreaming", 100_000.0), ("completed", None)]
    id_ = upstream.add("replicate", script=script, age=42_500.0)
    progress = (await client.predictions.async_get(id_)).progress
    assert (progress.percentage, progress.current, progress.total) == (0.42, 21, 50)


@pytest.mark.parametrize("kind", ["video", "image"])
async def test_an_output_is_a_list_or_one_link(
    upstream: Upstream, client: Any, kind: str
) -> None:
    id_ = upstream.add("replicate", script=[("completed", None)], kind=kind)
    output = (await client.predictions.async_get(id_)).output
    assert isinstance(output, list) == (kind == "video")


async def test_its_waiter_waits_for_the_end(upstream: Upstream, client: Any) -> None:
    script = [("queued", 0.1), ("dreaming", 0.1), ("completed", None)]
    id_ = upstream.add("replicate", script=script)
    prediction = await client.predictions.async_get(id_)
    await prediction.async_wait()
    assert (prediction.status, len(prediction.output)) == ("succeeded", 1)


async def test_a_failure_is_raised_as_the_models(
    upstream: Upstream, replicate: Any, client: Any
) -> None:
    upstream.switch(script=[("completed", None)])
    with pytest.raises(replicate.exceptions.ModelError, match="told to fail"):
        await client.async_run("acme/clip", input={"prompt": "please fail"})


async def test_a_creation_can_wait_for_the_end(replicate: Any, nobody: SSLContext) -> None:
    async with (
        Upstream(clock=SystemClock(), speed=40.0) as upstream,
        reaching(upstream, replicate, nobody) as client,
    ):
        ask = partial(client.predictions.async_create, "v", {"prompt": "a boat"})
        upstream.switch(script=(("queued", 2.0), ("dreaming", None)))
        made = [await ask(), await ask(wait=4)]
        upstream.switch(script=(("queued", 2.0), ("dreaming", 6.0), ("completed", None)))
        made.append(await ask(wait=True))
    assert [p.status for p in made] == ["starting", "processing", "succeeded"]


async def test_predictions_are_listed_forwards_and_back(
    upstream: Upstream, client: Any
) -> None:
    ids = [upstream.add("replicate", script=[("queued", None)]) for _ in range(205)]
    pages = [await client.predictions.async_list()]
    while pages[-1].next:
        pages.append(await client.predictions.async_list(pages[-1].next))
    assert [p.id for page in pages for p in page.results] == ids[::-1]
    assert [len(page) for page in pages] == [100, 100, 5]
    assert pages[0].previous is None
    for page, before in zip(pages[1:], pages, strict=False):
        back = await client.predictions.async_list(page.previous)
        assert [p.id for p in back.results] == [p.id for p in before.results]


async def test_a_page_stays_where_it_is_when_newer_predictions_come(
    upstream: Upstream, client: Any
) -> None:
    for _ in range(101):
        upstream.add("replicate", script=[("queued", None)])
    first = await client.predictions.async_list()
    upstream.add("replicate", script=[("queued", None)])
    second = await client.predictions.async_list(first.next)
    assert not {p.id for p in first.results} & {p.id for p in second.results}


async def test_errors_are_raised_as_its_own(
    upstream: Upstream, replicate: Any, client: Any
) -> None:
    error = replicate.exceptions.ReplicateError
    with pytest.raises(error, match="not found") as missing:
        await client.predictions.async_get("nobody")
    with pytest.raises(error, match="Invalid cursor"):
        await client.predictions.async_list("/v1/predictions?cursor=bm9ib2R5")
    upstream.switch(limit=0)
    with pytest.raises(error, match="resets in ~1s") as limited:
        await client.predictions.async_create(version="v", input={})
    upstream.switch(limit=None, fault=Fault.WRONG_KEY)
    with pytest.raises(error) as refused:
        await client.predictions.async_get("nobody")
    assert [e.value.status for e in (missing, limited, refused)] == [404, 429, 401]


async def test_its_own_retries_get_past_a_limit(upstream: Upstream, client: Any) -> None:
    upstream.switch(limit=1, retry_after=RetryAfter.DATE)
    id_ = upstream.add("replicate", script=[("completed", None)])
    seen = [(await client.predictions.async_get(id_)).status for _ in range(2)]
    assert seen == ["succeeded", "succeeded"]
    assert len(upstream.requests) > len(seen)


@pytest.mark.parametrize("word", ["aborted", "running", ""])
async def test_a_wrong_word_is_refused(upstream: Upstream, client: Any, word: str) -> None:
    id_ = upstream.add("replicate", script=[(word, None)])
    with pytest.raises(ValueError, match="status"):
        await client.predictions.async_get(id_)
