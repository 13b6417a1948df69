"""How tokens are fetched, kept and forgotten, on virtual time."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import anyio
import pytest

from bridge.core.delivering.auth import Auth, Basic, Bearer, OAuth2, Send
from bridge.core.network.exchange import Phase, Request, Response, Unanswered
from bridge.core.settings import Webhook
from bridge.engine.credentials import Credentials
from tests.engine.rig import webhook
from tests.engine.trips import named
from tests.fakes.clock import EPOCH, VirtualClock
from tests.fakes.receiver import Choice, FakeReceiver, Slow

pytestmark = pytest.mark.anyio

OAUTH = OAuth2(
    token_url="https://tokens.example/canary/token",
    client_id="client:1",
    client_secret="canary secret",
    scope="events",
    audience="https://studio.example",
)


def granted(token: str = "t", **more: Any) -> Response:
    body = {"access_token": token, "token_type": "Bearer", "expires_in": 3600} | more
    return Response(status=200, body=json.dumps(body).encode(), received_at=EPOCH)


def counting(*, expires_in: object = 3600) -> Callable[[timedelta, Request], Choice]:
    """A server that gives a new token to each question."""
    numbers = iter(range(1, 1000))
    return lambda _age, _request: granted(f"t{next(numbers)}", expires_in=expires_in)


class Desk:
    """Credentials with a token server behind them."""

    def __init__(
        self, rule: Callable[[timedelta, Request], Choice], auth: Auth = OAUTH
    ) -> None:
        self.clock = VirtualClock()
        self.server = FakeReceiver(self.clock, rule)
        self.credentials = Credentials(http=self.server, clock=self.clock, version="test")
        self.webhook: Webhook = webhook(auth=auth)

    async def ask(self, patience: float = 15.0) -> str:
        until = self.clock.monotonic() + patience
        found = await self.credentials.headers(self.webhook, until=until)
        return found if isinstance(found, str) else dict(found)["authorization"]

    async def refuse(self) -> bool:
        until = self.clock.monotonic() + 15.0
        headers = await self.credentials.headers(self.webhook, until=until)
        assert not isinstance(headers, str)
        return self.credentials.refused(self.webhook, headers)


async def test_a_name_and_a_password_are_shown_as_they_are() -> None:
    desk = Desk(counting(), Basic(username="anna", password="zażółć"))
    assert await desk.ask() == "Basic " + b64encode("anna:zażółć".encode()).decode()
    assert await desk.refuse() is False


async def test_a_fixed_token_is_shown_as_it_is() -> None:
    desk = Desk(counting(), Bearer(token="abc"))
    assert await desk.ask() == "Bearer abc"
    assert not desk.server.posted


async def test_a_token_is_kept_until_a_minute_before_its_end() -> None:
    desk = Desk(counting())
    assert await desk.ask() == "Bearer t1"
    await anyio.sleep(3539)
    assert await desk.ask() == "Bearer t1"
    await anyio.sleep(2)
    assert await desk.ask() == "Bearer t2"


async def test_a_short_life_is_used_by_half() -> None:
    desk = Desk(counting(expires_in="30"))
    await desk.ask()
    await anyio.sleep(14)
    assert await desk.ask() == "Bearer t1"
    await anyio.sleep(2)
    assert await desk.ask() == "Bearer t2"


async def test_the_client_shows_itself_in_the_header_or_in_the_body() -> None:
    desk = Desk(counting())
    await desk.ask()
    desk.webhook = webhook(auth=replace(OAUTH, send=Send.BODY, scope=None, audience=None))
    await desk.ask()
    header, body = desk.server.posted
    shown = b64encode(b"client%3A1:canary+secret").decode()
    assert header.headers["authorization"] == f"Basic {shown}"
    assert parse_qs(header.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["events"],
        "audience": ["https://studio.example"],
    }
    assert "authorization" not in body.headers
    assert parse_qs(body.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["client:1"],
        "client_secret": ["canary secret"],
    }


async def test_many_attempts_share_one_fetch() -> None:
    desk = Desk(lambda _age, _r: Slow(after=timedelta(seconds=2), then=granted()))
    told: list[str] = []

    async def ask() -> None:
        told.append(await desk.ask())

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(ask)
    assert told == ["Bearer t"] * 8
    assert len(desk.server.posted) == 1


async def test_many_attempts_share_one_refusal_and_the_next_asks_anew() -> None:
    desk = Desk(lambda _age, _r: Slow(after=timedelta(seconds=2), then=500))
    told: list[str] = []

    async def ask() -> None:
        told.append(await desk.ask())

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(ask)
    assert len(desk.server.posted) == 1
    assert told == ["no token: the token server answered 500; check auth.token_url"] * 8
    await anyio.sleep(1)
    await desk.ask()
    assert len(desk.server.posted) == 2


async def test_a_refused_token_is_forgotten_once_however_many_were_refused() -> None:
    desk = Desk(counting())
    first = await desk.credentials.headers(desk.webhook, until=15.0)
    assert not isinstance(first, str)
    assert desk.credentials.refused(desk.webhook, first)
    assert await desk.ask() == "Bearer t2"
    assert desk.credentials.refused(desk.webhook, first)
    assert await desk.ask() == "Bearer t2"


async def test_a_token_outlasts_a_reload_that_does_not_concern_it() -> None:
    desk = Desk(counting())
    await desk.ask()
    desk.webhook = webhook(auth=replace(OAUTH))
    assert await desk.ask() == "Bearer t1"
    desk.webhook = webhook(auth=replace(OAUTH, client_secret="another"))
    assert await desk.ask() == "Bearer t2"


async def test_each_webhook_has_a_token_of_its_own() -> None:
    desk = Desk(counting())
    await desk.ask()
    desk.webhook = webhook("team", auth=OAUTH)
    assert await desk.ask() == "Bearer t2"


async def test_a_slow_token_server_costs_no_more_than_the_attempt() -> None:
    desk = Desk(lambda _age, _r: Slow(after=timedelta(seconds=60), then=granted()))
    assert (await desk.ask(patience=5.0)).startswith("no token")
    assert anyio.current_time() == pytest.approx(5.0)


async def test_who_waits_for_anothers_fetch_keeps_its_own_deadline() -> None:
    desk = Desk(lambda _age, _r: Slow(after=timedelta(seconds=60), then=granted()))
    told: dict[float, tuple[float, str]] = {}

    async def ask(patience: float) -> None:
        found = await desk.ask(patience)
        told[patience] = anyio.current_time(), found

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, 30.0)
        await anyio.sleep(0.1)
        tasks.start_soon(ask, 3.0)
    moment, words = told[3.0]
    assert moment == pytest.approx(3.1)
    assert words == "no token: the token server took too long"


TROUBLE: list[tuple[Choice, str]] = [
    (Unanswered(phase=Phase.RESOLVE, reason="no such host"), "no token: no such host"),
    (302, "redirects"),
    (401, "401"),
    (
        Response(status=401, body=b'{"error": "invalid_client"}', received_at=EPOCH),
        "check client_id",
    ),
    (
        Response(status=400, body=b'{"error": "canary secret"}', received_at=EPOCH),
        "answered 400",
    ),
    (Response(status=200, body=b"<html>", received_at=EPOCH), "without an access_token"),
    (granted(access_token=5), "without an access_token"),
    (granted("two\r\nlines"), "without an access_token"),
    (granted(token_type="mac"), "other than Bearer"),
    (Response(status=200, body=b"[]", received_at=EPOCH), "without an access_token"),
    (replace(granted(), cut=True), "broke off"),
]


@pytest.mark.parametrize(("answer", "words"), TROUBLE)
async def test_trouble_with_the_token_server_is_told_without_a_secret(
    answer: Choice, words: str
) -> None:
    desk = Desk(lambda _age, _request: answer)
    told = await desk.ask()
    assert words in told
    assert "canary" not in told
    assert "canary" not in repr(desk.credentials.__dict__)


@pytest.mark.parametrize("expires_in", [None, True, "soon", -1, 1e300, "1_000"])
async def test_a_life_that_cannot_be_read_is_an_hour(expires_in: object) -> None:
    desk = Desk(counting(expires_in=expires_in))
    await desk.ask()
    await anyio.sleep(3599)
    assert await desk.ask() == "Bearer t1"
    await anyio.sleep(2)
    assert await desk.ask() == "Bearer t2"


def test_a_request_is_shown_without_its_credentials() -> None:
    request = Request(method="POST", url="https://x.example/", headers=(("a", "canary"),))
    assert "canary" not in repr(request)
    assert named(request, "a") == "canary"
