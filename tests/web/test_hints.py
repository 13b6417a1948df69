"""Where providers post their own callbacks: open to whoever knows the path, and to nobody else."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from bridge.core.hints import BODY_LIMIT, hint_token
from bridge.web.api import api
from bridge.web.doors import Doors
from bridge.web.health import application
from bridge.web.hints import PATIENCE, hints
from tests.web.service import TOKEN, FakeDaemon

RIGHT = f"/hints/luma/{hint_token('luma', 'CANARY')}"


def asking(daemon: FakeDaemon) -> httpx.AsyncClient:
    """Return somebody from outside, without a token of the API."""
    doors = Doors(
        application(readiness=daemon.readiness),
        hints(daemon),
        lambda: api(daemon, token=TOKEN),
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(doors), base_url="https://tunnel.example"
    )


@pytest.fixture
async def caller(daemon: FakeDaemon) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(daemon) as one:
        yield one


@pytest.mark.anyio
async def test_a_hint_is_taken_without_a_token_from_any_host(
    caller: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    body = b'{"id": "g1"}'
    # Some vendors sign theirs as Standard Webhooks do, which the API itself refuses.
    response = await caller.post(RIGHT, content=body, headers={"webhook-id": "msg_1"})
    assert (response.status_code, response.content) == (204, b"")
    assert daemon.hinted == [("luma", body)]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path",
    [
        "/hints/luma/" + "0" * 32,
        "/hints/luma/",
        "/hints/luma",
        "/hints/",
        "/hints/nobody/" + hint_token("luma", "CANARY"),
        "/hints/nobody/" + hint_token("nobody", ""),
        "/hints/aiml/" + hint_token("aiml", "CANARY"),
        "/hints/aiml/" + "-" * 32,
        RIGHT + "0",
        RIGHT + "/",
        RIGHT[:-1],
        RIGHT.upper(),
    ],
)
async def test_a_wrong_token_and_an_unknown_source_are_answered_alike(
    caller: httpx.AsyncClient, daemon: FakeDaemon, path: str
) -> None:
    nowhere = await caller.post("/hints/x/y", content=b"{}")
    response = await caller.post(path, content=b'{"id": "g1"}')
    assert response.status_code == nowhere.status_code == 404
    assert response.json() == nowhere.json()
    assert not daemon.hinted


@pytest.mark.anyio
async def test_who_asks_with_another_method_learns_nothing_without_the_token(
    caller: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    response = await caller.get(RIGHT)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert (await caller.get("/hints/luma/wrong")).status_code == 404
    assert not daemon.hinted


@pytest.mark.anyio
async def test_a_hint_has_a_bounded_body(
    caller: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    assert (await caller.post(RIGHT, content=b" " * BODY_LIMIT)).status_code == 204
    assert (await caller.post(RIGHT, content=b" " * (BODY_LIMIT + 1))).status_code == 413
    assert len(daemon.hinted) == 1


@pytest.mark.anyio
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.binary(max_size=2048))
async def test_whatever_is_posted_is_answered_the_same(body: bytes) -> None:
    daemon = FakeDaemon()
    async with asking(daemon) as caller:
        response = await caller.post(RIGHT, content=body)
    assert response.status_code == 204
    assert daemon.hinted == [("luma", body)]


async def served(daemon: FakeDaemon, receive: Any) -> list[Message]:
    """Serve one request whose body comes as a test lets it; return what was sent."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": RIGHT,
        "headers": [],
        "query_string": b"",
    }
    await hints(daemon)(scope, receive, send)
    return sent


@pytest.mark.anyio
async def test_who_leaves_in_the_middle_has_hinted_nothing(daemon: FakeDaemon) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"id":', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    assert await served(daemon, receive) == []
    assert not daemon.hinted


@pytest.mark.anyio
@pytest.mark.parametrize(
    "anyio_backend",
    [("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})],
    ids=["virtual time"],
)
async def test_who_sends_nothing_is_not_waited_for_long(daemon: FakeDaemon) -> None:
    began = anyio.current_time()
    sent = await served(daemon, anyio.sleep_forever)
    assert sent[0]["status"] == 408
    assert anyio.current_time() - began == pytest.approx(PATIENCE)
    assert not daemon.hinted
