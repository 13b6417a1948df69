"""Webhooks, one by one: how they stand, pause and resume, an example sent to them."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Result, Status, WebhookState
from bridge.core.delivering.health import Health
from bridge.core.delivering.signing import (
    Key,
    Kind,
    new_key,
    public_text,
    read_key,
    signature_headers,
)
from bridge.core.delivering.standing import Breaker, Standing
from bridge.core.event import read_envelope
from bridge.core.network.exchange import Phase
from bridge.core.ports import Form
from bridge.core.settings import Rate, Server
from bridge.formats.flat import Format as Flat
from bridge.formats.standard import Format as Standard
from bridge.verify import verify
from bridge.web.addressees import every, named, no_such, standing
from bridge.web.delivery_shapes import TrialShape
from bridge.web.webhook_shapes import PublicKeysShape, ResumedShape, WebhookShape
from tests.web.service import SECRET, FakeDaemon, calling, settings

pytestmark = pytest.mark.anyio

ED25519 = read_key(new_key(bytes(range(32)), kind=Kind.ED25519))


def changed(daemon: FakeDaemon, name: str, **changes: Any) -> None:
    known = daemon.settings.webhooks
    webhooks = {**known, name: replace(known[name], **changes)}
    daemon.settings = replace(daemon.settings, webhooks=webhooks)


async def brought(daemon: FakeDaemon, url: str = "https://caller.example/CANARY") -> str:
    """Return the name of a webhook that a caller has brought."""
    callback = Callback(url=url, secret=SECRET)
    states = await daemon.store.adopt([callback])
    return f"callback {states[callback.key].id}"


# ------------------------------------------------------------------------------ how it stands


async def test_a_webhook_is_shown_with_its_keys_its_terms_and_how_it_stands(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    changed(daemon, "studio", keys=(read_key(SECRET), ED25519), rate=Rate(per_second=50.0))
    daemon.standings[daemon.ids["studio"]] = Standing(
        breaker=Breaker.HALF_OPEN,
        concurrency=2,
        in_flight=1,
        gate=timedelta(seconds=1.5),
    )
    response = await client.get("/v1/webhooks/studio")
    shown = WebhookShape.model_validate_json(response.content)
    assert (shown.rate_per_second, shown.concurrency, shown.breaker) == (
        50.0,
        8,
        "half-open",
    )
    assert shown.live is not None
    assert (shown.live.concurrency, shown.live.in_flight, shown.live.pause_seconds) == (
        2,
        1,
        1.5,
    )
    first, second = shown.keys
    assert (first.kind, first.public) == ("v1", None)
    assert (second.kind, second.public) == ("v1a", public_text(ED25519))
    assert len(first.fingerprint) == 8
    for secret in ("CANARY", SECRET, ED25519.text):
        assert secret not in response.text


async def test_without_a_lane_here_the_breaker_is_what_the_store_remembers(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    health = Health(open=True, failing=timedelta(hours=3), failures=41, told=50)
    state = WebhookState(id=daemon.ids["team"], key="name:team", health=health)
    daemon.lists = Told(daemon.store, {state.id: state})  # type: ignore[assignment]  # a fake
    shown = (await client.get("/v1/webhooks/team")).json()
    assert (shown["breaker"], shown["live"]) == ("open", None)
    assert shown["health"] == {"failing_seconds": 10800.0, "failures": 41, "told": 50}


@dataclass
class Told:
    """The lists of a store that knows more of some webhooks."""

    lists: Any
    states: Mapping[int, WebhookState] = field(default_factory=dict)

    async def list_webhooks(self, *, after: int = 0, limit: int) -> Any:
        found = await self.lists.list_webhooks(after=after, limit=limit)
        states = self.states
        return [replace(one, state=states.get(one.state.id, one.state)) for one in found]


async def test_a_callers_webhook_is_found_by_its_number_however_it_is_written(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    name = await brought(daemon)
    for path in (
        name.replace(" ", "%20"),
        "".join(f"%{byte:02X}" for byte in name.encode()),
    ):
        response = await client.get(f"/v1/webhooks/{path}")
        shown = WebhookShape.model_validate_json(response.content)
        assert (shown.name, shown.url, shown.callback) == (
            name,
            "https://caller.example/…",
            True,
        )
        assert shown.signed
        assert SECRET not in response.text


@pytest.mark.parametrize(
    "name", ["none", "callback 1", "callback 99", "callback x", "a%2Fb"]
)
@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/test")],
)
async def test_a_webhook_that_there_is_none_of_is_404(
    client: httpx.AsyncClient, method: str, rest: str, name: str
) -> None:
    response = await client.request(method, f"/v1/webhooks/{name}{rest}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


async def test_one_that_is_no_longer_configured_is_404(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    await daemon.store.webhooks(["name:former"])
    assert (await client.get("/v1/webhooks/former")).status_code == 404
    assert (await client.post("/v1/webhooks/former/resume")).status_code == 404


async def test_webhooks_are_found_by_their_ids_and_names_over_pages(
    daemon: FakeDaemon,
) -> None:
    keys = [f"name:w{n}" for n in range(2500)]
    known = await daemon.store.webhooks(keys)
    last = max(state.id for state in known.values())
    found = await standing(daemon.lists, [last, 1, 7, last + 1])
    assert sorted(found) == [1, 7, last]
    assert len(await every(daemon.lists)) == 2500
    there = await named(daemon.lists, "w2499")
    assert there is not None
    assert there.state.key == "name:w2499"


# ------------------------------------------------------------------------------ pause, resume


async def test_a_pause_holds_what_waits_and_says_why(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    response = await client.post("/v1/webhooks/studio/pause", json={"why": " on\nholiday "})
    assert response.status_code == 200
    shown = WebhookShape.model_validate_json(response.content)
    assert shown.condition == "paused"
    (listed,) = await daemon.store.webhooks_by_id([daemon.ids["studio"]])
    assert listed.state.why == "on holiday"


async def test_without_a_reason_and_without_a_body_a_pause_has_one(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    assert (await client.post("/v1/webhooks/studio/pause")).status_code == 200
    (listed,) = await daemon.store.webhooks_by_id([daemon.ids["studio"]])
    assert listed.state.why == "somebody paused it"


@pytest.mark.parametrize(
    ("order", "waiting"),
    [
        (None, 2),
        ({}, 2),
        ({"since": "2026-11-21T08:32:00Z"}, 1),
        ({"discard": True}, 0),
        ({"discard": False}, 2),
    ],
)
async def test_resuming_sends_what_waits_or_only_what_is_wanted_of_it(
    daemon: FakeDaemon, order: Any, waiting: int
) -> None:
    async with calling(daemon) as client:
        for _ in range(2):
            daemon.deliveries.add(daemon.ids["studio"], Status.PENDING)
        await client.post("/v1/webhooks/studio/pause")
        more = {} if order is None else {"json": order}
        response = await client.post("/v1/webhooks/studio/resume", **more)
        done = ResumedShape.model_validate_json(response.content)
        assert (done.waiting, done.webhook.condition) == (waiting, "active")


@pytest.mark.parametrize(
    ("call", "body", "path"),
    [
        ("pause", {"why": 5}, "$.why"),
        ("pause", {"why": "x" * 201}, "$.why"),
        ("pause", {"reason": "x"}, "$.reason"),
        ("pause", [], "$"),
        ("resume", {"since": "2h"}, "$.since"),
        ("resume", {"discard": 1}, "$.discard"),
        ("resume", {"since": "2026-11-21T08:30:00Z", "discard": True}, "$.discard"),
        ("test", {"event": "generation.dreamt"}, "$.event"),
        ("test", {"event": None}, "$.event"),
        ("test", {"form": "rich"}, "$.form"),
        ("test", {"raw": False}, "$.raw"),
    ],
)
async def test_a_wrong_order_is_refused_and_nothing_happens(
    daemon: FakeDaemon, call: str, body: Any, path: str
) -> None:
    async with calling(daemon) as client:
        response = await client.post(f"/v1/webhooks/studio/{call}", json=body)
        assert response.status_code == 422
        assert [error["path"] for error in response.json()["errors"]] == [path]
        shown = (await client.get("/v1/webhooks/studio")).json()
    assert shown["condition"] == "active"
    assert not daemon.tried


# ------------------------------------------------------------------------------ send an example


async def test_a_trial_shows_the_request_the_answer_and_what_it_means(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.trial = replace(
        daemon.trial,
        sent=(("webhook-signature", "…"),),
        body=b'{"type":"generation.completed"}',
        status=401,
        answer=b"who are you?",
        result=Result.AGAIN,
        reason="http-401",
        sentence="401: the receiver does not know us; check secret and headers",
    )
    response = await client.post("/v1/webhooks/studio/test")
    trial = TrialShape.model_validate_json(response.content)
    assert (trial.request.method, trial.request.url) == ("POST", "https://example.com/…")
    assert trial.request.body == '{"type":"generation.completed"}'
    assert (trial.code, trial.answer, trial.result) == (401, "who are you?", "again")
    assert trial.diagnosis.means == "401: the receiver does not know us"
    assert trial.diagnosis.advice == "check secret and headers"


async def test_a_trial_that_reached_nobody_says_how_far_it_came(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.trial = replace(
        daemon.trial,
        status=None,
        phase=Phase.CONNECT,
        result=Result.AGAIN,
        reason="unreachable",
        sentence="connection refused",
    )
    trial = (await client.post("/v1/webhooks/studio/test")).json()
    assert (trial["code"], trial["failed_at"], trial["answer"]) == (None, "connect", None)
    assert trial["diagnosis"]["means"] == "nobody took the connection"


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("tls", "try again later; deliveries are tried again by themselves"),
        ("proxy", "check `proxy`: that it runs, its credentials, and that it may go there"),
    ],
)
async def test_a_trial_is_not_said_to_be_tried_again_by_itself(
    client: httpx.AsyncClient, daemon: FakeDaemon, reason: str, advice: str
) -> None:
    daemon.trial = replace(
        daemon.trial,
        status=None,
        phase=Phase.TLS,
        result=Result.AGAIN,
        reason=reason,
        sentence="the certificate has expired",
    )
    trial = (await client.post("/v1/webhooks/studio/test")).json()
    assert trial["diagnosis"]["advice"] == advice


async def test_zapiers_success_is_not_taken_for_more_than_it_is(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    url = "https://hooks.zapier.com/hooks/catch/CANARY/"
    changed(daemon, "team", url=url, format=Flat(), format_name="flat")
    daemon.trial = replace(daemon.trial, url="https://hooks.zapier.com/…", status=200)
    trial = (await client.post("/v1/webhooks/team/test")).json()
    assert "no live Zap" in trial["diagnosis"]["means"]
    assert "publish the Zap" in trial["diagnosis"]["advice"]


@pytest.mark.parametrize(
    ("order", "kind", "form"),
    [
        ({}, "generation.completed", Form.FULL),
        ({"event": "failed", "form": "text"}, "generation.failed", Form.TEXT),
        ({"event": "webhook.disabled"}, "webhook.disabled", Form.FULL),
    ],
)
async def test_the_example_is_that_which_was_asked_for_at_this_moment_under_a_new_id(
    daemon: FakeDaemon, order: Any, kind: str, form: Form
) -> None:
    async with calling(daemon) as client:
        for _ in range(2):
            assert (
                await client.post("/v1/webhooks/team/test", json=order)
            ).status_code == 200
    first, second = daemon.tried
    assert (first[0], first[2]) == (daemon.ids["team"], form)
    assert f'"type":"{kind}"'.encode() in first[1].body
    assert first[1].id != second[1].id
    assert isinstance(first[1].id, UUID)
    if kind.startswith("generation."):
        assert read_envelope(first[1].body).occurred_at == daemon.clock.wall


async def test_a_webhook_that_a_reload_takes_away_meanwhile_is_404(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.gone.add(daemon.ids["studio"])
    response = await client.post("/v1/webhooks/studio/test")
    assert response.status_code == 404
    assert "taken out of the configuration" in response.json()["detail"]


async def test_a_webhook_that_there_is_not_is_answered_with_those_there_are(
    client: httpx.AsyncClient,
) -> None:
    said = "there is no such webhook; there is studio, team"
    for path in ("/v1/webhooks/studoi/pause", "/v1/webhooks/studoi/test"):
        response = await client.post(path)
        assert (response.status_code, response.json()["detail"]) == (404, said)
    found = (await client.get("/v1/deliveries?webhook=studoi")).json()["errors"]
    assert found == [{"path": "?webhook", "message": said}]
    order = {"webhook": "studoi"}
    found = (await client.post("/v1/deliveries/retry", json=order)).json()["errors"]
    assert found == [{"path": "$.webhook", "message": said}]


def test_of_many_webhooks_some_are_named() -> None:
    team = settings().webhooks["team"]
    assert no_such(settings(webhooks={})).endswith("the configuration has none")
    many = {f"w{number:02}": team for number in range(25)}
    assert no_such(settings(webhooks=many)).endswith("w18, w19 and 5 more")


@dataclass(frozen=True, kw_only=True)
class Keyed(Standard):
    """A format with a secret of its own, as PagerDuty's is."""

    routing_key: str = field(default="CANARY-routing", repr=False)


async def test_a_trial_shows_no_secret_of_the_body_or_of_an_echo(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    changed(daemon, "team", format=Keyed())
    echo = b"you sent CANARY-routing to /CANARY"
    daemon.trial = replace(
        daemon.trial, body=b'{"routing_key":"CANARY-routing"}', answer=echo
    )
    response = await client.post("/v1/webhooks/team/test")
    assert response.json()["request"]["body"] == '{"routing_key":"…"}'
    assert "CANARY" not in response.text


# ------------------------------------------------------------------------------ public keys


async def test_everybody_may_read_the_public_keys_and_nothing_else_with_them(
    daemon: FakeDaemon,
) -> None:
    changed(daemon, "studio", keys=(read_key(SECRET), ED25519))
    changed(daemon, "team", keys=(ED25519,))
    async with calling(daemon, token=None) as client:
        response = await client.get("/.well-known/genbridge/keys.json")
    (key,) = PublicKeysShape.model_validate_json(response.content).keys
    public = public_text(ED25519)
    assert key.whpk == public
    assert urlsafe_b64decode(key.x + "=") == raw(ED25519)
    assert response.headers["cache-control"] == "public, max-age=300"
    for hidden in (SECRET, ED25519.text, "studio", "example"):
        assert hidden not in response.text


def raw(key: Key) -> bytes:
    """Return the public half of an ed25519 key."""
    return key.material[32:]


async def test_a_receiver_verifies_with_what_the_document_says(daemon: FakeDaemon) -> None:
    changed(daemon, "studio", keys=(ED25519,))
    async with calling(daemon, token=None) as client:
        document = (await client.get("/.well-known/genbridge/keys.json")).json()
    headers = dict(signature_headers([ED25519], "msg_1", 1_795_249_800, b"{}"))
    keys = [key["whpk"] for key in document["keys"]]
    verify(b"{}", headers, keys, now=1_795_249_800)


async def test_without_a_token_the_public_keys_are_for_this_machine_like_all_else(
    daemon: FakeDaemon,
) -> None:
    open_one = FakeDaemon(server=Server())
    for base, status in (("http://localhost", 200), ("http://evil.example", 403)):
        async with calling(open_one, token=None, base_url=base) as client:
            response = await client.get("/.well-known/genbridge/keys.json")
        assert response.status_code == status


async def test_no_call_takes_a_delivery_of_ours(client: httpx.AsyncClient) -> None:
    for method, path in (
        ("POST", "/v1/deliveries/retry"),
        ("POST", "/v1/webhooks/studio/test"),
        ("POST", "/v1/webhooks/studio/resume"),
        ("GET", "/.well-known/genbridge/keys.json"),
    ):
        response = await client.request(method, path, headers={"webhook-id": "msg_1"})
        assert response.status_code == 403
