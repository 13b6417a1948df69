"""The recorded examples, and what two documents must have in common to be alike."""

import json
from pathlib import Path
from typing import Any

_EXAMPLES = Path(__file__).parents[1] / "fixtures" / "providers"


def recorded(provider: str, file: str) -> Any:
    """A recorded answer."""
    return json.loads((_EXAMPLES / provider / file).read_text())


def words(value: Any) -> set[str]:
    """The state words of a document, wherever they stand."""
    if isinstance(value, list):
        return {word for item in value for word in words(item)}
    if not isinstance(value, dict):
        return set()
    own = {str(value[name]) for name in ("state", "status", "task_status") if name in value}
    return own | words(list(value.values()))


def shape(value: Any) -> Any:
    """Names and types without the values; the names of one object have no order."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


def links(value: Any) -> list[str]:
    """The links of a document, at any depth, in its order."""
    if isinstance(value, dict):
        return links(list(value.values()))
    if isinstance(value, list):
        return [link for item in value for link in links(item)]
    return [value] if isinstance(value, str) and value.startswith("http") else []
