"""fal-client, which is always strict and speaks TLS alone, accepts what the simulator says."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from bridge.simulator.switches import Fault, Second
from bridge.simulator.upstream import Upstream
from tests.fakes.tls_front import tls_front

pytestmark = pytest.mark.anyio

APP = "acme/clip"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def client(
    upstream: Upstream,
    fal_client: Any,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Any]:
    """A client that knows the simulator by a name of TLS, and trusts its authority alone."""
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setenv("NO_PROXY", "localhost")
    async with tls_front(upstream.apis.origin, authority) as origin:
        upstream.apis.move(origin)
        # Its environment variable for this is read once, when the module is imported.
        monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{origin}/fal/")
        asking = fal_client.AsyncClient(key="id:secret")
        yield asking
        await (await asking._client).aclose()  # noqa: SLF001  (it cannot be closed otherwise)


async def handle(client: Any, id_: str) -> Any:
    path, _, request = id_.partition("/requests/")
    return await client.get_handle(path, request)


async def test_a_request_that_waits_has_a_position(
    upstream: Upstream, fal_client: Any, client: Any
) -> None:
    asked = await handle(client, upstream.add("fal", script=[("queued", None)]))
    assert await asked.status() == fal_client.Queued(position=3)


@pytest.mark.parametrize("logs", [True, False])
async def test_a_request_in_progress_has_logs_for_who_wants_them(
    upstream: Upstream, fal_client: Any, client: Any, logs: bool
) -> None:
    asked = await handle(client, upstream.add("fal", script=[("dreaming", None)]))
    status = await asked.status(with_logs=logs)
    assert type(status) is fal_client.InProgress
    assert bool(status.logs) == logs


async def test_a_completed_request_has_its_result_at_another_url(
    upstream: Upstream, fal_client: Any, client: Any, authority: trustme.CA
) -> None:
    id_ = upstream.add("fal", script=[("completed", None)])
    asked = await handle(client, id_)
    status = await asked.status()
    assert type(status) is fal_client.Completed
    assert status.error is None
    video = (await asked.get())["video"]
    assert video["url"].startswith("https://localhost:")
    assert video["content_type"] == "video/mp4"
    assert [call.path for call in upstream.requests][-1] == f"/{id_}"


async def test_a_failure_is_completed_with_an_error(
    upstream: Upstream, fal_client: Any, client: Any
) -> None:
    script = [("failed", None)]
    id_ = upstream.add("fal", script=script, code="runner_error", reason="why")
    asked = await handle(client, id_)
    status = await asked.status()
    assert type(status) is fal_client.Completed
    assert (status.error, status.error_type) == ("why", "runner_error")
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await asked.get()
    assert caught.value.status_code == 422


async def test_the_result_can_be_the_models_error(
    upstream: Upstream, fal_client: Any, client: Any
) -> None:
    upstream.switch(second=Second.MODEL_ERROR)
    asked = await handle(client, upstream.add("fal", script=[("completed", None)]))
    assert (await asked.status()).error is None
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await asked.get()
    assert caught.value.status_code == 422


async def test_its_waiter_sees_every_state_and_then_the_result(
    upstream: Upstream, fal_client: Any, client: Any
) -> None:
    upstream.switch(script=[("queued", 0.3), ("dreaming", 0.3), ("completed", None)])
    asked = await client.submit(f"{APP}/image-to-video", {"prompt": "a boat"})
    seen = [type(status) async for status in asked.iter_events(interval=0.02)]
    assert list(dict.fromkeys(seen)) == [
        fal_client.Queued,
        fal_client.InProgress,
        fal_client.Completed,
    ]
    assert "video" in await asked.get()


async def test_the_urls_of_a_request_leave_out_the_models_sub_path(
    client: Any,
) -> None:
    asked = await client.submit(f"{APP}/image-to-video", {"prompt": "a boat"})
    again = await client.get_handle(f"{APP}/image-to-video", asked.request_id)
    assert (again.status_url, again.response_url) == (asked.status_url, asked.response_url)
    assert "image-to-video" not in asked.status_url


async def test_a_status_is_202_until_the_end(
    upstream: Upstream, client: Any, authority: trustme.CA
) -> None:
    told = {}
    http = await client._client  # noqa: SLF001  (it does not show the status of an answer)
    for state in ("queued", "dreaming", "completed", "failed"):
        asked = await handle(client, upstream.add("fal", script=[(state, None)]))
        told[state] = (await http.get(asked.status_url)).status_code
    assert told == {"queued": 202, "dreaming": 202, "completed": 200, "failed": 200}


async def test_errors_are_raised_as_its_own(
    upstream: Upstream, fal_client: Any, client: Any
) -> None:
    nobody = await client.get_handle(APP, "nobody")
    with pytest.raises(fal_client.FalClientHTTPError, match="not found") as missing:
        await nobody.status()
    upstream.switch(fault=Fault.WRONG_KEY)
    with pytest.raises(fal_client.FalClientHTTPError) as refused:
        await nobody.status()
    assert (missing.value.status_code, refused.value.status_code) == (404, 401)


async def test_its_own_retries_get_past_a_limit(
    upstream: Upstream, fal_client: Any, client: Any
) -> None:
    asked = await handle(client, upstream.add("fal", script=[("completed", None)]))
    upstream.switch(limit=1)
    seen = [type(await asked.status()) for _ in range(2)]
    assert seen == [fal_client.Completed] * 2
    assert len(upstream.requests) > len(seen)


@pytest.mark.parametrize("word", ["SUCCEEDED", "in_progress", ""])
async def test_a_wrong_word_is_refused(upstream: Upstream, client: Any, word: str) -> None:
    asked = await handle(client, upstream.add("fal", script=[(word, None)]))
    with pytest.raises(ValueError, match="Unknown status"):
        await asked.status()


async def test_a_server_that_its_authority_does_not_know_is_refused(
    upstream: Upstream, client: Any
) -> None:
    async with tls_front(upstream.apis.origin, trustme.CA()) as origin:
        http = await client._client  # noqa: SLF001  (its own retries would take a minute)
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await http.get(f"{origin}/fal/")
