"""The generic provider as the configuration makes it of a description."""

import json
from functools import cache
from typing import Any

import yaml

from bridge.config import Environment, load
from bridge.core.settings import Source
from bridge.plugins import Plugins
from bridge.providers.http import Provider
from tests.providers.talking import FIXTURES, KEY

INFORMATION = frozenset({"tier", "env", "webhook", "notes"})
"""Keys of mapping.yaml that no provider reads."""

MAPPING: dict[str, dict[str, Any]] = yaml.safe_load((FIXTURES / "mapping.yaml").read_text())
PLAIN = tuple(name for name, entry in MAPPING.items() if "code" not in entry)
"""The APIs that YAML alone can describe."""


def source(text: str, name: str = "acme") -> Source:
    """The source of a configuration that is written so; raises Wrong."""
    environment = Environment(variables={}, read_file=lambda _: b"")
    return load(
        text.encode(), "c.yaml", environment=environment, catalog=Plugins()
    ).sources[name]


def written(entry: dict[str, Any]) -> str:
    """A configuration with one source; JSON is YAML, and says what is text and what is not."""
    keys = {"provider": "http", "api_key": KEY, **entry}
    return f"sources:\n  acme: {json.dumps(keys)}\n"


def described(entry: dict[str, Any]) -> Provider:
    """A provider that is described so."""
    made = source(written(entry)).provider
    assert isinstance(made, Provider)
    return made


@cache
def mapped(name: str, **options: str) -> Provider:
    """The provider that an entry of mapping.yaml describes."""
    entry = {k: v for k, v in MAPPING[name].items() if k not in INFORMATION}
    entry["base_url"] = entry["base_url"] or "https://relay.example.net"
    return described({**entry, **options})
