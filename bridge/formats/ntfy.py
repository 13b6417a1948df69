"""ntfy: a notification on telephones and desktops, as JSON to the root of the server.

The text is shown as it is. A server takes a message of 4,096 bytes, and JSON of twice that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias
from urllib.parse import urlsplit

import msgspec

from bridge.core.card import Card, Link, card
from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    Declined,
    Gone,
    Throttled,
    TooRich,
    Unclear,
)
from bridge.core.fitting import dressed, fitting, footer, missing, nobody_named, on_one_line
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.network.retry_after import retry_after
from bridge.core.ports import Form, Limits, Rendered
from bridge.core.text.cutting import cut
from bridge.core.text.jsontext import encode

Notification: TypeAlias = dict[str, Any]

# Bytes, counted as JSON in ASCII: never less than they are as text. Together below 8,192.
_BODY = 8_192
_TITLE = 400
_FACT = 200
_REASON = 1_000
_LABEL = 60
_LINKS = 2_600
_IMAGE = 800
_LINE = 1_000
_REST = 300

_LEAST, _MOST = 1, 5
_QUIET = 2
_USUAL = 3
_HIGH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Publishes to a topic. On a public server its name is the only secret.

    `priority` (1 to 5) is that of everything but progress, which is silent.
    """

    topic: str = field(repr=False, metadata={"example": "generations"})
    priority: int | None = None

    MOST: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"message": 4_096, "title": 1_024, "tags": 512, "actions": 3}
    )
    """Bytes that are taken, and how many buttons."""

    def __post_init__(self) -> None:
        """Refuse what the server would."""
        if self.priority is not None and not _LEAST <= self.priority <= _MOST:
            raise ValueError("priority is a number from 1 (silent) to 5 (urgent)")

    @property
    def limits(self) -> Limits:
        """ntfy.sh lets 60 through at once and gives 12 a minute back."""
        return Limits(body=_BODY, rate=12 / 60)

    @property
    def signed(self) -> bool:
        """Nobody verifies it."""
        return False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the notification; the poorer forms have no image and no metadata."""
        shown = card(message)
        said = _line(shown) if form is Form.TEXT else _dressed(shown, form)
        return Rendered(
            body=encode({"topic": self.topic, "priority": self._priority(shown)} | said)
        )

    def _priority(self, shown: Card) -> int:
        if shown.passing:
            return _QUIET if self.priority is None else min(self.priority, _QUIET)
        if self.priority is not None:
            return self.priority
        return _USUAL if shown.kind in _GOOD else _HIGH

    def read(self, response: Response) -> Acknowledgement:
        """Return what ntfy means: a status, and a code of its own in JSON."""
        status, said = response.status, _said(response)
        why = f"{said.code or status} {cut(on_one_line(said.error), 200)}".rstrip()
        if status == 200:
            return Accepted(receipt=said.id)
        if status == 429:
            return Throttled(why=why, after=_asked(response, said))
        if status == 413 or said.code in _TOO_RICH:
            return TooRich(why=why)
        if status == 400:
            return Declined(why=f"{why}: ntfy does not take this message")
        if status in (401, 403):
            return Gone(why=f"{why}: this topic may not be written to; correct `auth`")
        return Unclear(hint=said.error or None)

    def advice(self, url: str) -> tuple[str, ...]:
        """Return that a topic in the URL would show our JSON as text."""
        parts = urlsplit(url)
        return (
            (_ROOT,) if parts.hostname == "ntfy.sh" and parts.path not in ("", "/") else ()
        )


_ROOT = "the URL is the root of the server; the topic goes under `topic`"


# How an answer is read (RECEIVERS, section 1.4)


_TOO_RICH = frozenset({40057, 40058})
_DAY_IS_USED_UP = 42908
_HOURS = timedelta(hours=1)
"""The messages of a day come back bit by bit: asking more often than so is of no use."""


class _Answer(msgspec.Struct):
    id: str | None = None
    code: int = 0
    error: str = ""


_ANSWER = msgspec.json.Decoder(_Answer)


def _said(response: Response) -> _Answer:
    try:
        return _ANSWER.decode(response.body)
    except (ValueError, RecursionError):
        return _Answer()


def _asked(response: Response, said: _Answer) -> timedelta | None:
    asked = retry_after(response.headers, response.received_at)
    return _HOURS if asked is None and said.code == _DAY_IS_USED_UP else asked


# How a card is dressed (RECEIVERS, section 1.3)


_TAGS = {
    "generation.queued": "hourglass_flowing_sand",
    "generation.dreaming": "thought_balloon",
    "generation.completed": "white_check_mark",
    "generation.failed": "x",
    "webhook.recovered": "white_check_mark",
}
_GOOD = frozenset({"generation.completed", "webhook.recovered"})


def _dressed(shown: Card, form: Form) -> Notification:
    full = form is Form.FULL
    links = fitting(shown, _LINKS, _cost, most=Format.MOST["actions"])
    lines = [_fact(name, value) for name, value in shown.facts]
    lines += [_fact(name, value) for name, value in shown.metadata if full]
    if more := missing(shown, len(links)):
        lines.append(_text(more, _REST))
    notification: Notification = {
        "title": _text(on_one_line(shown.title), _TITLE),
        "message": "\n".join([*lines, " · ".join(footer(shown))]),
        "tags": [_TAGS.get(shown.kind, "warning")],
    }
    if links:
        notification["click"] = links[0].url
        notification["actions"] = [_button(link) for link in links]
    if full and shown.preview is not None and _as_json(shown.preview.url) <= _IMAGE:
        notification["attach"] = shown.preview.url
    return notification


def _cost(link: Link) -> int:
    """Return what a link takes: its address may stand there twice."""
    return 2 * len(encode(_button(link)))


def _button(link: Link) -> Notification:
    label = _text(on_one_line(link.label), _LABEL)
    return {"action": "view", "label": label, "url": link.url}


def _fact(name: str, value: str) -> str:
    most = _REASON if name == "Reason" else _FACT
    return f"{_text(on_one_line(name), _LABEL)}: {_text(value, most)}"


def _line(shown: Card) -> Notification:
    line = _text(on_one_line(shown.summary), _LINE)
    room = Format.MOST["message"] - _LINE - len(", ")
    links = fitting(shown, room, lambda link: _as_json(link.url), most=1)
    return {"message": ", ".join([line, *(link.url for link in links)])}


def _text(text: str, limit: int) -> str:
    return dressed(text, limit, nobody_named, _as_json)


def _as_json(text: str) -> int:
    return len(encode(text))
