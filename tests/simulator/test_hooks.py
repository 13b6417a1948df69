"""What the vendors post has their shape, and goes to this machine only."""

import hmac
from collections.abc import AsyncIterator

import httpx
import pytest

from bridge.simulator.posting import is_here
from bridge.simulator.receiver import Receiver
from bridge.simulator.switches import Callbacks
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

pytestmark = pytest.mark.anyio

NEVER = (("queued", None),)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(clock=SystemClock()) as receiving:
        yield receiving


SHAPES = {
    "relay-luma": ("/dream-machine/v1/generations", "notify_hook", "state"),
    "relay-luma-own": ("/luma/generations", "notify_hook", "state"),
    "relay-suno": ("/suno/submit/music", "notify_hook", "task_id"),
    "relay-udio": ("/udio/submit/music", "notify_hook", "task_id"),
    "relay-midjourney": ("/mj/submit/imagine", "notifyHook", "imageUrl"),
    "flux": ("/v1/flux-pro-1.1", "webhook_url", "result"),
    "kling": ("/v1/videos/text2video", "callback_url", "task_status"),
    "minimax": ("/v1/video_generation", "callback_url", "base_resp"),
}


@pytest.mark.parametrize("provider", SHAPES)
async def test_a_callback_has_the_vendors_shape(
    upstream: Upstream, client: httpx.AsyncClient, receiver: Receiver, provider: str
) -> None:
    path, name, member = SHAPES[provider]
    upstream.switch(callbacks=Callbacks.TRUTHFUL, script=NEVER)
    body = {"prompt": "a boat", name: receiver.url}
    await client.post(upstream.url(provider) + path, json=body)
    await receiver.wait(lambda r: len(r.deliveries) >= 1)
    assert member in (receiver.deliveries[0].document or {})


async def test_a_callback_of_flux_is_signed_with_the_secret_of_the_creation(
    upstream: Upstream, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    upstream.switch(callbacks=Callbacks.TRUTHFUL, script=NEVER)
    url = upstream.url("flux") + "/v1/flux-pro-1.1"
    body = {"prompt": "a boat", "webhook_url": receiver.url}
    await client.post(url, json={**body, "webhook_secret": "s"})
    await receiver.wait(lambda r: len(r.deliveries) >= 1)
    await client.post(url, json=body)
    await receiver.wait(lambda r: len(r.deliveries) >= 2)
    signed, unsigned = receiver.deliveries
    digest = hmac.new(b"s", signed.body, "sha256").hexdigest()
    assert signed.headers["x-bfl-signature"] == f"sha256={digest}"
    assert "x-bfl-signature" not in unsigned.headers


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/hook", True),
        ("http://localhost/hook", True),
        ("http://[::1]:8000/hook", True),
        ("http://10.0.0.1/hook", False),
        ("http://example.com/hook", False),
        ("http://127.0.0.1.example.com/hook", False),
        ("http://user@10.0.0.1/127.0.0.1", False),
        ("https://127.0.0.1/hook", False),
        ("ftp://127.0.0.1/hook", False),
        ("http://[::1", False),
        ("hook", False),
    ],
)
def test_callbacks_go_to_this_machine_only(url: str, here: bool) -> None:
    assert is_here(url) is here
