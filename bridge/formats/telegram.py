"""Telegram's bots: text with entities beside it, so that nothing in the text can be markup.

The URL of the webhook ends with the bot's token (`https://api.telegram.org/bot123:ABC`); the call
is put behind it. Positions and lengths count UTF-16 units. Telegram looks for mentions and
commands in plain text by itself: what strangers wrote is `code`, in which it does not look.

A message is edited by a call of its own for each thing: the text, the caption below a file, or
the file with its caption. So a receipt tells whether the message has a file: `42`, `42:file`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias
from urllib.parse import urlsplit

import msgspec

from bridge.core.card import Card, card
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
from bridge.core.fitting import dressed, fitting, footer, missing, nobody_named, on_one_line
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.network.retry_after import retry_after
from bridge.core.ports import LIVE, Form, Limits, Rendered
from bridge.core.text.cutting import cut, utf16
from bridge.core.text.jsontext import encode

_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,63}")
_RECEIPT = re.compile(r"(?P<number>[0-9]{1,18})(?P<file>:file)?")
_FILES = frozenset({"animation", "audio", "document", "photo", "video"})
"""What a message of Telegram's has one of, where it has a caption instead of a text."""

_TITLE = 160
_FACT = 200
_REASON = 1_500
_LABEL = 60
_FILE = 2_000
_ADDRESSES = 8_000
"""Units of all links together: no limit is known, and they are no part of the text."""
_LEAST = 20
"""Units below which the beginning of a value says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Writes into a chat. The bot's token in the URL is the secret.

    `chat_id` is a number or `@channel`, `message_thread_id` a topic in a group. `live`: the
    progress of a generation is one message, which is edited.
    """

    chat_id: str = field(metadata={"example": "-1001234567890"})
    message_thread_id: int | None = None
    live: bool = field(default=False, metadata={"about": LIVE})

    MOST: ClassVar[Mapping[str, int]] = MappingProxyType({"text": 4_096, "caption": 1_024})
    """UTF-16 units that are taken."""

    def __post_init__(self) -> None:
        """Refuse what is no chat."""
        if not _CHAT.fullmatch(self.chat_id):
            raise ValueError("chat_id is a number such as -1001234567890, or @channel")

    @property
    def limits(self) -> Limits:
        """A chat takes a message a second, a group or a channel 20 a minute."""
        return Limits(rate=20 / 60 if self.chat_id[0] in "-@" else 1.0)

    @property
    def signed(self) -> bool:
        """Nobody verifies it."""
        return False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the call: a video or a picture with a caption where there is one, else text."""
        shown = card(message)
        file = _file(shown) if form is Form.FULL else None
        payload = {
            "chat_id": self.chat_id,
            "message_thread_id": self.message_thread_id,
            **({} if file is None else {file.kind: file.url}),
            **_words(shown, form, caption=file is not None),
            "disable_notification": shown.passing or None,
        }
        return _called("sendMessage" if file is None else file.call, payload)

    def edit(
        self, message: Message, receipt: str, form: Form = Form.FULL
    ) -> Rendered | None:
        """Return the call that fits what was posted: a file stays, and a text may get one."""
        posted = _RECEIPT.fullmatch(receipt)
        if posted is None:
            return None
        shown = card(message)
        file = _file(shown) if form is Form.FULL else None
        caption = file is not None or posted["file"] is not None
        words = _words(shown, form, caption=caption)
        named = {"chat_id": self.chat_id, "message_id": int(posted["number"])}
        if file is not None:
            media = {"type": file.kind, "media": file.url} | words
            return _called("editMessageMedia", named | {"media": _there(media)})
        return _called(
            "editMessageCaption" if caption else "editMessageText", named | words
        )

    def read(self, response: Response) -> Acknowledgement:
        """Return what Telegram means: it says it in JSON, with a sentence."""
        said = _said(response)
        if said.ok and response.status == 200:
            return Accepted(receipt=_receipt(said.result))
        if response.status == 429:
            return Throttled(why=_why(response, said), after=_asked(response, said))
        if response.status in _GONE:
            return Gone(why=f"{_why(response, said)}: {_GONE[response.status]}")
        if response.status == 400:
            return _read_refusal(response, said)
        if response.status == 200:
            return Unconfirmed(why="a success, but without Telegram's `ok`; check url")
        return Unclear(hint=said.description or None)

    def advice(self, url: str) -> tuple[str, ...]:
        """Return that the call is put behind the URL: it must not stand there already."""
        parts = urlsplit(url)
        at_telegram = parts.hostname == "api.telegram.org"
        return (_CALL,) if at_telegram and not _BOT.fullmatch(parts.path) else ()


_BOT = re.compile(r"/bot[^/]+/?")
_CALL = "the URL ends with the bot's token (https://api.telegram.org/bot<token>), without a call"


# How an answer is read (RECEIVERS, section 1.4)


_GONE = {
    401: "the token in the URL is wrong or was revoked",
    403: "the bot was blocked, or is no member of the chat",
    404: "the URL ends in no token: https://api.telegram.org/bot<token>",
}
_UNCHANGED = re.compile(r"message is not modified", re.IGNORECASE)
_UNEDITABLE = re.compile(
    r"message (to edit not found|can't be edited|identifier is not specified)"
    r"|MESSAGE_(ID_INVALID|AUTHOR_REQUIRED|EDIT_TIME_EXPIRED)"
    r"|there is no (text|caption|media) in the message",
    re.IGNORECASE,
)
_FILE_REFUSED = re.compile(
    r"url|file|photo|video|media|image|web ?page|caption|too long|entit", re.IGNORECASE
)


class _Parameters(msgspec.Struct):
    retry_after: int | None = None
    migrate_to_chat_id: int | None = None


class _Answer(msgspec.Struct):
    ok: bool = False
    description: str = ""
    result: Any = None
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


_ANSWER = msgspec.json.Decoder(_Answer)


def _said(response: Response) -> _Answer:
    try:
        return _ANSWER.decode(response.body)
    except (ValueError, RecursionError):
        return _Answer()


def _receipt(result: object) -> str | None:
    """Return what names the message that Telegram shows; None: it shows none."""
    number = result.get("message_id") if isinstance(result, dict) else None
    if not isinstance(number, int) or not isinstance(result, dict):
        return None
    receipt = str(number) if _FILES.isdisjoint(result) else f"{number}:file"
    return receipt if _RECEIPT.fullmatch(receipt) else None


def _why(response: Response, said: _Answer) -> str:
    return f"{response.status} {cut(on_one_line(said.description), 200)}".rstrip()


def _asked(response: Response, said: _Answer) -> timedelta | None:
    seconds = said.parameters.retry_after
    if seconds is not None and 0 <= seconds <= 10**9:
        return timedelta(seconds=seconds)
    return retry_after(response.headers, response.received_at)


def _read_refusal(response: Response, said: _Answer) -> Acknowledgement:
    moved = said.parameters.migrate_to_chat_id
    if moved is not None:
        # Every later message would be refused alike: they are held until the option is right.
        return Gone(why=f"the group became a supergroup; set chat_id to {moved}")
    if _UNCHANGED.search(said.description):
        return Accepted()
    if _UNEDITABLE.search(said.description):
        return Uneditable(why=_why(response, said))
    if _FILE_REFUSED.search(said.description):
        return TooRich(why=_why(response, said))
    return Declined(why=f"{_why(response, said)}: Telegram does not take this message")


# What is sent along


@dataclass(frozen=True, slots=True)
class File:
    """A file that Telegram fetches itself, 20 MB at most, and the call that posts it."""

    call: str
    kind: str
    url: str


def _file(shown: Card) -> File | None:
    for call, kind, link in (
        ("sendVideo", "video", shown.video),
        ("sendPhoto", "photo", shown.preview),
    ):
        if link is not None and utf16(link.url) <= _FILE:
            return File(call, kind, link.url)
    return None


# What posts and edits have in common


Payload: TypeAlias = dict[str, object]


def _words(shown: Card, form: Form, *, caption: bool) -> Payload:
    """Return text and entities, as they are called; below a file there is less room."""
    room = Format.MOST["caption" if caption else "text"]
    lines = _one_line(shown, room) if form is Form.TEXT else _lines(shown, form, room)
    text, entities = _laid(lines)
    if caption:
        return {"caption": text, "caption_entities": entities or None}
    return {
        "text": text,
        "entities": entities or None,
        "link_preview_options": {"is_disabled": True},
    }


def _called(call: str, payload: Payload) -> Rendered:
    return Rendered(body=encode(_there(payload)), path=f"/{call}")


def _there(payload: Payload) -> Payload:
    return {name: value for name, value in payload.items() if value is not None}


# How a card is dressed (RECEIVERS, section 1.3)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line; `kind` is a type of entity, empty: plain."""

    text: str
    kind: str = ""
    url: str = ""


Line: TypeAlias = tuple[Span, ...]

# Telegram's text has no colours.
_DOTS = {"1565C0": "🔵", "2E7D32": "🟢", "C62828": "🔴", "F9A825": "🟡"}


def _lines(shown: Card, form: Form, room: int) -> list[Line]:
    """Return the lines that fit; title, links and footer come first where there is little room."""
    name = _value(on_one_line(shown.title), _TITLE)
    title: Line = Span(f"{_DOTS.get(shown.colour, '⚪')} "), Span(name, "bold")
    end = [*_links(shown), (Span(" · ".join(footer(shown))),)]
    room -= sum(_length(line) for line in (title, *end))
    facts = list(_fitting(_facts(shown.facts), room))
    room -= sum(map(_length, facts))
    more = shown.metadata if form is Form.FULL else ()
    return [title, *facts, *_fitting(_metadata(more), room), *end]


def _length(line: Line) -> int:
    return sum(utf16(span.text) for span in line) + len("\n")


def _facts(facts: Sequence[tuple[str, str]]) -> Iterator[Line]:
    for name, value in facts:
        yield Span(f"{name}: "), Span(value, "code")


def _metadata(metadata: Sequence[tuple[str, str]]) -> Iterator[Line]:
    for name, value in metadata:
        yield (Span(f"{cut(on_one_line(name), _LABEL)}: {value}", "code"),)


def _fitting(lines: Iterable[Line], room: int) -> Iterator[Line]:
    """Yield the lines while there is room, each with its last piece cut to what is left."""
    for *before, last in lines:
        left = room - _length(tuple(before))
        if left < _LEAST:
            return
        most = _REASON if before and before[0].text == "Reason: " else _FACT
        line = (*before, Span(_value(last.text, min(left, most)), last.kind))
        room -= _length(line)
        yield line


def _links(shown: Card) -> list[Line]:
    links = fitting(shown, _ADDRESSES, lambda link: utf16(link.url))
    lines: list[Line] = [
        (Span(_value(on_one_line(link.label), _LABEL), "text_link", link.url),)
        for link in links
    ]
    more = missing(shown, len(links))
    return [*lines, (Span(_value(more, _FACT), "code"),)] if more else lines


def _one_line(shown: Card, room: int) -> list[Line]:
    line = _value(on_one_line(shown.summary), _TITLE + _FACT)
    left = room - utf16(line) - len(", ")
    links = fitting(shown, left, lambda link: utf16(link.url), most=1)
    return [(Span(line, "code"), *(Span(f", {link.url}") for link in links))]


def _value(text: str, limit: int) -> str:
    return dressed(text, limit, nobody_named)


def _laid(lines: Sequence[Line]) -> tuple[str, list[dict[str, object]]]:
    """Return the text of the lines, and where in it the entities stand."""
    entities: list[dict[str, object]] = []
    text, at = "", 0
    for number, line in enumerate(lines):
        for span in (Span("\n"), *line) if number else line:
            length = utf16(span.text)
            if span.kind and length:
                address = {"url": span.url} if span.url else {}
                entities.append(
                    {"type": span.kind, "offset": at, "length": length} | address
                )
            text, at = text + span.text, at + length
    return text, entities
