"""Mattermost's incoming webhooks: one attachment, in Markdown that strangers cannot write.

The server turns `<!channel>` and `<url|text>` of Slack into its own before it reads Markdown, so
angle brackets go as entities: a backslash would come too late.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

from bridge.core.card import Card, Link, card
from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    Gone,
    Throttled,
    TooRich,
    Unclear,
    Unconfirmed,
)
from bridge.core.fitting import dressed, fitting, footer, missing, nobody_named, on_one_line
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.network.retry_after import retry_after
from bridge.core.ports import Form, Limits, Rendered
from bridge.core.text.cutting import utf16
from bridge.core.text.jsontext import encode

Attachment: TypeAlias = dict[str, Any]

# What the parts take of `MOST["attachments"]` at most, counted as old servers count: as JSON in
# which Go writes `&`, `<` and `>` with six characters.
_TITLE = 300
_FACT = 200
_REASON = 1_000
_LABEL = 40
_LINKS = 1_800
_IMAGE = 800
_LINE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Posts into a channel. Mattermost cannot verify a signature: the URL is the secret.

    `channel` and `username` go where the webhook's own do not fit, as far as the server lets them.
    """

    channel: str | None = None
    username: str | None = None

    MOST: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"text": 16_383, "attachments": 7_900}
    )
    """Characters that are taken; of the attachments those of JSON as Go writes it."""

    @property
    def limits(self) -> Limits:
        """Five a second are taken without complaint."""
        return Limits(rate=5.0)

    @property
    def signed(self) -> bool:
        """Nobody verifies it."""
        return False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the post; the poorer forms have no image and no metadata, then one line."""
        shown = card(message)
        payload: Attachment = {"channel": self.channel, "username": self.username}
        if form is Form.TEXT or not shown.facts:
            payload["text"] = _line(shown)
        else:
            payload["attachments"] = [_attachment(shown, full=form is Form.FULL)]
        return Rendered(body=encode({k: v for k, v in payload.items() if v is not None}))

    def read(self, response: Response) -> Acknowledgement:
        """Return what Mattermost means: a status, and `ok` in the body."""
        status = response.status
        if status == 200:
            if response.body.strip() == b"ok" and not response.cut:
                return Accepted()
            return Unconfirmed(why="Mattermost answers a post with `ok`; check url")
        if status == 429:
            after = retry_after(response.headers, response.received_at)
            return Throttled(why="Mattermost is asked too often", after=after)
        if status == 400:
            return TooRich(why="400: Mattermost does not take this post")
        if status == 404:
            return Gone(why="404: this webhook was removed; make a new one in Mattermost")
        return Unclear()


# How a card is dressed (RECEIVERS, section 1.3)


def _attachment(shown: Card, *, full: bool) -> Attachment:
    """Return the attachment; its `title` would not be Markdown everywhere, its `text` is."""
    attachment = {
        "fallback": _escaped(on_one_line(shown.summary), _LINE),
        "color": f"#{shown.colour}",
        "text": "\n".join([_title(shown), *_links(shown)]),
        "fields": _fields(shown.facts) + (_fields(shown.metadata) if full else []),
        "footer": " · ".join(footer(shown)),
    }
    if full and shown.preview is not None and _in_go(shown.preview.url) <= _IMAGE:
        attachment["image_url"] = shown.preview.url
    return attachment


def _title(shown: Card) -> str:
    return f"**{_escaped(on_one_line(shown.title), _TITLE)}**"


def _fields(facts: Iterable[tuple[str, str]]) -> list[Attachment]:
    return [
        {
            "title": _escaped(on_one_line(name), _LABEL),
            "value": _escaped(value, _REASON if name == "Reason" else _FACT),
            "short": name not in ("Generation", "Reason"),
        }
        for name, value in facts
    ]


def _links(shown: Card) -> list[str]:
    links = fitting(shown, _LINKS, lambda link: _in_go(_linked(link)) + 1)
    lines = [_linked(link) for link in links]
    more = missing(shown, len(links))
    return [*lines, _escaped(more, _LINE)] if more else lines


def _linked(link: Link) -> str:
    return f"[{_escaped(on_one_line(link.label), _LABEL)}]({_address(link.url)})"


def _line(shown: Card) -> str:
    line = _escaped(on_one_line(shown.summary), _LINE)
    links = fitting(
        shown,
        Format.MOST["text"] - _LINE - 20,
        lambda link: utf16(_address(link.url)),
        most=1,
    )
    return ", ".join([line, *(f"<{_address(link.url)}>" for link in links)])


# How text is made harmless


_SIGNS = re.compile(r"([\\`*_{}\[\]()#!|~])")
_BEGINS_A_LIST = re.compile(r"^(\s*)([-+=]|\d+[.])", re.MULTILINE)
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_CLOSES = str.maketrans({"(": "%28", ")": "%29", "|": "%7C", "@": "%40", "*": "%2A"})


def _escaped(text: str, limit: int) -> str:
    """Return text that is no Markdown and names nobody, within the limit as Go writes it."""
    return dressed(text, limit, _harmless, _in_go)


def _harmless(text: str) -> str:
    """Return text whose signs are none; only some of them can be escaped by a backslash here."""
    text = _SIGNS.sub(r"\\\1", text.translate(_ENTITIES))
    text = _BEGINS_A_LIST.sub("\\1\u200b\\2", text).replace("://", ":\u200b//")
    return nobody_named(text)


def _address(url: str) -> str:
    """Return a URL that ends where it ends; these percent codes mean the same."""
    return url.translate(_CLOSES)


def _in_go(text: str) -> int:
    """Return how long a text is as JSON of Go, which writes more signs than ours with six."""
    six = sum(text.count(sign) for sign in "&<>\u2028\u2029")
    two = sum(text.count(sign) for sign in '\\"\n\t')
    return utf16(text) + 5 * six + two
