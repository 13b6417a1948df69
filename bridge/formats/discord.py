"""Discord's webhooks: one embed, written so that nobody is named and nothing in it is markup.

Discord reads Markdown in titles, descriptions, fields and `content`, so all that comes from
strangers is escaped there; the footer is plain. Nobody is called, whatever a text says:
`allowed_mentions` names none. Links stand in the description, which is longer than a field.

A message can be edited by its id; an edit that does not name `allowed_mentions` again would call
whom the text names.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

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
    Unconfirmed,
    Uneditable,
)
from bridge.core.fitting import dressed, fitting, missing, on_one_line
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.network.retry_after import retry_after
from bridge.core.ports import LIVE, Form, Limits, Rendered
from bridge.core.text.clocktext import rfc3339
from bridge.core.text.cutting import cut, utf16
from bridge.core.text.escaping import markdown
from bridge.core.text.jsontext import encode

Part: TypeAlias = dict[str, Any]

_SILENT = 4096
"""The flag of a message that arrives without a sound."""

_WAIT = "wait=true"
"""Without it an answer comes before the message is saved, and a message that is not is no error."""

_RECEIPT = re.compile(r"[0-9]{1,20}")
"""The id of a message. It becomes a part of the path, so nothing else is taken for one."""

_LABEL = 80
_FACT = 250
_LINE = 500
_FOOTER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Posts into a channel. Discord cannot verify a signature: the URL is the secret.

    `live`: the progress of a generation is one message, which is edited.
    """

    live: bool = field(default=False, metadata={"about": LIVE})

    MOST: ClassVar[Mapping[str, int]] = MappingProxyType(
        {
            "content": 2_000,
            "embeds": 10,
            "title": 256,
            "description": 4_096,
            "fields": 25,
            "name": 256,
            "value": 1_024,
            "footer": 2_048,
            "url": 2_048,
            "embeds together": 6_000,
        }
    )
    """What Discord documents, in UTF-16 units, which never count less than it does."""

    @property
    def limits(self) -> Limits:
        """Discord takes 5 messages in 2 s and 30 in a minute for each webhook."""
        return Limits(rate=0.5)

    @property
    def signed(self) -> bool:
        """Nobody verifies it."""
        return False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the message; the poorer forms have no image and no metadata, then no embed."""
        shown = card(message)
        payload = _payload(shown, form)
        if shown.passing:
            payload["flags"] = _SILENT
        return Rendered(body=encode(payload), query=_WAIT)

    def edit(
        self, message: Message, receipt: str, form: Form = Form.FULL
    ) -> Rendered | None:
        """Return the edit of a message, which is saved before it is answered.

        What the message had and the new one has not must be emptied by name.
        """
        if not _RECEIPT.fullmatch(receipt):
            return None
        payload = _EMPTY | _payload(card(message), form)
        path = f"/messages/{receipt}"
        return Rendered(body=encode(payload), method="PATCH", path=path)

    def read(self, response: Response) -> Acknowledgement:
        """Return what Discord means: a status, and a code in the body."""
        told = _told(response.body)
        if response.status == 200:
            return _read_success(told, response)
        if told.code in _UNEDITABLE:
            # Too many edits of an old message come as a 429, which a new message does not meet.
            why = _UNEDITABLE[told.code]
            return Uneditable(why=f"{response.status} {told.code}: {why}")
        if response.status == 429:
            return Throttled(
                why="Discord takes 5 messages in 2 s and 30 in a minute",
                after=_after(response, told),
            )
        return _read_refusal(response, told)

    def advice(self, url: str) -> tuple[str, ...]:
        """Return what is odd about a webhook's URL."""
        path = url.partition("?")[0].rstrip("/")
        if path.endswith(("/slack", "/github")):
            end = path.rpartition("/")[2]
            return (f"a URL that ends in /{end} takes messages of {end}; remove that part",)
        return ()


# How an answer is read (RECEIVERS, section 1.4)


class _Told(msgspec.Struct):
    """What the body of an answer says, as far as anything hangs on it."""

    id: str | None = None
    code: int | None = None
    errors: Any = None
    retry_after: float | None = None


_NOTHING = _Told()
_TOLD = msgspec.json.Decoder(_Told)

_DECLINED = {
    50006: "Discord found the message empty",
    240000: "Discord has blocked a link in it as harmful",
}
_UNEDITABLE = {
    10008: "there is no such message any more",
    30046: "Discord takes no more edits of a message that is older than an hour",
    50005: "the message is not this webhook's",
    50083: "its thread is archived; a new message opens it",
}
_GONE = {10015: "this webhook was deleted", 50027: "the URL's token is wrong"}
_GONE_STATUSES = {
    401: "Discord does not accept the URL's token",
    403: "Discord forbids this webhook to post",
    404: "this webhook was deleted, or its channel",
}
_MOST_SECONDS = 600.0
"""A `retry_after` above it is in milliseconds: old URLs answer so."""

_SPAN = re.compile(r"[0-9]{1,10}(\.[0-9]{1,9})?")


def _told(body: bytes) -> _Told:
    try:
        return _TOLD.decode(body)
    except (ValueError, RecursionError):
        return _NOTHING


def _read_success(told: _Told, response: Response) -> Acknowledgement:
    if not told.id:
        return Unconfirmed(
            why="Discord answers a message it has saved with its id; check url"
        )
    receipt = told.id if _RECEIPT.fullmatch(told.id) else None
    spent = response.headers.get("x-ratelimit-remaining", "").strip() == "0"
    return Accepted(receipt=receipt, pause=_reset(response) if spent else None)


def _reset(response: Response) -> timedelta | None:
    found = _SPAN.fullmatch(response.headers.get("x-ratelimit-reset-after", "").strip())
    return timedelta(seconds=float(found[0])) if found else None


def _after(response: Response, told: _Told) -> timedelta | None:
    """Return the wait that a throttle asks for; the header is exact, the body may be older."""
    reset = _reset(response)
    if reset is not None:
        return reset
    wait = told.retry_after
    if wait is not None and 0.0 <= wait < 1e9:
        return timedelta(seconds=wait if wait <= _MOST_SECONDS else wait / 1000.0)
    return retry_after(response.headers, response.received_at)


def _read_refusal(response: Response, told: _Told) -> Acknowledgement:
    status, code = response.status, told.code
    if status == 400 and code == 50035:
        return TooRich(
            why=f"50035: {', '.join(_fields_named(told.errors)) or 'the message'}"
        )
    if code in _DECLINED:
        return Declined(why=f"{status} {code}: {_DECLINED[code]}")
    if code in _GONE:
        return Gone(why=f"{status} {code}: {_GONE[code]}")
    if status in _GONE_STATUSES:
        if response.body.lstrip().startswith(b"<"):
            return Unclear(
                hint="a page answered, not Discord: a proxy, or a ban of our address"
            )
        return Gone(why=f"{status}: {_GONE_STATUSES[status]}")
    return Unclear()


def _fields_named(errors: object, path: str = "", depth: int = 8) -> Sequence[str]:
    """Return the fields that the tree of errors names, such as `embeds.0.title`; a few of them."""
    if not isinstance(errors, dict) or depth == 0:
        return []
    if "_errors" in errors:
        return [path]
    named: list[str] = []
    for key, below in list(errors.items())[:10]:
        word = re.sub(r"[^\w-]", "", str(key))[:40]
        named += _fields_named(below, f"{path}.{word}" if path else word, depth - 1)
    return named[:5]


# How a card is dressed (RECEIVERS, section 1.3)


_EMPTY: Part = {"content": None, "embeds": []}


def _payload(shown: Card, form: Form) -> Part:
    """Return what posts and edits have in common."""
    if form is Form.TEXT:
        payload: Part = {"content": _line(shown)}
    else:
        payload = _first_link(shown) | {"embeds": [_embed(shown, full=form is Form.FULL)]}
    payload["allowed_mentions"] = {"parse": []}
    return payload


def _embed(shown: Card, *, full: bool) -> Part:
    fields = [_fact(name, value) for name, value in shown.facts]
    if full:
        fields += [_field(name, value, _FACT) for name, value in shown.metadata]
    embed: Part = {
        "title": _escaped(on_one_line(shown.title), Format.MOST["title"]),
        "color": int(shown.colour, 16),
        "fields": fields,
        "footer": {"text": cut(f"id {shown.id}", _FOOTER)},
    }
    if shown.occurred_at is not None:
        embed["timestamp"] = rfc3339(shown.occurred_at)
    if full and shown.preview is not None and _short_enough(shown.preview.url):
        embed["image"] = {"url": shown.preview.url}
    description = _description(shown, _room(embed))
    return embed | ({"description": description} if description else {})


def _short_enough(url: str) -> bool:
    return utf16(url) <= Format.MOST["url"]


def _fact(name: str, value: str) -> Part:
    if name == "Reason":
        return _field(name, value, Format.MOST["value"], inline=False)
    return _field(name, value, _FACT)


def _field(name: str, value: str, limit: int, *, inline: bool = True) -> Part:
    """Return a field; Discord refuses an empty one."""
    return {
        "name": _escaped(on_one_line(name), _LABEL) or "-",
        "value": _escaped(value.strip(), limit) or "-",
        "inline": inline,
    }


def _room(embed: Part) -> int:
    """Return what the other texts of an embed leave for its description."""
    texts = [embed["title"], embed["footer"]["text"]]
    texts += [text for field in embed["fields"] for text in (field["name"], field["value"])]
    used = sum(map(utf16, texts))
    return min(Format.MOST["description"], Format.MOST["embeds together"] - used)


def _description(shown: Card, room: int) -> str:
    """Return the links that fit, and until when they live in the reader's own time."""
    end = "" if shown.expires_at is None else f"Links expire {_date(shown.expires_at)}"
    left = room - utf16(end) - _LINE - len("\n\n")
    links = fitting(shown, left, lambda link: utf16(_linked(link)) + 1)
    more = missing(shown, len(links))
    lines = [_linked(link) for link in links]
    lines += [_escaped(more, _LINE)] if more else []
    return "\n".join([*lines, end] if end and links else lines)


def _linked(link: Link) -> str:
    return f"[{_escaped(link.label, _LABEL)}]({_address(link.url)})"


def _address(url: str) -> str:
    return url.replace("(", "%28").replace(")", "%29")


def _date(moment: datetime) -> str:
    return f"<t:{int(moment.timestamp())}:f>"


def _first_link(shown: Card) -> Part:
    """Return the first link as `content`: Discord shows what it leads to below it."""
    first = _first(shown, Format.MOST["content"])
    return {"content": first[0].url} if first else {}


def _first(shown: Card, room: int) -> Sequence[Link]:
    return fitting(shown, room, lambda link: utf16(link.url), most=1)


def _line(shown: Card) -> str:
    line = _escaped(on_one_line(shown.summary), _LINE)
    room = Format.MOST["content"] - utf16(line) - len(", ")
    first = _first(shown, room)
    return f"{line}, {first[0].url}" if first else line


# How text is made harmless


def _escaped(text: str, limit: int) -> str:
    """Return text that is shown as it is and names nobody, within the limit as sent."""
    return dressed(text, limit, markdown)
