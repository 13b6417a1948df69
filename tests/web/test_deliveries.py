"""What the API tells of deliveries, and how one is sent again."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bridge.core.delivering.auth import Auth, Basic, Bearer, OAuth2
from bridge.core.delivering.delivery import Condition, Particulars, Status, WebhookState
from bridge.core.network.way import Way
from bridge.errors import StoreUnavailable
from bridge.web.delivery_shapes import DeliveriesShape, HistoryShape, ToldDeliveryShape
from tests.web.ledger import attempt
from tests.web.service import FakeDaemon, calling

pytestmark = pytest.mark.anyio


async def listed(client: httpx.AsyncClient, **query: str) -> DeliveriesShape:
    response = await client.get("/v1/deliveries", params=query)
    assert response.status_code == 200, response.text
    return DeliveriesShape.model_validate_json(response.content)


async def ids(client: httpx.AsyncClient, **query: str) -> list[int]:
    return [one.id for one in (await listed(client, **query)).deliveries]


async def shut(daemon: FakeDaemon, name: str) -> None:
    state = WebhookState(
        id=daemon.ids[name],
        key=f"name:{name}",
        condition=Condition.PAUSED,
        why="on holiday",
    )
    await daemon.store.set_webhook(state)


@pytest.fixture
def kept(daemon: FakeDaemon, client: httpx.AsyncClient) -> None:
    studio, team = daemon.ids["studio"], daemon.ids["team"]
    daemon.deliveries.add(studio, Status.FAILED, attempt())
    daemon.deliveries.add(team, Status.PENDING)
    daemon.deliveries.add(studio, Status.PENDING, attempt())
    daemon.deliveries.add(studio, Status.DELIVERED, attempt(code=204))


@pytest.mark.usefixtures("kept")
class TestLists:
    async def test_deliveries_come_newest_first_beside_their_events(
        self, client: httpx.AsyncClient
    ) -> None:
        found = (await listed(client)).deliveries
        assert [one.id for one in found] == [4, 3, 2, 1]
        first = found[-1]
        assert (first.webhook, first.status, first.type) == (
            "studio",
            "failed",
            "generation.completed",
        )
        assert (first.source, first.generation_id, first.attempts) == ("luma", "g1", 1)
        assert first.due_at is None
        assert found[1].due_at is not None

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"status": "failed"}, [1]),
            ({"status": "pending"}, [3, 2]),
            ({"status": "held"}, []),
            ({"status": "delivered", "webhook": "studio"}, [4]),
            ({"webhook": "team"}, [2]),
            ({"since": "2026-11-21T08:33:00Z"}, [4, 3]),
            ({"until": "2026-11-21T09:32:00+01:00"}, [1]),
            ({"until": "2026-11-21T08:32:00.000000999Z"}, [1]),
            ({"since": "0001-01-01T00:00:00+23:59"}, [4, 3, 2, 1]),
            ({"until": "9999-12-31T23:59:59-23:59", "status": "failed"}, [1]),
            ({"since": "9999-12-31T23:59:59-23:59"}, []),
        ],
    )
    async def test_they_are_filtered(
        self, client: httpx.AsyncClient, query: dict[str, str], found: list[int]
    ) -> None:
        assert await ids(client, **query) == found

    async def test_pages_go_on_where_the_last_one_ended(
        self, client: httpx.AsyncClient
    ) -> None:
        first = await listed(client, limit="3")
        assert first.next is not None
        assert await ids(client, cursor=first.next) == [1]

    async def test_what_waits_for_a_paused_webhook_is_held_and_due_at_no_time(
        self, client: httpx.AsyncClient, daemon: FakeDaemon
    ) -> None:
        await shut(daemon, "studio")
        (held,) = (await listed(client, status="held")).deliveries
        assert (held.id, held.status, held.due_at) == (3, "held", None)
        assert await ids(client, status="pending") == [2]
        assert await ids(client, status="held", webhook="team") == []

    async def test_what_is_held_comes_in_pages_too(
        self, client: httpx.AsyncClient, daemon: FakeDaemon
    ) -> None:
        for _ in range(5):
            daemon.deliveries.add(daemon.ids["studio"], Status.PENDING)
            daemon.deliveries.add(daemon.ids["team"], Status.PENDING)
        await shut(daemon, "studio")
        found: list[int] = []
        query = {"status": "held", "limit": "2"}
        while True:
            page = await listed(client, **query)
            found += [one.id for one in page.deliveries]
            if page.next is None:
                break
            query["cursor"] = page.next
        assert found == [13, 11, 9, 7, 5, 3]


@pytest.mark.parametrize(
    "query",
    ["status=x", "status=pending&status=x", "webhook=none", "webhook=", "since=yesterday",
     "since=2026-11-21", "since=2026-11-21T08:30:00", "since=2026-11-21T08:30Z",
     "since=2026-11-21T08:30:0012Z",
     "since=2026-02-30T00:00:00Z", "until=2026-11-21T08:30:60Z", "limit=0", "x=1",
     "until=2026-11-21T08:30:00Z&since=2026-11-21T08:30:00Z", "webhook=callback%2099"],
)  # fmt: skip
async def test_a_wrong_query_is_refused_at_its_place(
    client: httpx.AsyncClient, query: str
) -> None:
    response = await client.get(f"/v1/deliveries?{query}")
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert error["path"] == "?" + query.partition("=")[0]


async def test_a_delivery_comes_with_every_attempt_and_its_reason(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    studio = daemon.ids["studio"]
    id_ = daemon.deliveries.add(studio, Status.PENDING, attempt(1), attempt(2))
    response = await client.get(f"/v1/deliveries/{id_}")
    shown = HistoryShape.model_validate_json(response.content)
    assert (shown.attempts, shown.format, shown.url) == (
        2,
        "standard",
        "https://example.com/…",
    )
    assert shown.data["generation_id"]
    first, second = shown.log
    assert (first.number, second.number) == (1, 2)
    assert (first.code, first.reason, first.sentence) == (
        503,
        "http-503",
        "503: the receiver is not available now",
    )
    assert (first.address, first.tls) == ("192.0.2.7:443", "TLSv1.3")
    assert (first.timings.connect, first.timings.tls, first.timings.total) == (
        2.0,
        None,
        25.5,
    )
    assert first.answer == "later"
    assert first.next_because == "step 1"
    assert first.next_at is not None
    assert (first.next_at - first.at).total_seconds() == 300
    assert ["webhook-signature", "…"] in first.request_headers
    assert shown.diagnosis is not None
    assert shown.diagnosis.means == "503: the receiver is not available now"


@pytest.mark.parametrize(
    ("answer", "cut", "text"),
    [
        (None, False, None),
        (b"", False, ""),
        ("é🎬".encode(), False, "é🎬"),
        ("é🎬".encode()[:-1], True, "é"),
        ("é🎬".encode()[:-1], False, None),
        (b"\xff\x00", True, None),
        (b"a\x00\x1b", False, "a\x00\x1b"),
    ],
)
async def test_an_answer_is_text_where_it_can_be_else_base64(
    daemon: FakeDaemon, answer: bytes | None, cut: bool, text: str | None
) -> None:
    about = attempt().particulars
    assert about is not None
    one = attempt(answer=answer, particulars=replace(about, cut=cut))
    async with calling(daemon) as client:
        id_ = daemon.deliveries.add(daemon.ids["studio"], Status.FAILED, one)
        shown = (await client.get(f"/v1/deliveries/{id_}")).json()["log"][0]
    binary = None if answer is None or text is not None else b64encode(answer).decode()
    assert (shown["answer"], shown["answer_base64"]) == (text, binary)
    assert shown["answer_cut"] is cut


async def test_of_an_attempt_kept_no_longer_there_is_what_is_left(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    one = attempt(particulars=None, answer=None, why="timeout: too slow", code=None)
    id_ = daemon.deliveries.add(daemon.ids["studio"], Status.FAILED, one)
    response = await client.get(f"/v1/deliveries/{id_}")
    (shown,) = HistoryShape.model_validate_json(response.content).log
    assert (shown.reason, shown.sentence, shown.result) == ("timeout", "too slow", None)


async def test_a_delivery_that_was_never_tried_has_no_diagnosis(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    id_ = daemon.deliveries.add(daemon.ids["studio"], Status.PENDING)
    shown = (await client.get(f"/v1/deliveries/{id_}")).json()
    assert (shown["log"], shown["diagnosis"]) == ([], None)


async def test_a_webhook_that_never_took_anything_is_said_to_be_stuck(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    about = attempt().particulars
    assert about is not None
    about = replace(about, reason="http-401", sentence="401: it does not know us; check x")
    three = [attempt(n, code=401, particulars=about) for n in (1, 2, 3)]
    id_ = daemon.deliveries.add(daemon.ids["studio"], Status.PENDING, *three)
    diagnosis = (await client.get(f"/v1/deliveries/{id_}")).json()["diagnosis"]
    assert "the first 3 attempts ended alike" in diagnosis["means"]
    assert diagnosis["advice"] == "check x"


async def test_what_a_receiver_echoes_shows_no_secret(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    echo = json.dumps({"path": "/hooks/CANARY", "you": "sent CANARY-token"}).encode()
    settings = daemon.settings
    webhook = settings.webhooks["studio"]
    studio = replace(
        webhook,
        url="https://example.com/hooks/CANARY",
        headers=(("x-key", "CANARY-token"),),
    )
    daemon.settings = replace(settings, webhooks={**settings.webhooks, "studio": studio})
    one = attempt(answer=echo)
    id_ = daemon.deliveries.add(daemon.ids["studio"], Status.FAILED, one)
    response = await client.get(f"/v1/deliveries/{id_}")
    assert "CANARY" not in response.text
    assert response.json()["log"][0]["answer"] == '{"path": "/…", "you": "sent …"}'


AUTHS = (
    (Basic(username="genbridge", password="CANARY-pass"), b"no CANARY-pass"),
    (Bearer(token="CANARY-bearer"), b"no CANARY-bearer"),
    (
        OAuth2(
            token_url="https://id.example/CANARY-token",
            client_id="us",
            client_secret="CANARY-s",
        ),
        b"no CANARY-token, no CANARY-s",
    ),
    (None, b"no Bearer CANARY-fetched1, no Basic CANARY="),
)


@pytest.mark.parametrize(("auth", "answer"), AUTHS)
async def test_what_a_receiver_echoes_shows_no_credentials(
    client: httpx.AsyncClient, daemon: FakeDaemon, auth: Auth | None, answer: bytes
) -> None:
    studio = replace(
        daemon.settings.webhooks["studio"],
        auth=auth,
        way=Way(proxy="http://me:CANARY-p%40ss@proxy.example:3128"),
    )
    daemon.settings = replace(daemon.settings, webhooks={"studio": studio})
    headers = (("x-echo", answer.decode()), ("x-way", "CANARY-p@ss"), ("server", "\udcff"))
    echo = b"genbridge: " + answer
    one = attempt(answer=echo, particulars=Particulars(heard=headers))
    id_ = daemon.deliveries.add(daemon.ids["studio"], Status.FAILED, one)
    daemon.trial = replace(daemon.trial, answer=echo, heard=headers)
    for response in (
        await client.get(f"/v1/deliveries/{id_}"),
        await client.post("/v1/webhooks/studio/test"),
    ):
        assert "CANARY" not in response.text
        assert "genbridge: no " in response.text


async def test_a_delivery_of_a_webhook_that_is_no_longer_configured_is_shown(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    states = await daemon.store.webhooks(["name:former"])
    id_ = daemon.deliveries.add(states["name:former"].id, Status.FAILED, attempt())
    shown = (await client.get(f"/v1/deliveries/{id_}")).json()
    assert (shown["webhook"], shown["url"]) == ("former", "…")
    assert await ids(client, webhook="former") == [id_]


async def test_a_retry_makes_a_delivery_due_under_its_own_id(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    id_ = daemon.deliveries.add(daemon.ids["studio"], Status.FAILED, attempt())
    before = (await client.get(f"/v1/deliveries/{id_}")).json()
    response = await client.post(f"/v1/deliveries/{id_}/retry")
    assert response.status_code == 202
    after = ToldDeliveryShape.model_validate_json(response.content)
    assert (after.status, after.replayed, after.event) == (
        "pending",
        True,
        before["event"],
    )


@pytest.mark.parametrize(
    ("id_", "status"), [("99", 404), ("0", 422), ("x", 422), (str(2**70), 422)]
)
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("POST", "/retry")])
async def test_what_is_no_delivery_is_told_so(
    client: httpx.AsyncClient, method: str, rest: str, id_: str, status: int
) -> None:
    response = await client.request(method, f"/v1/deliveries/{id_}{rest}")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("phase", ["starting", "stopping"])
async def test_nothing_is_sent_again_before_the_start_or_after_the_end(
    client: httpx.AsyncClient, daemon: FakeDaemon, phase: str
) -> None:
    id_ = daemon.deliveries.add(daemon.ids["studio"], Status.FAILED, attempt())
    daemon.phase = phase
    calls: list[tuple[str, Any]] = [
        (f"/v1/deliveries/{id_}/retry", None),
        ("/v1/deliveries/retry", {}),
        ("/v1/webhooks/studio/pause", None),
        ("/v1/webhooks/studio/resume", None),
        ("/v1/webhooks/studio/test", None),
    ]
    for path, body in calls:
        response = await client.post(path, json=body)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1"), path
    assert not daemon.deliveries.begun
    assert not daemon.tried


async def test_a_store_that_is_away_is_503(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    id_ = daemon.deliveries.add(daemon.ids["studio"], Status.FAILED, attempt())
    daemon.store.broken = StoreUnavailable("the disk is full")
    for path in (
        "/v1/deliveries?webhook=studio",
        f"/v1/deliveries/{id_}",
        "/v1/webhooks/x",
    ):
        assert (await client.get(path)).status_code == 503


@pytest.mark.parametrize(
    ("query", "path", "said"),
    [
        ("?status=lost", "?status", "expected one of pending, held, delivered, failed"),
        ("?limit=0", "?limit", "expected at least 1"),
        ("?limit=1001", "?limit", "expected at most 1,000"),
        ("?limit=few", "?limit", "expected a whole number"),
        ("?cursor=x", "?cursor", "it is not of the form"),
        ("?since=noon", "?since", "expected an instant such as"),
        ("?webhook=", "?webhook", "it is empty"),
        ("/some", "{id}", "expected a whole number"),
        ("/0", "{id}", "expected at least 1"),
    ],
)
async def test_a_mistake_in_the_address_is_told_in_words(
    client: httpx.AsyncClient, query: str, path: str, said: str
) -> None:
    response = await client.get(f"/v1/deliveries{query}")
    (mistake,) = response.json()["errors"]
    assert (response.status_code, mistake["path"]) == (422, path)
    assert mistake["message"].startswith(said)
