"""PagerDuty's Events API v2: what went wrong opens an incident, a good end closes it.

The webhook's URL is `https://events.pagerduty.com/v2/enqueue`; the key of the integration goes
in the body. Queued and dreaming are no incidents: of them there is nothing to say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias
from urllib.parse import urlsplit

import msgspec

from bridge.core.card import Card, Link, card
from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    Declined,
    Throttled,
    TooRich,
    Unclear,
)
from bridge.core.fitting import dressed, fitting, missing, nobody_named, on_one_line
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.network.retry_after import retry_after
from bridge.core.ports import Form, Limits, Rendered
from bridge.core.text.clocktext import rfc3339
from bridge.core.text.cutting import utf16
from bridge.core.text.jsontext import encode

Incident: TypeAlias = dict[str, Any]

_BODY = 512 * 1024
_SUMMARY = 512
_NAME = 255
_VALUE = 2_000
_LABEL = 200
_LINKS = 60_000
_IMAGE = 10_000

_PAUSE = timedelta(minutes=2)
"""PagerDuty asks for minutes after a 429 and after its own failures, and sends no Retry-After."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Opens and closes incidents of a service. `routing_key` is the secret of the integration."""

    routing_key: str = field(repr=False, metadata={"example": "R" * 32})

    MOST: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"summary": 1_024, "dedup_key": 255}
    )
    """Characters that are taken."""

    @property
    def limits(self) -> Limits:
        """PagerDuty takes 512 KB; one a second is well within what it takes."""
        return Limits(body=_BODY, rate=1.0)

    @property
    def signed(self) -> bool:
        """Nobody verifies it."""
        return False

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered | None:
        """Return the event; None: this message neither opens nor closes an incident."""
        told = _told(message)
        severity = _SEVERITIES.get(told.kind)
        if severity is None and told.kind not in _RESOLVES:
            return None
        incident: Incident = {
            "routing_key": self.routing_key,
            "event_action": "trigger" if severity else "resolve",
            "dedup_key": _key(told),
        }
        if severity:
            shown = card(message)
            payload = _payload(shown, told, severity, form)
            incident |= {"payload": payload, "client": "genbridge"} | _beside(shown, form)
        return Rendered(body=encode(incident))

    def read(self, response: Response) -> Acknowledgement:
        """Return what PagerDuty means: it says it with the status."""
        status = response.status
        if status == 202:
            return Accepted()
        if status == 429 or 500 <= status <= 599:
            asked = retry_after(response.headers, response.received_at)
            return Throttled(why="PagerDuty wants minutes of rest", after=asked or _PAUSE)
        if status == 413:
            return TooRich(why="413: PagerDuty takes 512 KB")
        if status == 400:
            return Declined(
                why="400: PagerDuty does not take this event; check routing_key"
            )
        return Unclear()

    def advice(self, url: str) -> tuple[str, ...]:
        """Return that PagerDuty takes events at one address."""
        parts = urlsplit(url)
        at_pagerduty = (parts.hostname or "").endswith(".pagerduty.com")
        return (_ENQUEUE,) if at_pagerduty and parts.path != "/v2/enqueue" else ()


_ENQUEUE = "PagerDuty takes events at https://events.pagerduty.com/v2/enqueue"


# What opens an incident, and what closes the same one


_SEVERITIES = {
    "generation.failed": "error",
    "generation.lost": "error",
    "generation.stalled": "warning",
    "webhook.failing": "warning",
    "webhook.disabled": "error",
    "webhook.forbidden": "error",
    "delivery.exhausted": "error",
    "delivery.unrendered": "error",
}
_RESOLVES = frozenset({"generation.completed", "webhook.recovered"})


class _About(msgspec.Struct):
    source: str = ""
    generation_id: str = ""
    webhook: str = ""


class _Told(msgspec.Struct):
    type: str = ""
    data: _About = msgspec.field(default_factory=_About)

    @property
    def kind(self) -> str:
        """The type without a number behind it: `generation.stalled`."""
        return self.type.partition(":")[0]


_TOLD = msgspec.json.Decoder(_Told)


def _told(message: Message) -> _Told:
    try:
        return _TOLD.decode(message.body)
    except (ValueError, RecursionError):
        return _Told()


def _key(told: _Told) -> str:
    """Return what PagerDuty knows an incident by; recovery does not bring back what was lost."""
    about = told.data
    if not told.kind.startswith("generation."):
        room, _, what = told.kind.partition(".")
        key = f"webhook/{about.webhook}" + (f"/{what}" if room == "delivery" else "")
    else:
        key = f"{about.source}/{about.generation_id}"
    return (
        key if utf16(key) <= Format.MOST["dedup_key"] else sha256(encode(key)).hexdigest()
    )


# How a card is dressed (RECEIVERS, section 1.3)


def _payload(shown: Card, told: _Told, severity: str, form: Form) -> Incident:
    links = fitting(shown, _SUMMARY, lambda link: utf16(link.url), most=1)
    line = _text(on_one_line(shown.summary), _SUMMARY - len(", "))
    told_link = [link.url for link in links] if form is Form.TEXT else []
    payload: Incident = {
        "summary": ", ".join([line, *told_link]),
        "source": _text(on_one_line(told.data.source or told.data.webhook), _NAME) or "-",
        "severity": severity,
        "class": told.kind,
    }
    if shown.occurred_at is not None:
        payload["timestamp"] = rfc3339(shown.occurred_at)
    if form is not Form.TEXT:
        payload["custom_details"] = _details(shown, full=form is Form.FULL)
    return payload


def _details(shown: Card, *, full: bool) -> Incident:
    details: Incident = dict(_values(shown.facts))
    if full and shown.metadata:
        details["metadata"] = dict(_values(shown.metadata))
    more = missing(shown, len(_links(shown)))
    if more:
        details["outputs"] = _text(more, _VALUE)
    return details | {"id": shown.id}


def _values(facts: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return (
        (_text(on_one_line(name), _LABEL), _text(value, _VALUE)) for name, value in facts
    )


def _links(shown: Card) -> tuple[Link, ...]:
    return fitting(shown, _LINKS, lambda link: len(encode(link.url)))


def _beside(shown: Card, form: Form) -> Incident:
    """Return links and the preview; pictures are shown only where they come over TLS."""
    if form is Form.TEXT:
        return {}
    links = [
        {"href": link.url, "text": _text(on_one_line(link.label), _LABEL)}
        for link in _links(shown)
    ]
    beside: Incident = {"links": links} if links else {}
    preview = shown.preview if form is Form.FULL else None
    if preview is not None and _is_showable(preview.url):
        beside["images"] = [{"src": preview.url, "alt": preview.label}]
    return beside


def _is_showable(url: str) -> bool:
    return url.startswith("https://") and utf16(url) <= _IMAGE


def _text(text: str, limit: int) -> str:
    return dressed(text, limit, nobody_named)
