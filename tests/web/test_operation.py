"""What the API tells of the daemon itself, and its own description."""

import json
import re
from base64 import b64encode
from html import unescape

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.delivering.signing import Kind, new_key, read_key
from bridge.web.api import api
from bridge.web.doors import Doors
from bridge.web.health import application
from bridge.web.hints import hints
from bridge.web.orders import SECRET as SECRET_PATTERN
from bridge.web.shapes import (
    ReloadShape,
    ReplicasShape,
    ScheduleShape,
)
from bridge.web.webhook_shapes import WebhooksShape
from tests.web.service import SECRET, TOKEN, FakeDaemon, calling


@pytest.mark.anyio
async def test_webhooks_are_listed_with_shown_urls_and_how_they_stand(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    state = WebhookState(
        id=daemon.ids["team"], key="name:team", condition=Condition.DISABLED, why="410 Gone"
    )
    await daemon.store.set_webhook(state)
    await daemon.store.webhooks(["name:of-an-older-file"])
    callback = Callback(url="https://caller.example/CANARY", secret=SECRET)
    id_ = (await daemon.store.adopt([callback]))[callback.key].id
    response = await client.get("/v1/webhooks")
    found = WebhooksShape.model_validate_json(response.content).webhooks
    assert [(one.name, one.url, one.condition, one.signed) for one in found] == [
        ("studio", "https://example.com/…", "active", True),
        ("team", "https://example.org/…", "disabled", False),
        (f"callback {id_}", "https://caller.example/…", "active", True),
    ]
    assert found[1].reason == "410 Gone"
    assert [one.callback for one in found] == [False, False, True]
    assert "CANARY" not in response.text
    assert SECRET not in response.text


@pytest.mark.anyio
async def test_webhooks_come_in_pages(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/webhooks", params={"limit": "1"})).json()
    rest = (await client.get("/v1/webhooks", params={"cursor": first["next"]})).json()
    names = [one["name"] for one in (*first["webhooks"], *rest["webhooks"])]
    assert (names, rest["next"]) == (["studio", "team"], None)


@pytest.mark.anyio
async def test_replicas_and_what_recurs_are_shown(client: httpx.AsyncClient) -> None:
    replicas = await client.get("/v1/replicas")
    (one,) = ReplicasShape.model_validate_json(replicas.content).replicas
    assert one.alive
    schedule = await client.get("/v1/schedule")
    (job,) = ScheduleShape.model_validate_json(schedule.content).jobs
    assert (job.name, job.every_seconds, job.last_result) == ("retention", 600.0, "done")


@pytest.mark.anyio
async def test_a_reload_says_what_is_in_force(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    response = await client.post("/v1/reload")
    done = ReloadShape.model_validate_json(response.content)
    assert (done.sources, done.webhooks, done.watches) == (2, 2, 0)
    assert daemon.reloads == 1


@pytest.mark.anyio
async def test_a_reload_of_a_wrong_configuration_is_a_conflict_with_the_reason(
    client: httpx.AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.refusal = "config.yaml:1:1: webhoks: unknown key"
    response = await client.post("/v1/reload")
    assert response.status_code == 409
    assert response.json()["detail"] == daemon.refusal


@pytest.mark.anyio
async def test_the_description_names_every_call_with_its_answers(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    calls = {
        (method, path) for path, methods in document["paths"].items() for method in methods
    }
    assert calls == {
        ("post", "/v1/watches"),
        ("get", "/v1/watches"),
        ("post", "/v1/watches:batch"),
        ("get", "/v1/watches/{source}/{id}"),
        ("delete", "/v1/watches/{source}/{id}"),
        ("get", "/v1/sources"),
        ("get", "/v1/webhooks"),
        ("get", "/v1/webhooks/{name}"),
        ("post", "/v1/webhooks/{name}/test"),
        ("post", "/v1/webhooks/{name}/pause"),
        ("post", "/v1/webhooks/{name}/resume"),
        ("get", "/v1/deliveries"),
        ("get", "/v1/deliveries/{id}"),
        ("post", "/v1/deliveries/{id}/retry"),
        ("post", "/v1/deliveries/retry"),
        ("get", "/v1/replays"),
        ("get", "/.well-known/genbridge/keys.json"),
        ("get", "/v1/replicas"),
        ("get", "/v1/schedule"),
        ("post", "/v1/reload"),
        ("get", "/healthz"),
        ("get", "/readyz"),
    }
    order = document["paths"]["/v1/watches"]["post"]
    assert set(order["responses"]) >= {
        "200",
        "201",
        "400",
        "401",
        "413",
        "415",
        "422",
        "503",
    }
    schema = order["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["source", "id"]
    assert document["security"] == [{"token": []}]


@pytest.mark.anyio
async def test_health_is_described_as_it_is_answered_without_a_token(
    daemon: FakeDaemon,
) -> None:
    app = application(readiness=daemon.readiness)
    async with (
        calling(daemon, token=None) as described,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
        ) as door,
    ):
        paths = (await described.get("/openapi.json")).json()["paths"]
        for phase in (None, "stopping"):
            daemon.phase = phase
            for path in ("/healthz", "/readyz"):
                here, there = await described.get(path), await door.get(path)
                assert here.status_code == there.status_code
                assert here.json() == there.json()
                assert paths[path]["get"]["security"] == []
                assert str(here.status_code) in paths[path]["get"]["responses"]
        assert (await described.get("/readyz")).status_code == 503


@pytest.mark.anyio
async def test_every_reference_of_the_description_leads_somewhere(
    client: httpx.AsyncClient,
) -> None:
    text = (await client.get("/openapi.json")).text
    document = (await client.get("/openapi.json")).json()
    references = set(re.findall(r'"\$ref":"#/components/schemas/(\w+)"', text))
    assert references
    assert references <= document["components"]["schemas"].keys()


@pytest.mark.anyio
async def test_the_page_shows_every_call_and_loads_nothing(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "/v1/watches:batch" in response.text
    assert not re.search(r"<script|<link|<img|src=|https?://", response.text)


@pytest.mark.anyio
async def test_the_page_shows_each_call_as_a_command_that_can_be_tried(
    client: httpx.AsyncClient,
) -> None:
    text = unescape((await client.get("/docs")).text)
    token = '-H "authorization: Bearer $GENBRIDGE_TOKEN"'
    assert f"curl 127.0.0.1:8383/v1/deliveries/17 {token}<" in text
    assert f"curl -X POST 127.0.0.1:8383/v1/deliveries/17/retry {token}<" in text
    assert "curl -X DELETE 127.0.0.1:8383/v1/watches/luma/182bd5e5" in text
    assert "curl 127.0.0.1:8383/.well-known/genbridge/keys.json<" in text
    document = (await client.get("/openapi.json")).json()
    calls = [call for path in document["paths"].values() for call in path.values()]
    assert text.count("<pre>curl ") == len(calls)
    bodies = re.findall(r" -d '(.*?)'</pre>", text)
    assert len(bodies) == sum("requestBody" in call for call in calls)
    assert all(json.loads(body) for body in bodies)


@pytest.mark.anyio
async def test_the_examples_of_the_page_are_what_the_calls_take(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            if "requestBody" in call and path != "/v1/watches:batch":
                schema = call["requestBody"]["content"]["application/json"]["schema"]
                place = path.replace("{name}", "studio")
                response = await client.request(method, place, json=schema["example"])
                assert response.is_success, (path, response.text)


@pytest.mark.anyio
async def test_health_is_open_and_the_api_is_only_loaded_when_it_is_asked(
    daemon: FakeDaemon,
) -> None:
    loads = []

    def load() -> ASGIApp:
        loads.append(1)
        return api(daemon, token=TOKEN)

    front = Doors(application(readiness=daemon.readiness), hints(daemon), load)
    transport = httpx.ASGITransport(front)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1"
    ) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/")).status_code == 404
        assert (await client.post("/hints/luma/wrong")).status_code == 404
        assert not loads
        assert (await client.get("/v1/sources")).status_code == 401
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert (await client.get("/v1/sources", headers=headers)).status_code == 200
        assert (await client.get("/docs")).status_code == 200
    assert len(loads) == 1


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("chance", [bytes(range(32)), b"\xff" * 31 + b"\x00"])
def test_every_new_secret_fits_the_description(kind: Kind, chance: bytes) -> None:
    assert re.search(SECRET_PATTERN, new_key(chance, kind=kind))


@given(st.binary(min_size=24, max_size=64).filter(lambda chance: len(set(chance)) > 1))
def test_every_good_secret_fits_the_description(chance: bytes) -> None:
    assert re.search(SECRET_PATTERN, "whsec_" + b64encode(chance).decode())


@given(st.from_regex(r"\Awhsec_[A-Za-z0-9+/]{28,90}={0,2}\Z"))
def test_the_description_says_of_a_text_whether_it_is_a_secret(text: str) -> None:
    # Whether its bytes are all the same, a pattern cannot say.
    assert bool(re.search(SECRET_PATTERN, text)) == (_refusal(text) is None) or (
        "all bytes" in str(_refusal(text))
    )


def _refusal(text: str) -> str | None:
    try:
        read_key(text)
    except ValueError as error:
        return str(error)
    return None
