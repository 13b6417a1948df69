"""One HTTP exchange: what is sent, what came back, or why nothing did."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, TypeAlias

from msgspec import field

from bridge.core.record import Record

Headers: TypeAlias = tuple[tuple[str, str], ...]


class Request(Record, frozen=True, kw_only=True):
    """A request as a provider or a format wants it; `url` is absolute and sent as written."""

    unshown: ClassVar[frozenset[str]] = frozenset({"url", "headers", "body"})

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""


class Timings(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How long the phases of one exchange took, in milliseconds; None: the phase did not happen.

    `dns`, `connect` and `tls` are None on a reused connection.
    """

    queue: float | None = None
    """From the claim to the start: the wait for a slot and for the rate."""
    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    send: float | None = None
    wait: float | None = None
    """From the last byte of the request to the head of the answer."""
    body: float | None = None
    total: float = 0.0
    """From the start to the end, without `queue`."""
    reused: bool = False


class Peer(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Who answered: the address as `192.0.2.7:443`, and the version of TLS, such as `TLSv1.3`."""

    address: str
    tls: str | None = None


class Response(Record, frozen=True, kw_only=True):
    """An answer: a whole head, and as much of the body as was allowed.

    `headers` has lower-case names and the first value of each. `body` is raw (never decompressed),
    `cut` says that there was more of it or that it broke off.
    """

    unshown: ClassVar[frozenset[str]] = frozenset({"headers", "body"})

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    received_at: datetime
    cut: bool = False
    timings: Timings = Timings()
    peer: Peer | None = None


class Phase(StrEnum):
    """How far an exchange came before it failed."""

    CREDENTIALS = "credentials"
    """There was no token to show to the receiver: it was not contacted."""
    CONSENT = "consent"
    """The receiver was asked whether it wants our events, and did not say so."""
    GUARD = "guard"
    """The address guard refused: no socket was opened."""
    PROXY = "proxy"
    """The webhook's or source's own proxy let nobody through: the other side was not reached."""
    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    ANSWER = "answer"
    """The request may have been sent, but no whole head of an answer came."""
    DEADLINE = "deadline"
    LOCAL = "local"
    """This machine could not try: no descriptor, no memory, no resolver at all."""


class Unanswered(Record, frozen=True, kw_only=True):
    """No answer came. `reason` is a sentence for people; it holds no path and no secret."""

    phase: Phase
    reason: str
    timings: Timings = Timings()
    peer: Peer | None = None


Answer: TypeAlias = Response | Unanswered


def header(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    """Return the first value of a header, whatever its case."""
    return next((v for k, v in headers if k.lower() == name), None)
