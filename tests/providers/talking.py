"""A conversation with a provider: what it asks, and what it makes of the answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bridge.core.looking import Look, Observation, Reading, Seen
from bridge.core.network.exchange import Request, Response
from bridge.core.ports import Provider
from bridge.plugins import Plugins

NOW = datetime(2026, 3, 2, 10, 2, tzinfo=UTC)
FIXTURES = Path(__file__).parents[1] / "fixtures" / "providers"
NAMES = ("aimlapi-luma", "dream-machine", "luma-agents", "relay-luma")
KEY = "key-4711"


@dataclass(frozen=True, slots=True)
class Talk:
    requests: tuple[Request, ...]
    reading: Reading

    @property
    def request(self) -> Request:
        (only,) = self.requests
        return only

    @property
    def observation(self) -> Observation:
        assert isinstance(self.reading, Seen), self.reading
        (only,) = self.reading.observations
        return only


def provider(name: str, **options: str) -> Provider:
    if name == "relay-luma":
        options = {"base_url": "https://relay.example.net", **options}
    made: Provider = Plugins().load("provider", name)(**{"api_key": KEY, **options})
    return made


def talk(with_: Provider, look: Look, *answers: Response) -> Talk:
    asking, requests, left = with_.ask(look), [], iter(answers)
    try:
        requests.append(next(asking))
        while True:
            requests.append(asking.send(next(left)))
    except StopIteration as end:
        return Talk(tuple(requests), end.value)


def answer(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer; what is not bytes already is sent as JSON."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers=headers or {}, body=text, received_at=NOW)
