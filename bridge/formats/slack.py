"""Slack's incoming webhooks: Block Kit, written so that nothing in a message can be markup.

Facts stand in `plain_text` fields, which Slack shows as they are. Only links and dates need
`mrkdwn`, where `&`, `<` and `>` are entities and nothing tames `*`, `_` and `~`. There are no link
buttons: without an app behind them a click shows a warning. There is no video: that wants a
registered domain. `text` is what notifications show, and all there is in the poorest form.
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
    Declined,
    Gone,
    Throttled,
    TooRich,
    Unclear,
    Unconfirmed,
)
from bridge.core.fitting import fitting, missing, on_one_line, when
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.network.retry_after import retry_after
from bridge.core.ports import Form, Limits, Rendered
from bridge.core.text.cutting import cut, utf16
from bridge.core.text.escaping import mrkdwn, mrkdwn_address, mrkdwn_growth
from bridge.core.text.jsontext import encode

Block: TypeAlias = dict[str, Any]

# All texts together are kept below 12,000, of which the longest reason takes 2,000, the links
# 3,000 and the image 3,000.
_FACT = 250
_ALT = 250
_LABEL = 80
_LINE = 500
_MORE = 300

_TRIGGER = (
    "this URL starts a workflow, which takes variables and no messages: "
    "use format flat, or an incoming webhook (https://hooks.slack.com/services/…)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Posts into a channel. Slack cannot verify a signature: the URL is the secret."""

    MOST: ClassVar[Mapping[str, int]] = MappingProxyType(
        {
            "blocks": 50,
            "header": 150,
            "section": 3_000,
            "fields": 10,
            "field": 2_000,
            "elements": 10,
            "url": 3_000,
            "alt": 2_000,
            "together": 12_000,
        }
    )
    """What Slack documents, in UTF-16 units; all texts together were seen to end at 13,200."""

    @property
    def limits(self) -> Limits:
        """Slack takes one message a second for each webhook."""
        return Limits(rate=1.0)

    @property
    def signed(self) -> bool:
        """Nobody verifies it."""
        return False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the message; the poorer forms have no image and no metadata, then no blocks."""
        shown = card(message)
        payload: Block = {"text": _line(shown, with_link=form is Form.TEXT)}
        if form is not Form.TEXT and shown.facts:
            payload["blocks"] = _blocks(shown, full=form is Form.FULL)
        return Rendered(
            body=encode(payload | {"unfurl_links": False, "unfurl_media": False})
        )

    def read(self, response: Response) -> Acknowledgement:
        """Return what Slack means: a status, and one word in the body."""
        word = _word(response)
        if response.status == 200:
            return _read_success(response, word)
        if response.status == 429 or (response.status == 500 and word == "rollup_error"):
            after = retry_after(response.headers, response.received_at)
            return Throttled(why="Slack takes one message a second", after=after)
        return _read_refusal(response.status, word)

    def advice(self, url: str) -> tuple[str, ...]:
        """Return that the trigger of a workflow takes variables, not messages."""
        parts = urlsplit(url)
        trigger = parts.path.startswith(("/triggers/", "/workflows/"))
        return (_TRIGGER,) if trigger and parts.hostname == "hooks.slack.com" else ()


# How an answer is read (RECEIVERS, section 1.4)


_TOO_RICH = frozenset({"invalid_blocks", "msg_blocks_too_long", "too_many_attachments"})
_DECLINED = frozenset({"invalid_payload", "no_text", "user_not_found"})
_GONE = {
    (403, "action_prohibited"): "an administrator has forbidden this webhook",
    (403, "posting_to_general_channel_denied"): "only some may post to this channel",
    (403, "invalid_token"): "this webhook was revoked",
    (404, "channel_not_found"): "the channel is gone",
    (404, "no_service"): "this webhook was removed or switched off",
    (404, "no_service_id"): "the URL lacks a part",
    (404, "no_active_hooks"): "this webhook was switched off",
    (404, "no_team"): "the workspace is gone",
    (404, "team_disabled"): "the workspace is switched off",
}
_FIRST_WORD = re.compile(rb"\s*([a-z_]{1,60})\b")


def _word(response: Response) -> str:
    found = _FIRST_WORD.match(response.body)
    return found[1].decode("ascii") if found else ""


def _read_success(response: Response, word: str) -> Acknowledgement:
    if response.body.strip() == b"ok" and not response.cut:
        return Accepted()
    if word in _TOO_RICH:
        return TooRich(why=word)
    return Unconfirmed(why="Slack answers a message it has taken with `ok`; check url")


def _read_refusal(status: int, word: str) -> Acknowledgement:
    if status == 410:
        return Gone(
            why=f"410 {word}: the channel was archived or this webhook removed".rstrip()
        )
    if (status, word) in _GONE:
        why = _GONE[status, word]
        return Gone(why=f"{status} {word}: {why}; make a new webhook in Slack")
    if word in _TOO_RICH:
        return TooRich(why=word)
    if word in _DECLINED:
        return Declined(why=f"{status} {word}: Slack does not take this message")
    return Unclear()


# How a card is dressed (RECEIVERS, section 1.3)


def _blocks(shown: Card, *, full: bool) -> list[Block]:
    blocks = [_header(shown), *_fields(shown.facts, shown.metadata if full else ())]
    blocks += _links(shown)
    if full and shown.preview is not None:
        blocks += _image(shown.preview, shown.title)
    return [*blocks, _context(shown)]


def _header(shown: Card) -> Block:
    return {
        "type": "header",
        "text": _plain(on_one_line(shown.title), Format.MOST["header"]),
    }


def _fields(
    facts: Sequence[tuple[str, str]], metadata: Sequence[tuple[str, str]]
) -> list[Block]:
    """Return at most ten fields: there are four facts and six entries of metadata at most."""
    fields = [
        _field(name, value, Format.MOST["field"] if name == "Reason" else _FACT)
        for name, value in facts
    ]
    fields += [_field(name, value, _FACT) for name, value in metadata]
    return [{"type": "section", "fields": fields}] if fields else []


def _field(name: str, value: str, limit: int) -> Block:
    return _plain(f"{cut(on_one_line(name), _LABEL)}\n{value}", limit)


def _links(shown: Card) -> list[Block]:
    """Return a section with as many links as fit; a link is never cut."""
    links = fitting(shown, Format.MOST["section"] - _MORE, _room_of)
    more = missing(shown, len(links))
    lines = [_linked(link) for link in links]
    lines += [_escaped(more, _MORE)] if more else []
    return [_section("\n".join(lines))] if lines else []


def _room_of(link: Link) -> int:
    """Return what a link takes of its section; one that Slack does not take is too long for any."""
    if len(link.url) > Format.MOST["url"]:
        return Format.MOST["section"]
    return utf16(_linked(link)) + len("\n")


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _linked(link: Link) -> str:
    label = link.label.replace("|", "/")  # a bar ends the address
    return f"<{mrkdwn_address(link.url)}|{_escaped(label, _LABEL)}>"


def _image(preview: Link, title: str) -> list[Block]:
    if len(preview.url) > Format.MOST["url"]:
        return []
    alt = cut(on_one_line(f"{preview.label} of {title}"), _ALT)
    return [{"type": "image", "image_url": preview.url, "alt_text": alt}]


def _context(shown: Card) -> Block:
    texts = []
    if shown.occurred_at is not None:
        texts.append(_date(shown.occurred_at))
    if shown.expires_at is not None:
        texts.append(f"Links expire {_date(shown.expires_at)}")
    texts.append(f"id {shown.id}")
    elements = [{"type": "mrkdwn", "text": text, "verbatim": True} for text in texts]
    return {"type": "context", "elements": elements}


def _date(moment: datetime) -> str:
    """Return a time that Slack shows in the reader's own zone."""
    return (
        f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{when(moment)}>"
    )


def _line(shown: Card, *, with_link: bool) -> str:
    line = _escaped(on_one_line(shown.summary), _LINE)
    first = fitting(shown, Format.MOST["url"], lambda link: len(link.url), most=1)
    return f"{line}, <{mrkdwn_address(first[0].url)}>" if with_link and first else line


# How text is made harmless


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": cut(text, limit), "emoji": False}


def _escaped(text: str, limit: int) -> str:
    """Return text for `mrkdwn` that names nobody and is no link, within the limit as sent."""
    return mrkdwn(cut(text, limit, _as_sent))


def _as_sent(text: str) -> int:
    return utf16(text) + mrkdwn_growth(text)
