"""What a daemon under test is told: sources, webhooks and watches, with a canary in every secret."""

import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.core.signing import read_key
from bridge.simulator.receiver import Received, Receiver

CANARY = "canary"
"""Stands in every secret, and may stand in no output."""

API_KEY = f"{CANARY}-api-key"
TOKEN = f"{CANARY}-server-token-0123456789"
SECRET = f"whsec_{CANARY}SingsWhereNobodyMayHearItSing012345A="
KEY = read_key(SECRET)

FAST: Mapping[str, Any] = {"schedule": ["200ms"] * 200, "jitter": 0.1}
"""A retry policy for tests: five times a second."""


def source(url: str, provider: str = "aimlapi-luma", **options: Any) -> dict[str, Any]:
    """Return a source that may ask as often as it likes."""
    return {
        "provider": provider,
        "api_key": API_KEY,
        "base_url": url,
        "rate_limit": "1000/s",
        **options,
    }


def webhook(url: str, **options: Any) -> dict[str, Any]:
    """Return a signed webhook that is tried again soon."""
    return {
        "url": url,
        "secret": SECRET,
        "headers": {"X-Team": f"{CANARY}-header"},
        "retry": FAST,
        "rate_limit": "1000/s",
        **options,
    }


def place(receiver: Receiver, name: str) -> str:
    """Return a URL of the receiver whose path is a secret; it ends with the webhook's name."""
    return receiver.url.replace("/webhook", f"/{CANARY}/{name}")


def settings(
    sources: Mapping[str, Any],
    webhooks: Mapping[str, Any],
    watches: Iterable[Mapping[str, Any]],
    *,
    port: int | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return a configuration; without a port the daemon does not listen."""
    server = {"listen": "off" if port is None else f"127.0.0.1:{port}", "token": TOKEN}
    return {
        "server": server,
        "network": {"allow": ["127.0.0.0/8"]},
        "sources": dict(sources),
        "webhooks": dict(webhooks),
        "watches": [dict(watch) for watch in watches],
        **more,
    }


def free_port() -> int:
    """Return a port that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def at(receiver: Receiver, name: str) -> list[Received]:
    """Return what one webhook's place was sent, in order."""
    return [one for one in receiver.deliveries if one.path.endswith(f"/{name}")]


def facts(received: Received) -> dict[str, Any]:
    """Return the `data` of a standard body."""
    assert received.document is not None
    data: dict[str, Any] = received.document["data"]
    return data


def states(deliveries: Sequence[Received], id_: str) -> list[str]:
    """Return the states that deliveries tell of one generation, in order."""
    told = [facts(one) for one in deliveries]
    return [data["state"] for data in told if data["generation_id"] == id_]
