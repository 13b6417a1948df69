"""aimlapi-luma really holds, over real sockets."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import aiohttp
import anyio
import httpx
import pytest

from bridge.simulator.switches import Holding, Names, OddWait
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

pytestmark = pytest.mark.anyio

SOON = [("queued", 0.1), ("dreaming", 0.1), ("completed", None)]
# Long enough for a slow machine to ask while it is queued.
LATER = [("queued", 3.0), ("dreaming", None)]
FOR_EVER = [("queued", None)]


@pytest.fixture
async def fast() -> AsyncIterator[Upstream]:
    """Thirty simulated seconds in a real one."""
    async with Upstream(clock=SystemClock(), speed=30.0) as serving:
        yield serving


async def ask(
    upstream: Upstream, client: httpx.AsyncClient, id_: str, **query: str
) -> httpx.Response:
    url = upstream.url("aimlapi-luma") + "/v2/generate/video/luma-ai/generation"
    return await client.get(url, params={"generation_id": id_, **query})


@pytest.mark.parametrize("state", ["dreaming", "completed"])
async def test_a_hold_answers_with_the_state_that_was_asked_for(
    upstream: Upstream, client: httpx.AsyncClient, state: str
) -> None:
    id_ = upstream.add("aimlapi-luma", script=SOON)
    assert (await ask(upstream, client, id_, state=state)).json()["state"] == state


async def test_a_hold_answers_at_once_when_the_rank_is_reached_already(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    queued = upstream.add("aimlapi-luma", script=LATER)
    failed = upstream.add("aimlapi-luma", script=[("failed", None)])
    first = await ask(upstream, client, queued, state="queued")
    second = await ask(upstream, client, failed, state="completed")
    assert (first.json()["state"], second.json()["state"]) == ("queued", "failed")


async def test_a_failure_ends_a_hold_for_completion(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("aimlapi-luma", script=[("queued", 0.1), ("failed", None)])
    answer = await ask(upstream, client, id_, state="completed")
    assert answer.json()["state"] == "failed"


async def test_a_hold_ends_after_thirty_seconds_with_whatever_is(
    fast: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = fast.add("aimlapi-luma", script=FOR_EVER)
    asked = fast.clock.monotonic()
    answer = await ask(fast, client, id_, state="dreaming")
    assert answer.json()["state"] == "queued"
    assert fast.clock.monotonic() - asked >= 30.0


async def test_the_limit_of_a_hold_can_be_set(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(hold_limit=0.05)
    id_ = upstream.add("aimlapi-luma", script=FOR_EVER)
    assert (await ask(upstream, client, id_, state="dreaming")).json()["state"] == "queued"


async def test_the_single_path_does_not_listen_to_the_batch_paths_name(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("aimlapi-luma", script=LATER)
    assert (await ask(upstream, client, id_, status="dreaming")).json()["state"] == "queued"


async def test_lenient_names_make_both_names_hold(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(names=Names.LENIENT)
    id_ = upstream.add("aimlapi-luma", script=SOON)
    answer = await ask(upstream, client, id_, status="dreaming")
    assert answer.json()["state"] == "dreaming"


async def test_holding_can_be_dishonoured(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(holding=Holding.IGNORED)
    id_ = upstream.add("aimlapi-luma", script=LATER)
    assert (await ask(upstream, client, id_, state="dreaming")).json()["state"] == "queued"


async def test_a_hold_can_be_cut_at_its_end(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(holding=Holding.CUT, hold_limit=0.05)
    id_ = upstream.add("aimlapi-luma", script=FOR_EVER)
    with pytest.raises(httpx.RemoteProtocolError):
        await ask(upstream, client, id_, state="dreaming")


async def test_a_hold_can_end_with_a_gateway_timeout(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.switch(holding=Holding.GATEWAY_TIMEOUT, hold_limit=0.05)
    id_ = upstream.add("aimlapi-luma", script=FOR_EVER)
    answer = await ask(upstream, client, id_, state="dreaming")
    assert (answer.status_code, answer.json()["statusCode"]) == (504, 504)


@pytest.mark.parametrize("holding", [Holding.CUT, Holding.GATEWAY_TIMEOUT])
async def test_a_hold_whose_state_comes_in_time_is_never_cut(
    upstream: Upstream, client: httpx.AsyncClient, holding: Holding
) -> None:
    upstream.switch(holding=holding)
    id_ = upstream.add("aimlapi-luma", script=SOON)
    answer = await ask(upstream, client, id_, state="dreaming")
    assert answer.json()["state"] == "dreaming"


@pytest.mark.parametrize("word", ["failed", "streaming", ""])
async def test_only_three_words_may_be_waited_for(
    upstream: Upstream, client: httpx.AsyncClient, word: str
) -> None:
    id_ = upstream.add("aimlapi-luma", script=FOR_EVER)
    answer = await ask(upstream, client, id_, state=word)
    assert answer.status_code == 400


async def test_an_odd_wait_word_can_be_answered_at_once_or_passed_over(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("aimlapi-luma", script=LATER)
    upstream.switch(names=Names.LENIENT, odd_wait=OddWait.IMMEDIATE)
    answer = await ask(upstream, client, id_, state="failed", status="dreaming")
    assert answer.json()["state"] == "queued"
    upstream.switch(odd_wait=OddWait.IGNORED)
    answer = await ask(upstream, client, id_, state="failed", status="dreaming")
    assert answer.json()["state"] == "dreaming"


async def test_a_question_without_an_id_is_refused(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    assert (await ask(upstream, client, "")).status_code == 400


async def test_300_holds_are_held_at_once_and_all_are_answered(
    upstream: Upstream,
) -> None:
    script = [("queued", 3.0), ("dreaming", None)]
    ids = [upstream.add("aimlapi-luma", script=script) for _ in range(300)]
    states: list[str] = []

    async def hold(session: aiohttp.ClientSession, id_: str) -> None:
        query = {"generation_id": id_, "state": "dreaming"}
        url = upstream.url("aimlapi-luma") + "/v2/generate/video/luma-ai/generation"
        async with session.get(url, params=query) as answer:
            states.append((await answer.json())["state"])

    # Not httpx: its pool needs seconds for as many requests at once.
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"authorization": "Bearer any"},
        ) as session,
        anyio.create_task_group() as tasks,
    ):
        for id_ in ids:
            tasks.start_soon(hold, session, id_)
    assert states == ["dreaming"] * 300
    assert upstream.apis.most_open == 300
    assert upstream.open == 0


async def test_a_client_that_leaves_is_not_held_any_longer(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    id_ = upstream.add("aimlapi-luma", script=FOR_EVER)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_and_forget, upstream, client, id_)
        await until(lambda: upstream.open > 0)
        tasks.cancel_scope.cancel()
    await until(lambda: upstream.open == 0)


async def test_closing_ends_held_requests(client: httpx.AsyncClient) -> None:
    async with anyio.create_task_group() as tasks:
        async with Upstream(clock=SystemClock()) as upstream:
            for _ in range(300):
                id_ = upstream.add("aimlapi-luma", script=FOR_EVER)
                tasks.start_soon(ask_and_forget, upstream, client, id_)
            await until(lambda: upstream.open == 300)
            before = upstream.clock.monotonic()
        # Holds last 30 s: had closing waited for them, it would have taken as long.
        assert upstream.clock.monotonic() - before < 15
        assert upstream.open == 0


async def ask_and_forget(upstream: Upstream, client: httpx.AsyncClient, id_: str) -> None:
    with suppress(httpx.TransportError):
        await ask(upstream, client, id_, state="completed")


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110  (the far end of a socket rings no bell)
            await anyio.sleep(0.01)
