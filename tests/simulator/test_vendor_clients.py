"""The vendors' own clients, told to be strict, accept what the simulator says."""

from collections.abc import AsyncIterator

import luma_agents
import lumaai
import pytest

from bridge.simulator.limits import RetryAfter
from bridge.simulator.switches import Fault
from bridge.simulator.upstream import Upstream

pytestmark = pytest.mark.anyio

CODES = [
    "content_moderated",
    "generation_failed",
    "budget_exhausted",
    "output_not_found",
    "image_too_large",
    "unsupported_format",
    "corrupt_input",
    "invalid_request",
    "rate_limited",
]


@pytest.fixture
async def agents(upstream: Upstream) -> AsyncIterator[luma_agents.AsyncLuma]:
    async with luma_agents.AsyncLuma(
        auth_token="key",
        base_url=upstream.url("luma-agents"),
        max_retries=0,
        http_client=luma_agents.DefaultAsyncHttpxClient(trust_env=False),
        _strict_response_validation=True,
    ) as client:
        yield client


@pytest.fixture
async def dreams(upstream: Upstream) -> AsyncIterator[lumaai.AsyncLumaAI]:
    async with lumaai.AsyncLumaAI(
        auth_token="key",
        base_url=upstream.url("dream-machine"),
        max_retries=0,
        http_client=lumaai.DefaultAsyncHttpxClient(trust_env=False),
        _strict_response_validation=True,
    ) as client:
        yield client


@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize("state", ["queued", "dreaming", "completed", "failed"])
async def test_luma_agents_reads_every_state(
    upstream: Upstream, agents: luma_agents.AsyncLuma, state: str, kind: str
) -> None:
    id_ = upstream.add("luma-agents", script=[(state, None)], kind=kind)
    seen = await agents.generations.get(id_)
    assert (seen.id, seen.type) == (id_, kind)
    assert seen.state == ("processing" if state == "dreaming" else state)
    assert bool(seen.output) == (state == "completed")
    assert bool(seen.failure_code) == (state == "failed")


@pytest.mark.parametrize("code", CODES)
async def test_luma_agents_reads_every_failure_code(
    upstream: Upstream, agents: luma_agents.AsyncLuma, code: str
) -> None:
    id_ = upstream.add("luma-agents", script=[("failed", None)], code=code, reason="why")
    seen = await agents.generations.get(id_)
    assert (seen.failure_code, seen.failure_reason) == (code, "why")


async def test_luma_agents_raises_its_own_errors(
    upstream: Upstream, agents: luma_agents.AsyncLuma
) -> None:
    with pytest.raises(luma_agents.NotFoundError, match="Generation not found"):
        await agents.generations.get("nobody")
    upstream.switch(limit=0, retry_after=RetryAfter.SECONDS)
    with pytest.raises(luma_agents.RateLimitError, match="Rate limit"):
        await agents.generations.get("nobody")
    upstream.switch(limit=None, fault=Fault.WRONG_KEY)
    with pytest.raises(luma_agents.AuthenticationError):
        await agents.generations.get("nobody")


async def test_luma_agents_creates_a_generation_and_then_finds_it(
    upstream: Upstream, agents: luma_agents.AsyncLuma
) -> None:
    made = await agents.generations.create(prompt="a boat", type="video", model="ray-3.2")
    assert (made.state, made.type, made.model) == ("queued", "video", "ray-3.2")
    assert (await agents.generations.get(made.id)).created_at == made.created_at


async def test_luma_agents_refuses_a_wrong_word(
    upstream: Upstream, agents: luma_agents.AsyncLuma
) -> None:
    id_ = upstream.add("luma-agents", script=[("pending", None)])
    with pytest.raises(luma_agents.APIResponseValidationError):
        await agents.generations.get(id_)


@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize("state", ["queued", "dreaming", "completed", "failed"])
async def test_lumaai_reads_every_state(
    upstream: Upstream, dreams: lumaai.AsyncLumaAI, state: str, kind: str
) -> None:
    id_ = upstream.add("dream-machine", script=[(state, None)], kind=kind)
    seen = await dreams.generations.get(id_)
    assert (seen.id, seen.state, seen.generation_type) == (id_, state, kind)
    assert bool(seen.failure_reason) == (state == "failed")
    made = seen.assets and (seen.assets.video or seen.assets.image)
    assert bool(made) == (state == "completed")


async def test_lumaai_raises_its_own_errors(
    upstream: Upstream, dreams: lumaai.AsyncLumaAI
) -> None:
    with pytest.raises(lumaai.NotFoundError):
        await dreams.generations.get("nobody")
    upstream.switch(limit=0)
    with pytest.raises(lumaai.RateLimitError):
        await dreams.generations.get("nobody")
    upstream.switch(limit=None, fault=Fault.WRONG_KEY)
    with pytest.raises(lumaai.AuthenticationError):
        await dreams.generations.get("nobody")


async def test_lumaai_pages_through_the_list_the_newest_first(
    upstream: Upstream, dreams: lumaai.AsyncLumaAI
) -> None:
    ids = [upstream.add("dream-machine", script=[("queued", None)]) for _ in range(5)]
    first = await dreams.generations.list(limit=3, offset=0)
    last = await dreams.generations.list(limit=3, offset=3)
    assert [g.id for g in first.generations + last.generations] == ids[::-1]
    assert (first.count, first.limit, first.offset, first.has_more) == (3, 3, 0, True)
    assert (last.count, last.limit, last.offset, last.has_more) == (2, 3, 3, False)


async def test_lumaai_lists_100_generations_unless_told_otherwise(
    upstream: Upstream, dreams: lumaai.AsyncLumaAI
) -> None:
    for _ in range(101):
        upstream.add("dream-machine", script=[("queued", None)])
    page = await dreams.generations.list()
    assert (len(page.generations), page.limit, page.has_more) == (100, 100, True)
    with pytest.raises(lumaai.BadRequestError):
        await dreams.generations.list(limit=101)


@pytest.mark.parametrize("kind", ["image", "video"])
async def test_lumaai_creates_a_generation_and_then_finds_it(
    upstream: Upstream, dreams: lumaai.AsyncLumaAI, kind: str
) -> None:
    made = await (
        dreams.generations.image.create(prompt="a boat", model="photon-1")
        if kind == "image"
        else dreams.generations.create(prompt="a boat", model="ray-2")
    )
    assert made.id
    assert (made.state, made.generation_type) == ("queued", kind)
    assert (await dreams.generations.get(made.id)).request == made.request


async def test_lumaai_refuses_a_wrong_word(
    upstream: Upstream, dreams: lumaai.AsyncLumaAI
) -> None:
    id_ = upstream.add("dream-machine", script=[("processing", None)])
    with pytest.raises(lumaai.APIResponseValidationError):
        await dreams.generations.get(id_)
