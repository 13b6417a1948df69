"""When replicate, ideogram and fal call back, and of what: fal tells the end alone."""

import json
from typing import Any

import anyio
import httpx
import pytest
import trio.testing

from bridge.simulator.switches import Callbacks
from tests.fakes.clock import VirtualClock
from tests.fakes.upstream import FakeUpstream
from tests.fakes.vendor_client import UpstreamApp
from tests.simulator.asking import HEADERS

pytestmark = pytest.mark.anyio

HOOK = "http://127.0.0.1:9/hook"
SCRIPT = (("queued", 1.0), ("dreaming", 2.0), ("completed", None))
CREATIONS = [
    ("replicate", "/v1/predictions", "webhook", [0.0, 1.0, 3.0], "succeeded"),
    ("ideogram", "/v2/generations", "webhook_url", [0.0, 1.0, 3.0], "completed"),
    ("fal", f"/acme/clip?fal_webhook={HOOK}", "", [3.0], "OK"),
]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@pytest.mark.parametrize(("provider", "path", "name", "moments", "word"), CREATIONS)
async def test_a_creation_can_ask_for_callbacks(
    *, provider: str, path: str, name: str, moments: list[float], word: str
) -> None:
    upstream = FakeUpstream(VirtualClock())
    upstream.switch(callbacks=Callbacks.TRUTHFUL, script=SCRIPT)
    transport = httpx.ASGITransport(app=UpstreamApp(upstream))
    headers = {"authorization": "Bearer any", **HEADERS.get(provider, {})}
    async with httpx.AsyncClient(transport=transport, headers=headers) as client:
        wish = {"prompt": "a boat", **({name: HOOK} if name else {})}
        await client.post(upstream.url(provider) + path, json=wish)
    posts = upstream.apis.outbox
    assert [(post.at, post.url) for post in posts] == [(at, HOOK) for at in moments]
    await anyio.sleep(3.0)
    body, _ = posts[-1].make()
    (job,) = upstream.apis.accounts[provider].jobs
    assert job.rpartition("/")[2] in body.decode()
    assert json.loads(body)["status"] == word
