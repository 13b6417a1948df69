"""Who may come in, and with how much."""

from collections.abc import AsyncIterator

import httpx
import pytest

from bridge.core.settings import Server
from tests.web.service import TOKEN, FakeDaemon, calling

pytestmark = pytest.mark.anyio

PATHS = ["/v1/watches", "/v1/sources", "/v1/reload", "/v1/none", "/v1"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "credentials",
    [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN,
     f"Basic {TOKEN}", "Bearer é"],
)  # fmt: skip
async def test_without_the_token_everything_is_401(
    daemon: FakeDaemon, path: str, credentials: str | None
) -> None:
    headers = {} if credentials is None else {b"authorization": credentials.encode()}
    async with calling(daemon, token=None) as client:
        response = await client.get(path, headers=headers)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in response.text


@pytest.mark.parametrize("credentials", [f"Bearer {TOKEN}", f"bearer  {TOKEN}"])
async def test_with_the_token_the_api_is_open_under_every_name(
    daemon: FakeDaemon, credentials: str
) -> None:
    async with calling(daemon, token=None, base_url="http://genbridge.example") as client:
        response = await client.get("/v1/sources", headers={"authorization": credentials})
    assert response.status_code == 200


async def test_the_description_needs_no_token(daemon: FakeDaemon) -> None:
    async with calling(daemon, token=None) as client:
        assert (await client.get("/docs")).status_code == 200
        assert (await client.get("/openapi.json")).status_code == 200


async def test_a_delivery_of_a_webhook_is_never_taken(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/watches",
        json={"source": "luma", "id": "g1"},
        headers={"webhook-id": "3e5d7a9c-2f1b-5c4d-9e8f-7a6b5c4d3e2f"},
    )
    assert response.status_code == 403
    assert "webhook" in response.json()["detail"]


class Without:
    """A daemon without a token listens on a loopback address only."""

    @pytest.fixture
    async def anybody(self) -> AsyncIterator[httpx.AsyncClient]:
        async with calling(FakeDaemon(server=Server()), token=None) as client:
            yield client


class TestWithoutAToken(Without):
    @pytest.mark.parametrize(
        "host",
        [
            "localhost",
            "localhost:8383",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:8383",
            "LOCALHOST",
        ],
    )
    async def test_this_machine_is_served(
        self, anybody: httpx.AsyncClient, host: str
    ) -> None:
        assert (await anybody.get("/v1/sources", headers={"host": host})).status_code == 200

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1", "[x"]
    )
    async def test_a_name_that_was_made_to_mean_this_machine_is_refused(
        self, anybody: httpx.AsyncClient, host: str
    ) -> None:
        response = await anybody.get("/v1/sources", headers={"host": host})
        assert response.status_code == 403
        assert "server.token" in response.json()["detail"]

    @pytest.mark.parametrize(
        ("site", "status"),
        [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)],
    )
    async def test_another_sites_page_cannot_speak_for_its_reader(
        self, anybody: httpx.AsyncClient, site: str, status: int
    ) -> None:
        response = await anybody.post("/v1/reload", headers={"sec-fetch-site": site})
        assert response.status_code == status


async def test_a_body_that_says_it_is_too_large_is_refused_unread(
    client: httpx.AsyncClient,
) -> None:
    for length in ("1048577", "9" * 30):
        headers = {"content-type": "application/json", "content-length": length}
        response = await client.post("/v1/watches", content=b"{}", headers=headers)
        assert response.status_code == 413
        assert "1 MiB" in response.json()["detail"]


async def test_a_body_that_turns_out_to_be_too_large_is_refused(
    client: httpx.AsyncClient,
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 65536

    response = await client.post(
        "/v1/watches", content=endless(), headers={"content-type": "application/json"}
    )
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_body_of_just_one_mebibyte_is_read(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/watches", content=b" " * 2**20, headers={"content-type": "application/json"}
    )
    assert response.status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/watches", "/v1/watches:batch"])
async def test_a_body_that_is_not_said_to_be_json_is_415(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    response = await client.post(path, content=b"{}", headers=headers)
    assert response.status_code == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{'a': 1}", b"\xff", b'"\xff"', b"[" * 100_000, b'{"a": NaN}', b"1e400",
     b"9" * 5000, b'"\\ud800"', b'{"a":1}x', b"\x00", b'{"a":1,}'],
)  # fmt: skip
async def test_bytes_that_are_no_json_are_400(
    client: httpx.AsyncClient, body: bytes
) -> None:
    response = await client.post(
        "/v1/watches", content=body, headers={"content-type": "application/json"}
    )
    assert response.status_code == 400
    assert response.json()["detail"].startswith("the body is not JSON")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/watches", "GET, HEAD, POST"),
        ("GET", "/v1/watches:batch", "POST"),
        ("POST", "/v1/watches/luma/g1", "DELETE, GET, HEAD"),
        ("GET", "/v1/reload", "POST"),
        ("DELETE", "/v1/sources", "GET, HEAD"),
        ("OPTIONS", "/v1/webhooks/studio", "GET, HEAD"),
    ],
)
async def test_a_method_that_a_path_does_not_take_is_405_with_those_it_does(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await client.request(method, path)
    assert response.status_code == 405
    assert response.headers.get_list("allow") == [allowed]
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/watches/", "/v1/watches/luma", "/v1/none"]
)
async def test_a_path_that_there_is_none_of_is_404(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/webhooks", "/docs", "/v1/deliveries/1"])
async def test_head_is_answered_as_get_is(client: httpx.AsyncClient, path: str) -> None:
    asked, looked = await client.get(path), await client.head(path)
    assert looked.status_code == asked.status_code
    assert looked.headers == asked.headers
