"""A card: what every chat format shows of a message, before it is dressed for one of them.

Ids, reasons, metadata and links come from strangers: the card makes them readable, and the format
puts them where they are no markup.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bridge.core.event import PROGRESS, Event, read_envelope
from bridge.core.ladder import State
from bridge.core.looking import Output
from bridge.core.message import Message
from bridge.core.notice import read_notice

MOST_LINKS = 5
MOST_METADATA = 6
"""Of a chat message (RECEIVERS, section 1.2)."""

_COLOURS = {
    "queued": "9E9E9E",
    "dreaming": "1565C0",
    "completed": "2E7D32",
    "failed": "C62828",
    "stalled": "F9A825",
    "lost": "F9A825",
}
PLAIN = "9E9E9E"
"""The colour of what has none of its own."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Control characters, and those that turn the direction of what follows them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BREAKS_A_LINK = re.compile(r'[\s\x00-\x20\x7f-\x9f<>"\\^`{}\ud800-\udfff]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that can be followed; `label` says what it opens."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What there is to show. `summary` is one line without the link, `facts` are name and value.

    `links` are at most five; `unlisted` counts the outputs beyond or that are no usable link.
    `command` shows the rest. `occurred_at` is None where the message does not say. `video` is a
    result that a receiver could play. `kind` is the type of the message, `colour` six hexadecimal
    digits.
    """

    title: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    links: tuple[Link, ...] = ()
    unlisted: int = 0
    preview: Link | None = None
    video: Link | None = None
    occurred_at: datetime | None = None
    expires_at: datetime | None = None
    command: str = ""
    kind: str = ""
    colour: str = PLAIN
    id: str

    @property
    def passing(self) -> bool:
        """Whether it only tells of progress: silent where the receiver can be."""
        return self.kind in PROGRESS


def card(message: Message) -> Card:
    """Return the card of a message; what is no event of a generation is told in one line."""
    short = str(message.id)[:8]
    try:
        event = read_envelope(message.body)
    except (ValueError, RecursionError):
        return _operational(message.body, short)
    title = (
        f"{_titled(event.tag)}: {readable(event.source)} {short_id(event.generation_id)}"
    )
    links = [_link(output) for output in event.outputs if _is_followable(output.url)]
    return Card(
        title=title,
        summary=", ".join([title, *_remarks(event)]),
        facts=tuple(_facts(event)),
        metadata=tuple(_metadata(event.metadata)),
        links=_numbered(links[:MOST_LINKS]),
        unlisted=len(event.outputs) - len(links[:MOST_LINKS]),
        preview=_preview(event.outputs),
        video=_video(event.outputs),
        occurred_at=event.occurred_at,
        expires_at=min((o.expires_at for o in event.outputs if o.expires_at), default=None),
        command=f"genbridge status {readable(event.source)} {readable(event.generation_id)}",
        kind=event.type,
        colour=_COLOURS.get(event.tag.partition(":")[0], PLAIN),
        id=short,
    )


def readable(text: str) -> str:
    """Return text without characters that cannot be seen; line breaks stay."""
    return _UNSEEN.sub("", text)


def short_id(generation_id: str) -> str:
    """Return what people tell generations apart by: a UUID's first digits, else the whole id."""
    if _UUID.fullmatch(generation_id):
        return generation_id[:8]
    return " ".join(readable(generation_id).split())


def _operational(body: bytes, short: str) -> Card:
    try:
        notice = read_notice(body)
    except (ValueError, RecursionError):
        return _unknown(body, short)
    title = " ".join(readable(notice.title).split())
    return Card(
        title=title,
        summary=", ".join(
            [title, *filter(None, [" ".join(readable(notice.reason).split())])]
        ),
        facts=tuple((name, readable(value)) for name, value in notice.facts),
        occurred_at=notice.occurred_at,
        command="genbridge deliveries --failed",
        kind=notice.type,
        colour=notice.colour,
        id=short,
    )


def _unknown(body: bytes, short: str) -> Card:
    title = "A message of genbridge"
    with suppress(ValueError, RecursionError):
        title = readable(_TYPE.decode(body).type).strip() or title
    return Card(title=title, summary=title, kind=title, id=short)


class _Type(msgspec.Struct):
    type: str


_TYPE = msgspec.json.Decoder(_Type)


def _titled(tag: str) -> str:
    return readable(tag).partition(":")[0].capitalize()


# What happened


def _remarks(event: Event) -> list[str]:
    """Return what the one line says after the generation's name."""
    if event.failure is not None:
        return [_joined(event.failure.code, event.failure.reason)]
    if event.tag == "lost":
        return [f"last seen {_last_state(event)}", "nothing more will come"]
    if event.state is State.COMPLETED:
        return [took] if (took := _took(event)) else []
    if event.tag == State.DREAMING.word and event.progress is not None:
        return [f"{event.progress:.0%}"]
    return [f"last seen {_last_state(event)}"] if _is_stalled(event) else []


def _facts(event: Event) -> list[tuple[str, str]]:
    facts = [("Source", event.source), ("Generation", event.generation_id)]
    if event.failure is not None:
        facts += [("Code", event.failure.code), ("Reason", event.failure.reason or "")]
    elif event.tag == "lost" or _is_stalled(event):
        facts.append(("Last state", _last_state(event)))
    elif event.state is State.COMPLETED:
        facts.append(("Took", _took(event) or ""))
    else:
        facts += [("Progress", _progress(event)), ("Expected", _expected(event))]
    return [(name, shown) for name, value in facts if (shown := readable(value).strip())]


def _progress(event: Event) -> str:
    return "" if event.progress is None else f"{event.progress:.0%}"


def _expected(event: Event) -> str:
    """Return when it will have gone on: half of those that came this far, and nine in ten."""
    spans = [
        _spoken((moment - event.occurred_at).total_seconds())
        for name in ("p50", "p90")
        if (moment := (event.eta or {}).get(name)) is not None
    ]
    return "" if len(spans) < 2 else f"in {spans[0]}, 9 of 10 within {spans[1]}"


def _is_stalled(event: Event) -> bool:
    return event.tag.partition(":")[0] == "stalled"


def _last_state(event: Event) -> str:
    if event.state is None:
        return "never"
    if event.observed_at is None:
        return event.state.word
    age = (event.occurred_at - event.observed_at).total_seconds()
    return f"{event.state.word}, {_spoken(age)} ago"


def _took(event: Event) -> str | None:
    if event.created_at is None:
        return None
    seconds = ((event.observed_at or event.occurred_at) - event.created_at).total_seconds()
    return _spoken(seconds) if seconds >= 0 else None


def _spoken(seconds: float) -> str:
    """Return a span for people: `59 s`, `12 min`, `3 h`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _joined(code: str, reason: str | None) -> str:
    return " ".join(readable(f"{code}: {reason}" if reason else code).split())


def _metadata(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the first entries that are one value each."""
    scalars = [(k, v) for k, v in metadata.items() if not isinstance(v, dict | list)]
    return [
        (readable(k).strip() or "-", readable(_scalar(v)).strip() or "-")
        for k, v in scalars[:MOST_METADATA]
    ]


def _scalar(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


# What was made


def _is_followable(url: str) -> bool:
    """Whether a URL is a plain web address; anything else is not put before people."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and not _BREAKS_A_LINK.search(url)
        and not _UNSEEN.search(url)
    )


def _link(output: Output) -> Link:
    thing = " ".join(readable(output.type).split()) or "file"
    what = thing if output.role == "result" else f"{readable(output.role)} ({thing})"
    needs = ", with the source's key" if output.needs_key else ""
    return Link(label=f"Open the {what}{needs}", url=output.url)


def _numbered(links: list[Link]) -> tuple[Link, ...]:
    labels = [link.label for link in links]
    return tuple(
        link
        if labels.count(link.label) == 1
        else Link(label=f"{link.label} {labels[:i].count(link.label) + 1}", url=link.url)
        for i, link in enumerate(links)
    )


def _preview(outputs: tuple[Output, ...]) -> Link | None:
    """Return the first image that a receiver could fetch: without a key, and no WebP."""
    for output in outputs:
        fetchable = output.type == "image" and not output.needs_key
        if fetchable and _is_followable(output.url) and not _is_webp(output.url):
            return Link(label="Preview", url=output.url)
    return None


def _video(outputs: tuple[Output, ...]) -> Link | None:
    """Return the first result that is an MP4 which can be fetched without a key."""
    for output in outputs:
        wanted = output.type == "video" and output.role == "result"
        fetchable = wanted and not output.needs_key and _is_followable(output.url)
        if fetchable and urlsplit(output.url).path.lower().endswith(".mp4"):
            return Link(label="Video", url=output.url)
    return None


def _is_webp(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(".webp")
