"""A request to a simulated API and its reply, without a network."""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

Document: TypeAlias = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it arrived.

    `path` begins after the provider's prefix and is still percent-encoded, `query` is decoded.
    `headers` has lower-case names. `at` is the monotonic moment of its arrival.
    """

    method: str
    provider: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    at: float

    def values(self, name: str) -> Sequence[str]:
        """Return every value of a query parameter, in order."""
        return [value for key, value in self.query if key == name]

    def value(self, name: str) -> str | None:
        """Return the first value of a query parameter."""
        return next(iter(self.values(name)), None)

    def number(self, name: str, default: int) -> int | None:
        """Return a whole number of the query; None: it is none."""
        text = self.value(name)
        if text is None:
            return default
        return int(text) if text.isdecimal() and len(text) < 10 else None

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's segments, each decoded: an id may hold a slash."""
        return tuple(unquote(part) for part in self.path.strip("/").split("/"))

    def credentials(self, scheme: str) -> str | None:
        """Return what follows this scheme in the authorization header; None: it is not there."""
        given, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() or None if given.lower() == scheme else None


def call(
    method: str,
    target: str,
    *,
    at: float,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Call:
    """Return the call that a request line means; its first path segment is the provider."""
    path, _, query = target.partition("?")
    provider, _, rest = path.removeprefix("/").partition("/")
    return Call(
        method=method,
        provider=provider,
        path=f"/{rest}",
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers or {},
        body=body,
        at=at,
    )


class Manner(Enum):
    """How a reply goes out."""

    WHOLE = auto()
    CLOSED = auto()
    """Not at all: the connection is closed."""
    RESET = auto()
    """Not at all: the connection is reset."""
    SILENT = auto()
    """Not at all, and the connection stays open."""
    DRIP = auto()
    """One byte a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a simulated API answers."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    body: bytes = field(default=b"", repr=False)
    manner: Manner = Manner.WHOLE


Answering: TypeAlias = Generator[float, float, Reply]
"""A reply in the making: it yields the moment to wait for, is sent the moment it then is."""


def json_reply(document: object, status: int = 200) -> Reply:
    """Return a reply with a JSON document."""
    return Reply(status=status, body=json.dumps(document, ensure_ascii=False).encode())


def read_object(body: bytes) -> Document | None:
    """Return the JSON object that a body is, None where it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
