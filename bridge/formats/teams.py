"""Microsoft Teams through Workflows: an Adaptive Card of version 1.4.

A TextBlock and the facts of a FactSet are Markdown, so all that comes from strangers is escaped
there; what may be long stands in a RichTextBlock, which knows no markup. Times are shown in the
reader's own zone by the card's own functions. `style: heading` would be 1.5.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias
from urllib.parse import urlsplit

from bridge.core.card import Card, Link, card
from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    Gone,
    Throttled,
    TooRich,
    Unclear,
)
from bridge.core.fitting import dressed, fitting, missing, on_one_line
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.network.retry_after import retry_after
from bridge.core.ports import Form, Limits, Rendered
from bridge.core.text.clocktext import rfc3339
from bridge.core.text.cutting import cut
from bridge.core.text.escaping import nobody_named
from bridge.core.text.jsontext import encode

Element: TypeAlias = dict[str, Any]

_CARD = "application/vnd.microsoft.card.adaptive"
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"

# A character takes at most six bytes in ASCII JSON, and half of a pair as much. What is left of
# 20,000 bytes by the longest texts is for the links.
_TITLE = 200
_FACT = 200
_LABEL = 60
_REASON = 1_000
_LINE = 400
_ALT = 200
_LINKS = 8_000

_COLOURS = {
    "1565C0": "Accent",
    "2E7D32": "Good",
    "C62828": "Attention",
    "F9A825": "Warning",
}
"""Teams has names for colours."""

_RETIRED = (
    "Office connectors (webhook.office.com) are retired: "
    "make a workflow in Teams and use its URL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Posts into a channel or chat. A workflow cannot verify a signature: the URL is the secret."""

    MOST: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"body": 20_000, "documented": 28_672, "url": 2_048}
    )
    """Bytes: 28 KB are documented, some 21 KB were seen to be refused, so 20,000 are kept."""

    @property
    def limits(self) -> Limits:
        """More than four a second are throttled; one is asked for."""
        return Limits(body=self.MOST["body"], rate=1.0)

    @property
    def signed(self) -> bool:
        """Nobody verifies it."""
        return False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the message in that form, or in the richest poorer one that is small enough.

        The poorer forms have no image and no metadata, then nothing but one line and one link.
        """
        shown = card(message)
        forms = [poorer for poorer in Form if poorer >= form]
        bodies = (encode(_message(shown, poorer)) for poorer in forms)
        short = (body for body in bodies if len(body) <= self.MOST["body"])
        return Rendered(body=next(short, b"") or encode(_message(shown, Form.TEXT)))

    def read(self, response: Response) -> Acknowledgement:
        """Return what a workflow means; its 202 says that it will try, and no more ever comes."""
        return _read(response)

    def advice(self, url: str) -> tuple[str, ...]:
        """Return that a connector is no workflow."""
        host = (urlsplit(url).hostname or "").rstrip(".")
        if host == "outlook.office.com" or host.endswith("webhook.office.com"):
            return (_RETIRED,)
        return ()


# How an answer is read (RECEIVERS, section 1.4)


_GONE = {
    401: "the signature in the URL (sig=) is wrong, or the workflow wants a login",
    404: "the workflow was deleted",
    410: "the workflow is gone",
}


def _read(response: Response) -> Acknowledgement:
    status = response.status
    if status in (200, 202):
        return Accepted()
    if status == 429:
        after = retry_after(response.headers, response.received_at)
        return Throttled(why="Teams takes four messages a second", after=after)
    if status in (400, 413):
        return TooRich(why=f"{status}: Teams cannot take this card")
    if status in _GONE:
        return Gone(why=f"{status}: {_GONE[status]}; make a new workflow")
    return Unclear()


# How a card is dressed (RECEIVERS, section 1.3)


def _message(shown: Card, form: Form) -> Element:
    content = {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": cut(on_one_line(shown.summary), _LINE),
        "msteams": {"width": "Full"},
        **(
            _text_card(shown) if form is Form.TEXT else _card(shown, full=form is Form.FULL)
        ),
    }
    attachment = {"contentType": _CARD, "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attachment]}


def _text_card(shown: Card) -> Element:
    """Return the poorest card: one line, and the first link as what can be pressed."""
    links = fitting(shown, _LINKS, _cost, most=1)
    return {"body": [_plain(on_one_line(shown.summary), _LINE)], **_actions(links)}


def _card(shown: Card, *, full: bool) -> Element:
    links = fitting(shown, _LINKS, _cost)
    more = missing(shown, len(links))
    body = [_title(shown), *_facts(shown, full=full), *_reason(shown)]
    body += _image(shown) if full else []
    body += [_plain(more, _LINE)] if more else []
    return {"body": [*body, *_footer(shown)], **_actions(links)}


def _title(shown: Card) -> Element:
    title = _block(_escaped(on_one_line(shown.title), _TITLE))
    colour = _COLOURS.get(shown.colour, "Default")
    return title | {"size": "Medium", "weight": "Bolder", "color": colour}


def _facts(shown: Card, *, full: bool) -> list[Element]:
    facts = [fact for fact in shown.facts if fact[0] != "Reason"]
    facts += shown.metadata if full else ()
    pairs = [
        {
            "title": _escaped(on_one_line(name), _LABEL) or "-",
            "value": _escaped(on_one_line(value), _FACT) or "-",
        }
        for name, value in facts
    ]
    return [{"type": "FactSet", "facts": pairs}] if pairs else []


def _reason(shown: Card) -> list[Element]:
    return [
        _plain(value, _REASON) for name, value in shown.facts if name == "Reason" and value
    ]


def _plain(text: str, limit: int) -> Element:
    """Return a block in which nothing is markup."""
    run = {"type": "TextRun", "text": cut(text, limit)}
    return {"type": "RichTextBlock", "inlines": [run]}


def _image(shown: Card) -> list[Element]:
    if shown.preview is None or len(shown.preview.url) > Format.MOST["url"]:
        return []
    alt = cut(on_one_line(f"{shown.preview.label} of {shown.title}"), _ALT)
    return [{"type": "Image", "url": shown.preview.url, "altText": alt, "size": "Stretch"}]


def _footer(shown: Card) -> list[Element]:
    """Return when it happened, until when the links live, and the short id."""
    said = [] if shown.occurred_at is None else [_date(shown.occurred_at)]
    if shown.expires_at is not None:
        said.append(f"links expire {_date(shown.expires_at)}")
    small = {"size": "Small", "isSubtle": True}
    return [_block(" · ".join([*said, f"id {shown.id}"])) | small]


def _date(moment: datetime) -> str:
    """Return a time that Teams shows in the reader's own zone; it reads no fractions."""
    utc = rfc3339(moment.replace(microsecond=0))
    return f"{{{{DATE({utc}, SHORT)}}}} {{{{TIME({utc})}}}}"


def _actions(links: Sequence[Link]) -> Element:
    actions = [
        {"type": "Action.OpenUrl", "title": cut(link.label, _LABEL), "url": link.url}
        for link in links
    ]
    return {"actions": actions} if actions else {}


def _cost(link: Link) -> int:
    return len(encode(link.url)) + 6 * _LABEL


def _block(text: str) -> Element:
    return {"type": "TextBlock", "text": text, "wrap": True}


# How text is made harmless

_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]#!<>&|~"})
_LISTED = re.compile(r"^([-+](?=\s)|\d+(?=[.)]))")


def _escaped(text: str, limit: int) -> str:
    """Return one line that is shown as it is where Markdown is read, within the limit as sent."""
    return dressed(text, limit, _harmless)


def _harmless(text: str) -> str:
    text = text.translate(_SIGNS).replace("://", ":\\//")
    return nobody_named(_LISTED.sub(_with_backslash, text))


def _with_backslash(begin: re.Match[str]) -> str:
    """Return what begins a list, disarmed: the sign, or what follows the number."""
    return f"\\{begin[0]}" if begin[0] in "-+" else f"{begin[0]}\\"
