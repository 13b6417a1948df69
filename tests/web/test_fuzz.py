"""Whatever is asked, the API answers in its own words: never 500, and always to its shapes."""

import json
from functools import cache, partial
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from bridge.core.delivering.delivery import Status
from bridge.web.api import api
from bridge.web.delivery_shapes import (
    DeliveriesShape,
    HistoryShape,
    PreviewShape,
    ReplayShape,
    ReplaysShape,
    ToldDeliveryShape,
    TrialShape,
)
from bridge.web.shapes import (
    BatchShape,
    ProblemShape,
    TimelineShape,
    WatchesShape,
    WatchShape,
)
from bridge.web.webhook_shapes import (
    PublicKeysShape,
    ResumedShape,
    WebhookShape,
    WebhooksShape,
)
from tests.web.ledger import attempt
from tests.web.service import HOME, SECRET, TOKEN, FakeDaemon, calling

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
urls = st.sampled_from(
    ["https://example.com/x", "http://127.0.0.1/", "http://127.0.0.2/", "http://xn--/", "http://h:99999",
     "http://[::ffff:127.0.0.1]/", "http://127。0。0。1/", "https://a@b/", "http://" + "a" * 300]
)  # fmt: skip
orders = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["luma", "aiml", "x"]) | values,
        "id": st.text(max_size=6) | values,
    },
    optional={
        "webhooks": st.lists(st.sampled_from(["studio", "team", "x"]), max_size=3) | values,
        "callback_url": urls | st.text(max_size=30).map("http://{}".format) | values,
        "secret": st.sampled_from([SECRET, "whsk_", "whsec_AAAA"]) | values,
        "until": st.sampled_from(["queued", "processing", "failed"]) | values,
        "deadline": st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h|d)", fullmatch=True)
        | values,
        "metadata": st.dictionaries(st.text(max_size=5), values, max_size=3) | values,
        "stranger": values,
    },
)
paths = st.lists(
    st.sampled_from(
        [
            "v1",
            "watches",
            "luma",
            "sources",
            "%2F",
            "%00",
            "..",
            "é",
            "%FF",
            ":batch",
            "deliveries",
            "retry",
            "1",
            "webhooks",
            "studio",
            "callback 7",
            "test",
            "resume",
            "replays",
            ".well-known",
            "genbridge",
            "keys.json",
        ]
    )
    | st.text(max_size=6),
    max_size=5,
)
queries = st.dictionaries(
    st.sampled_from(["source", "state", "active", "cursor", "limit", "x"]),
    st.text(max_size=8)
    | st.integers().map(str)
    | st.sampled_from(["true", "queued", "luma"]),
    max_size=4,
)
instants = st.one_of(
    st.sampled_from(
        ["2026-11-21T08:30:00Z", "2026-11-21t08:30:00.123456+23:59", "0001-01-01T00:00:00+14:00",
         "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-11-21", "2h",
         "2026-11-21T24:00:00Z", "2026-11-21T08:30:60Z"]
    ),
    st.datetimes().map("{:%Y-%m-%dT%H:%M:%SZ}".format),
    st.text(max_size=25),
)  # fmt: skip
delivery_queries = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["pending", "held", "failed", "x", ""]),
        "webhook": st.sampled_from(["studio", "callback 7", "callback 0"])
        | st.text(max_size=8),
        "since": instants,
        "until": instants,
        "cursor": st.integers().map(str),
        "limit": st.integers(-1, 1100).map(str),
    },
)
replays = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["failed", "delivered", "missing", "pending"]) | values,
        "webhook": st.sampled_from(["studio", "callback 7"]) | values,
        "since": instants | values,
        "until": instants | values,
        "dry_run": st.booleans() | values,
        "stranger": values,
    },
)
to_webhooks = st.tuples(
    st.sampled_from(["test", "pause", "resume"]),
    st.sampled_from(["studio", "callback 7", "é", "?", "#", "%", "callback 99999999999999999999"])
    | st.text(min_size=1, max_size=6),
    st.fixed_dictionaries(
        {},
        optional={
            "why": st.text(max_size=210) | values,
            "since": instants | values,
            "discard": st.booleans() | values,
            "event": st.sampled_from(["failed", "webhook.disabled", "x"]) | values,
            "form": st.sampled_from(["text", "x"]) | values,
        },
    )
    | values,
)  # fmt: skip
fuzz = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])


async def exchange(
    method: str, path: str, daemon: FakeDaemon | None = None, **more: Any
) -> httpx.Response:
    async with calling(daemon or FakeDaemon()) as client:
        return await client.request(method, path, **more)


def ask(method: str, path: str, **more: Any) -> httpx.Response:
    return anyio.run(partial(exchange, method, path, **more))


@cache
def furnished() -> tuple[FakeDaemon, ASGIApp]:
    """Return a daemon that has deliveries of every status, and its API: building it is slow."""
    daemon = FakeDaemon()
    anyio.run(daemon.open)
    for status in Status:
        for id_ in daemon.ids.values():
            daemon.deliveries.add(id_, status, attempt())
    return daemon, api(daemon, token=TOKEN)


def asked_where_something_is(method: str, path: str, **more: Any) -> httpx.Response:
    """Ask a daemon that has something of everything, one of its webhooks paused."""
    daemon, application = furnished()
    more["headers"] = {**more.get("headers", {}), "authorization": f"Bearer {TOKEN}"}

    async def asked() -> httpx.Response:
        await daemon.pause(daemon.ids["team"], "why not")
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            return await client.request(method, path, **more)

    return anyio.run(asked)


def check(response: httpx.Response, **shapes: Any) -> None:
    """Hold an answer to its shape; `shapes` are those of the statuses, as `s200`."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        problem = ProblemShape.model_validate_json(response.content)
        assert problem.status == response.status_code
    else:
        shapes[f"s{response.status_code}"].model_validate_json(response.content)
    assert SECRET not in response.text


def body(document: Any) -> dict[str, Any]:
    return {
        "content": json.dumps(document).encode(),
        "headers": {"content-type": "application/json"},
    }


@fuzz(max_examples=200)
@given(orders | values)
def test_any_order_is_taken_or_refused(document: Any) -> None:
    check(ask("POST", "/v1/watches", **body(document)), s200=WatchShape, s201=WatchShape)


@fuzz(max_examples=60)
@given(st.lists(orders | values, max_size=6))
def test_any_batch_is_answered_one_by_one(documents: list[Any]) -> None:
    response = ask("POST", "/v1/watches:batch", **body({"watches": documents}))
    check(response, s200=BatchShape, s207=BatchShape)
    if response.status_code in (200, 207):
        assert len(response.json()["results"]) == len(documents)


@fuzz(max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_read(content: bytes) -> None:
    headers = {"content-type": "application/json"}
    check(ask("POST", "/v1/watches", content=content, headers=headers), s201=WatchShape)


@fuzz(max_examples=100)
@given(queries)
def test_any_query_is_answered_or_refused(query: dict[str, str]) -> None:
    check(ask("GET", "/v1/watches", params=query), s200=WatchesShape)


@fuzz(max_examples=100)
@given(delivery_queries)
def test_any_query_for_deliveries_is_answered_or_refused(query: dict[str, str]) -> None:
    response = asked_where_something_is("GET", "/v1/deliveries", params=query)
    check(response, s200=DeliveriesShape)


@fuzz(max_examples=60)
@given(st.integers().map(str) | st.text(max_size=5), st.sampled_from(["", "/retry"]))
def test_any_id_of_a_delivery_is_answered_or_refused(id_: str, rest: str) -> None:
    path = f"/v1/deliveries/{quote(id_, safe='', errors='replace')}{rest}"
    shapes = {"s200": HistoryShape if id_ else DeliveriesShape, "s202": ToldDeliveryShape}
    check(asked_where_something_is("POST" if rest else "GET", path), **shapes)


@fuzz(max_examples=150)
@given(replays | values)
def test_any_replay_is_begun_told_or_refused(document: Any) -> None:
    response = asked_where_something_is("POST", "/v1/deliveries/retry", **body(document))
    check(response, s202=ReplayShape, s200=PreviewShape)


@fuzz(max_examples=150)
@given(to_webhooks)
def test_any_order_to_a_webhook_is_followed_or_refused(call: tuple[str, str, Any]) -> None:
    verb, name, document = call
    path = f"/v1/webhooks/{quote(name, safe='', errors='replace')}/{verb}"
    shape = {"test": TrialShape, "pause": WebhookShape, "resume": ResumedShape}[verb]
    check(asked_where_something_is("POST", path, **body(document)), s200=shape)


@fuzz(max_examples=30)
@given(queries)
def test_any_query_for_what_else_is_listed_is_answered_or_refused(
    query: dict[str, str],
) -> None:
    for path, shape in (
        ("/v1/webhooks", WebhooksShape),
        ("/v1/replays", ReplaysShape),
        ("/.well-known/genbridge/keys.json", PublicKeysShape),
    ):
        check(asked_where_something_is("GET", path, params=query), s200=shape)


@fuzz(max_examples=60)
@given(st.text(min_size=1, max_size=20))
def test_any_id_that_is_taken_is_found_under_its_path(id_: str) -> None:
    async def there_and_back() -> None:
        async with calling(FakeDaemon()) as client:
            order = {"source": "luma", "id": id_}
            response = await client.post("/v1/watches", **body(order))
            check(response, s201=WatchShape)
            path = "".join(f"%{byte:02X}" for byte in id_.encode(errors="surrogatepass"))
            found = await client.get(f"/v1/watches/luma/{path}")
            check(found, s200=TimelineShape)
            assert (found.status_code == 200) == (response.status_code == 201)
            if found.status_code == 200:
                assert found.json()["id"] == id_

    anyio.run(there_and_back)


@fuzz(max_examples=150)
@given(st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH"]), paths)
def test_any_path_is_answered(method: str, steps: list[str]) -> None:
    async def raw() -> int:
        """Ask below httpx, which would mend the path."""
        daemon = FakeDaemon()
        await daemon.open()
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        path = "/" + "/".join(steps)
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"",
            "raw_path": path.encode(errors="replace"),
            "headers": [(b"authorization", f"Bearer {TOKEN}".encode())],
            "scheme": "http", "server": ("127.0.0.1", 80), "root_path": "", "http_version": "1.1",
        }  # fmt: skip
        await api(daemon, token=TOKEN)(scope, receive, send)
        return status

    assert 200 <= anyio.run(raw) < 500


@pytest.mark.anyio
async def test_a_fault_of_ours_would_be_noticed_and_tells_nothing(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.store.broken = RuntimeError("CANARY")  # type: ignore[assignment]  # a fault
    response = await client.get("/v1/watches")
    assert (response.status_code, "CANARY" in response.text) == (500, False)
    with pytest.raises(AssertionError):
        check(response)
