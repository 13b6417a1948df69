"""Google Chat's incoming webhooks: a card, and a thread for each generation.

Texts of a card are a little HTML, so `&`, `<` and `>` become entities. The plain `text` of a
message has mentions and links and no way to write their signs, hence it never holds what
strangers wrote: only our own words, and an id as far as it is made of letters and digits.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias
from urllib.parse import urlencode

from bridge.core.card import Card, Link, card
from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
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

Widget: TypeAlias = dict[str, Any]

_BODY = 32_000
"""Bytes of a message at Google. What follows is counted as JSON and stays below it in sum."""
_TITLE = 600
_FACT = 600
_REASON = 4_000
_LABEL = 200
_LINKS = 11_000
_IMAGE = 3_000
_FALLBACK = 900
_THREAD = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Posts into a space. Google Chat cannot verify a signature: the URL is the secret."""

    @property
    def limits(self) -> Limits:
        """Google takes 32,000 bytes, and 60 messages a minute of all apps in a space."""
        return Limits(body=_BODY, rate=1.0)

    @property
    def signed(self) -> bool:
        """Nobody verifies it."""
        return False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the message; Google knows a repeated one by its `requestId`."""
        shown = card(message)
        dress = _line(shown) if form is Form.TEXT else _dressed(shown, form)
        return Rendered(
            body=encode(dress | {"thread": {"threadKey": _thread(shown)}}),
            query=urlencode(
                {
                    "messageReplyOption": "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD",
                    "requestId": str(message.id),
                }
            ),
        )

    def read(self, response: Response) -> Acknowledgement:
        """Return what Google means: it says it with the status."""
        status = response.status
        if status == 200:
            return Accepted()
        if status == 429:
            after = retry_after(response.headers, response.received_at)
            return Throttled(why="a space takes 60 messages a minute", after=after)
        if status == 400:
            return TooRich(why="400: Google Chat does not take this card")
        if status in _GONE:
            return Gone(why=f"{status}: {_GONE[status]}; make a new webhook in the space")
        return Unclear()


_GONE = {
    401: "the key or the token in the URL is wrong",
    403: "this webhook may not post into the space",
    404: "the space or this webhook is gone",
}


# How a card is dressed (RECEIVERS, section 1.3)


def _dressed(shown: Card, form: Form) -> Widget:
    full = form is Form.FULL
    widgets = [_title(shown), *_facts(shown.facts)]
    if full:
        widgets += [*_facts(shown.metadata), *_image(shown)]
    sections = [{"widgets": [*widgets, *_links(shown), _footer(shown)]}]
    return {
        "cardsV2": [{"cardId": "generation", "card": {"sections": sections}}],
        "fallbackText": _plain(on_one_line(shown.summary), _FALLBACK),
    }


def _title(shown: Card) -> Widget:
    text = _escaped(on_one_line(shown.title), _TITLE)
    return _paragraph(f'<font color="#{shown.colour}"><b>{text}</b></font>')


def _paragraph(text: str) -> Widget:
    return {"textParagraph": {"text": text}}


def _facts(facts: Iterable[tuple[str, str]]) -> list[Widget]:
    return [
        {
            "decoratedText": {
                "topLabel": _plain(on_one_line(name), _LABEL),
                "text": _escaped(value, _REASON if name == "Reason" else _FACT),
                "wrapText": True,
            }
        }
        for name, value in facts
    ]


def _image(shown: Card) -> list[Widget]:
    """Return the preview; cards show no picture that is fetched without TLS."""
    preview = shown.preview
    if preview is None or not preview.url.startswith("https://"):
        return []
    if _as_json(preview.url) > _IMAGE:
        return []
    alt = _plain(on_one_line(f"{preview.label} of {shown.title}"), _FACT)
    return [{"image": {"imageUrl": preview.url, "altText": alt}}]


def _links(shown: Card) -> list[Widget]:
    links = fitting(shown, _LINKS, lambda link: len(encode(_button(link))))
    widgets: list[Widget] = []
    if links:
        widgets.append({"buttonList": {"buttons": [_button(link) for link in links]}})
    if more := missing(shown, len(links)):
        widgets.append(_paragraph(_escaped(more, _FALLBACK)))
    return widgets


def _button(link: Link) -> Widget:
    label = _plain(on_one_line(link.label), _LABEL)
    return {"text": label, "onClick": {"openLink": {"url": link.url}}}


def _footer(shown: Card) -> Widget:
    return _paragraph(" · ".join(footer(shown)))


def _thread(shown: Card) -> str:
    """Return what joins the messages about one generation."""
    about = shown.command or shown.kind
    return about if _as_json(about) <= _THREAD else sha256(encode(about)).hexdigest()


# The one line


_OURS = ("Took", "Progress", "Last state")
_NO_WORD = re.compile(r"[^\w:, -]|_")


def _line(shown: Card) -> Widget:
    """Return a line of our own words and the first link: there is no way to escape others."""
    title = " ".join(_NO_WORD.sub(" ", cut(shown.title, 200)).split())
    said = [value for name, value in shown.facts if name in _OURS]
    links = fitting(shown, _LINKS, lambda link: _as_json(link.url), most=1)
    return {"text": ", ".join([title, *said, *(link.url for link in links)])}


# How text is made harmless


_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _escaped(text: str, limit: int) -> str:
    return dressed(
        text, limit, lambda part: nobody_named(part).translate(_ENTITIES), _as_json
    )


def _plain(text: str, limit: int) -> str:
    """Return text for a place without HTML, in which no angle bracket opens anything."""
    return dressed(
        text, limit, lambda part: nobody_named(part).replace("<", "<\u200b"), _as_json
    )


def _as_json(text: str) -> int:
    return len(encode(text))
