"""Openness: which values of a file may be quoted in a message, and which are secret.

What is not known to be harmless is treated as secret: a key may be misspelt, and its value
is a secret all the same.
"""

from enum import Enum, auto

from bridge.config.access import TAGGED, TlsRecord
from bridge.config.mistakes import Path
from bridge.config.near import near
from bridge.config.record import Record
from bridge.config.records import (
    NetworkRecord,
    RetentionRecord,
    ServerRecord,
    SourceRecord,
    WatchRecord,
    WebhookRecord,
)
from bridge.config.tree import ListNode, MapNode


class Openness(Enum):
    """How much of a value may be seen."""

    OPEN = auto()
    HOST = auto()
    """A URL: scheme and host, for many services keep a key in the path."""
    CLOSED = auto()


_CLOSED = frozenset({"token", "secret", "headers", "tls", "auth", "proxy"})
_URLS = frozenset({"url", "base_url", "token_url", "database", "session_url"})


def _open(record: type[Record]) -> frozenset[str]:
    return frozenset(record.model_fields) - _CLOSED - _URLS


_NAMED = {
    name: _open(record)
    for name, record in (
        ("sources", SourceRecord),
        ("webhooks", WebhookRecord),
        ("watches", WatchRecord),
    )
}
_NAMED["sources"] |= {"gone", "hint", "floor", "hosts"}  # options that hold words and spans
_SINGLE = {
    name: _open(record)
    for name, record in (
        ("server", ServerRecord),
        ("network", NetworkRecord),
        ("retention", RetentionRecord),
    )
}


_WITHIN = {
    "tls": frozenset(TlsRecord.model_fields),
    "auth": frozenset({"type", "send", "scope", "audience"}),
}
"""Of what is closed as a whole, the keys whose values are harmless."""
_NAMELY = {("headers",), ("tls",), ("auth",)}

_ALL = frozenset({"*"})
_DESCRIBED = {
    "get": frozenset({"method"}),
    "hold": frozenset({"limit", "words"}),
    "batch": frozenset({"method", "limit", "items", "read"}),
    "list": frozenset({"items", "more", "next", "read"}),
    "read": _ALL,
    "trouble": _ALL,
    "result": frozenset({"with", "outputs"}),
    "links": frozenset({"live", "renew", "key", "type", "with"}),
}
"""Keys of a source that describe an API, and what below them is harmless: expressions, words
and spans. Headers, queries, bodies and URLs may hold a secret.
"""


def openness(path: Path) -> Openness:
    """Return how much of the value at a path may be seen."""
    if _describes(path):
        harmless = _DESCRIBED[str(path[2])]
        return Openness.OPEN if harmless is _ALL or path[3] in harmless else Openness.CLOSED
    if len(path) > 3 and path[0] == "webhooks" and path[2] in _WITHIN:
        field, harmless = path[3], _WITHIN[str(path[2])]
    elif len(path) > 2 and path[0] in _NAMED:
        field, harmless = path[2], _NAMED[str(path[0])]
    elif len(path) > 1 and path[0] in _SINGLE:
        field, harmless = path[1], _SINGLE[str(path[0])]
    else:
        field, harmless = (path[0] if len(path) == 1 else ""), frozenset()
    if field in harmless:
        return Openness.OPEN
    return Openness.HOST if field in _URLS else Openness.CLOSED


def keys_open(path: Path) -> bool:
    """Whether the keys of a mapping may be seen: not where a secret was expected."""
    if len(path) < 2:
        return path == () or path[0] in _NAMED or path[0] in _SINGLE
    if path[0] in _NAMED and (len(path) == 2 or path[2:] in _NAMELY):
        return True
    if path[0] == "sources" and len(path) > 2 and path[2] in _DESCRIBED:
        # Names of parameters, as of headers; what a body holds may be anything.
        return len(path) < 4 or path[3] in {"query", "headers"} or _opens(path)
    return openness(path) is Openness.OPEN


def _describes(path: Path) -> bool:
    return len(path) > 3 and path[0] == "sources" and path[2] in _DESCRIBED


def _opens(path: Path) -> bool:
    return openness(path) is Openness.OPEN


_RECORDS: tuple[type[Record], ...] = (
    ServerRecord,
    NetworkRecord,
    RetentionRecord,
    SourceRecord,
    WebhookRecord,
    WatchRecord,
    TlsRecord,
    *TAGGED.values(),
)

KEYWORDS = frozenset(
    {
        *("database", "session_url", "server", "network", "sources", "webhooks", "watches"),
        *("retention", "api_key", "base_url", "schedule", "jitter"),
        *_DESCRIBED,
        *(name for record in _RECORDS for name in record.model_fields),
    }
)
"""Words that are keys of a configuration: they can be shown wherever they stand."""


def stray(branch: MapNode | ListNode, number: int, step: str | int) -> bool:
    """Whether a key is a word that lost its own key: in `{api_key k}` it is a secret."""
    bare = branch.plain(number) and branch.place(number) == branch.end(number)
    return bare and isinstance(step, str) and near(step, KEYWORDS) is None
