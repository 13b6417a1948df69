"""What a daemon under test is told, with a canary in every secret, and what it did."""

import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import anyio

from bridge.cli.stage.curtain import Curtain
from bridge.core.delivering.signing import read_key
from bridge.simulator.receiver import Received, Receiver
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

CANARY = "canary"
"""Stands in every secret, and may stand in no output."""

PATIENCE = 30.0
"""Seconds after which a test has failed, whatever it waits for: machines may be busy."""

API_KEY = f"{CANARY}-api-key"
TOKEN = f"{CANARY}-server-token-0123456789"
SECRET = f"whsec_{CANARY}SingsWhereNobodyMayHearItSing0000000A="
KEY = read_key(SECRET)

FAST: Mapping[str, Any] = {"schedule": ["200ms"] * 200, "jitter": 0.1}
"""A retry policy for tests: five times a second."""


class Theatre(Upstream):
    """An upstream whose time begins with the first question after `curtain.ready()`.

    However long a start takes, the daemon finds the generations at their beginning.
    """

    def __init__(self, *, key: str | None = API_KEY, port: int = 0) -> None:
        self.curtain = Curtain(SystemClock())
        super().__init__(clock=self.curtain, key=key, port=port)

    def finish(self, provider: str, *ids: str) -> None:
        """Complete generations now; a hold that is under way does not notice."""
        for id_ in ids:
            self.add(provider, id=id_, script=(("completed", None),))


def source(url: str, provider: str = "aimlapi-luma", **options: Any) -> dict[str, Any]:
    """Return a source that may ask as often as it likes, and does, as far as its API lets it."""
    return {
        "provider": provider,
        "api_key": API_KEY,
        "base_url": url,
        "rate_limit": "1000/s",
        "interval": "1s",
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


async def until(receiver: Receiver, enough: Callable[[Receiver], bool]) -> None:
    """Wait until there is enough; fail after a while."""
    with anyio.move_on_after(PATIENCE):
        await receiver.wait(enough)
    got = [(one.path, one.status, one.body[:250]) for one in receiver.deliveries]
    assert enough(receiver), got


async def accepted(receiver: Receiver, count: int, *, state: str | None = None) -> None:
    """Wait until so many events were accepted, all or those of a state."""
    await until(
        receiver,
        lambda one: count <= sum(state in (None, facts(x)["state"]) for x in one.accepted),
    )


async def posted(receiver: Receiver, count: int) -> None:
    """Wait until so many requests have come, answered or not."""
    await until(receiver, lambda one: len(one.deliveries) >= count)


async def eventually(seen: Callable[[], object], what: object) -> None:
    """Wait until something is so that rings no bell; fail after a while."""
    with anyio.move_on_after(PATIENCE):
        while not seen():  # noqa: ASYNC110  (nobody tells when it becomes so)
            await anyio.sleep(0.02)
    assert seen(), what
