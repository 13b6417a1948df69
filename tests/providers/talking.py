"""A conversation with a provider: what it asks, and what it makes of the answers."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bridge.core.looking import Look, Observation, Reading, Seen
from bridge.core.network.exchange import Answer, Request, Response
from bridge.core.ports import Provider
from bridge.core.reading.described import Described
from bridge.plugins import Plugins

NOW = datetime(2026, 3, 2, 10, 2, tzinfo=UTC)
FIXTURES = Path(__file__).parents[1] / "fixtures" / "providers"
PLUGINS = Plugins()
NAMES = tuple(name for name in PLUGINS.names("provider") if name != "http")
BY_SEGMENT = frozenset({"fal", "kling", "stability", "veo"})
"""Whose ids are paths: `/` and `:` stay in the URL."""

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


def provider(name: str, **options: Any) -> Described:
    plugin = PLUGINS.load("provider", name)
    needed = {f.name for f in fields(plugin) if f.default is MISSING}
    if "base_url" in needed:
        options = {"base_url": "https://relay.example.net", **options}
    made: Described = plugin(**{"api_key": KEY, **options})
    return made


def house(name: str) -> str:
    """The host that a provider asks."""
    return urlsplit(provider(name).base_url).hostname or ""


def talk(with_: Provider, look: Look, *answers: Answer) -> Talk:
    """Answer one request after the other; the last answer stays."""
    asking, requests, left = with_.ask(replace(look, at=NOW)), [], list(answers)
    try:
        requests.append(next(asking))
        while True:
            requests.append(asking.send(left.pop(0) if len(left) > 1 else left[0]))
    except StopIteration as end:
        return Talk(tuple(requests), end.value)


def answer(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer; what is not bytes already is sent as JSON."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers=headers or {}, body=text, received_at=NOW)
