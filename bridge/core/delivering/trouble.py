"""What went wrong with an attempt: whose failure it was, and a sentence for people.

A sentence names the next step. It shows no path of a URL: Slack, Discord, Telegram and
Zapier keep their secret there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import urlsplit

from bridge.core.delivering.acknowledgement import Acknowledgement, Unclear, Unconfirmed
from bridge.core.network.exchange import Phase, Response, Unanswered


class Blame(StrEnum):
    """Whose failure it was."""

    RECEIVER = "receiver"
    EVENT = "event"
    """The receiver dislikes this one message; only many generations in a row concern it."""
    US = "us"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A failure before it is known whether there is another attempt."""

    code: str
    sentence: str
    blame: Blame = Blame.RECEIVER
    strained: bool = False


_PHASES = {
    Phase.CREDENTIALS: "credentials",
    Phase.CONSENT: "consent",
    Phase.GUARD: "forbidden",
    Phase.RESOLVE: "unresolved",
    Phase.CONNECT: "unreachable",
    Phase.TLS: "tls",
    Phase.ANSWER: "broken",
    Phase.DEADLINE: "timeout",
    Phase.PROXY: "proxy",
    Phase.LOCAL: "local",
}

_OURS = frozenset({Phase.PROXY, Phase.LOCAL})


def without_answer(answer: Unanswered) -> Trouble:
    """Return what it means that no whole answer came."""
    return Trouble(
        code=_PHASES[answer.phase],
        sentence=answer.reason,
        blame=Blame.US if answer.phase in _OURS else Blame.RECEIVER,
        strained=answer.phase is Phase.DEADLINE,
    )


_OF_THE_RECEIVER = frozenset({401, 403, 404, 405, 407, 408, 421, 425, 426})
_OVERLOADED = frozenset({502, 503, 504})

_ADVICE = {
    304: "the receiver takes this POST for a question; check its url",
    400: "the receiver could not read this message",
    401: "the receiver does not know us; check secret and headers",
    403: "the receiver refuses us; check secret and headers",
    404: "nothing answers there; check url",
    405: "the receiver takes no POST there; check url",
    407: "a proxy wants credentials",
    408: "the receiver waited too long for our request",
    413: "this message is too large for the receiver; `raw: false` makes it smaller",
    415: "the receiver does not take this content type; check format",
    422: "the receiver could not make sense of this message; check format",
    500: "the receiver failed; the receiver's log says why",
    502: "a proxy before the receiver did not reach it",
    503: "the receiver is not available now",
    504: "a proxy before the receiver waited too long for it",
}


def with_answer(answer: Response, acknowledgement: Acknowledgement) -> Trouble:
    """Return what an answer means that is neither a success nor the end of anything."""
    status = answer.status
    if isinstance(acknowledgement, Unconfirmed):
        return Trouble(code="unconfirmed", sentence=f"{status}: {acknowledgement.why}")
    if not 200 <= status <= 599:
        return Trouble(
            code="malformed", sentence=f"{status} is no answer to a POST; check url"
        )
    if 300 <= status <= 399 and status != HTTPStatus.NOT_MODIFIED:
        return Trouble(code="redirect", sentence=_moved(status, answer.headers))
    hint = acknowledgement.hint if isinstance(acknowledgement, Unclear) else None
    advice = hint or _ADVICE.get(status) or _general_advice(status)
    return Trouble(
        code=f"http-{status}",
        sentence=f"{status}: {advice}",
        blame=_blame(status),
        strained=status in _OVERLOADED,
    )


def _blame(status: int) -> Blame:
    of_the_event = 400 <= status <= 499 and status not in _OF_THE_RECEIVER
    return Blame.EVENT if of_the_event else Blame.RECEIVER


def _general_advice(status: int) -> str:
    return "the receiver failed" if status >= 500 else "the receiver refuses this message"


def _moved(status: int, headers: Mapping[str, str]) -> str:
    place = _shown(headers.get("location", ""))
    if status in (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT):
        return f"{status}: the receiver has moved; set url to {place}"
    return (
        f"{status}: redirects are never followed; set url to where the receiver really is"
    )


_HOST = re.compile(r"[a-z0-9._-]{1,253}(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)


def _shown(location: str) -> str:
    """Return a redirect's target without its path, which may be a secret."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "its new address"
    if not parts.netloc and location:
        return "its new path on the same host"
    if parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc):
        return f"{parts.scheme}://{parts.netloc}/…"
    return "its new address"
