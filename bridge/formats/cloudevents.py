"""CloudEvents 1.0 over HTTP, structured or binary, and the handshake of its webhook rules.

The data is `data` of the standard body, byte for byte. What may be lost on the way is lost first:
every receiver must take 64 KB, so the provider's document goes only along where it fits.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal, TypeAlias
from urllib.parse import quote

import msgspec

from bridge.core.card import card, readable
from bridge.core.delivering.acknowledgement import (
    Accepted,
    Acknowledgement,
    Declined,
    Gone,
    Throttled,
    Unclear,
)
from bridge.core.fitting import on_one_line
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.network.retry_after import retry_after
from bridge.core.ports import Consent, Form, Limits, Rendered
from bridge.core.text.cutting import cut
from bridge.core.text.jsontext import encode

Attributes: TypeAlias = dict[str, str]

_STRUCTURED = "application/cloudevents+json"
_JSON = "application/json"
_SUBJECT = 500
"""Characters of a subject: percent-encoded it must fit into a header."""

_SLOWLY = 1.0
"""Messages a second where a receiver has consented without saying how many it takes."""

_MANY = 60_000
"""Messages a minute that are asked for where the webhook has no rate of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Sends CloudEvents. In `mode: binary` the attributes are headers, which nobody signs.

    With `handshake: true` nothing is sent before the receiver has consented.
    """

    mode: Literal["structured", "binary"] = "structured"
    handshake: bool = False

    MOST: ClassVar[Mapping[str, int]] = MappingProxyType({"event": 64 * 1024})
    """Bytes that everybody on the way must take."""

    @property
    def limits(self) -> Limits:
        """What everybody must take; how many a second is what the handshake grants."""
        return Limits(body=self.MOST["event"])

    @property
    def signed(self) -> bool:
        """Every receiver can verify the body."""
        return True

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the event in that form, or in the richest poorer one that is small enough.

        The poorer forms have no document of the provider and no metadata, then only who and what.
        """
        attributes = _attributes(message)
        rendered = self._dressed(attributes, _data(message, form))
        if form.poorer is None or _size(rendered) <= self.MOST["event"]:
            return rendered
        return self.render(message, form.poorer)

    def _dressed(self, attributes: Attributes, data: bytes) -> Rendered:
        if self.mode == "binary":
            named = [
                (f"ce-{name}", _in_header(value)) for name, value in attributes.items()
            ]
            return Rendered(body=data, headers=(("content-type", _JSON), *named))
        head = encode({**attributes, "datacontenttype": _JSON})
        return Rendered(
            body=b'%b,"data":%b}' % (head[:-1], data),
            headers=(("content-type", _STRUCTURED),),
        )

    def read(self, response: Response) -> Acknowledgement:
        """Return what the webhook rules of CloudEvents say of a status."""
        return _read(response)

    # ------------------------------------------------------------------ the handshake

    def greet(self, origin: str, rate: float | None) -> Rendered | None:
        """Return the question whether we may send, and how many a minute; None: not asked."""
        if not self.handshake:
            return None
        a_minute = _MANY if rate is None else max(1, int(rate * 60))
        asked = (
            ("webhook-request-origin", origin),
            ("webhook-request-rate", str(a_minute)),
        )
        return Rendered(body=b"", headers=asked, method="OPTIONS")

    def consent(self, response: Response, origin: str) -> Consent:
        """Return what is granted. Never the status, only a header with our name consents."""
        allowed = response.headers.get("webhook-allowed-origin", "").strip()
        if allowed != "*" and allowed.lower() != origin.lower():
            return Consent(granted=False, why=_unnamed(response, origin))
        return _granted(response.headers.get("webhook-allowed-rate", "").strip())


def _unnamed(response: Response, origin: str) -> str:
    if "webhook-allowed-origin" in response.headers:
        return f"its WebHook-Allowed-Origin names neither {origin} nor *"
    return f"it answered {response.status} without WebHook-Allowed-Origin"


def _granted(rate: str) -> Consent:
    if rate == "*":
        return Consent(granted=True)
    if re.fullmatch(r"[0-9]{1,9}", rate) is None:
        why = "it does not say how many it takes (WebHook-Allowed-Rate)"
        return Consent(granted=True, rate=_SLOWLY, why=why)
    if int(rate) == 0:
        return Consent(granted=False, why="its WebHook-Allowed-Rate is 0")
    return Consent(granted=True, rate=int(rate) / 60)


# How an answer is read (RECEIVERS, section 1.4)


def _read(response: Response) -> Acknowledgement:
    match response.status:
        case 200 | 201 | 202 | 204:
            return Accepted()
        case 429:
            after = retry_after(response.headers, response.received_at)
            return Throttled(why="the receiver takes fewer events", after=after)
        case 415:
            return Declined(why="415: the receiver takes no CloudEvents of this mode")
        case 410:
            return Gone(why="410: the receiver is gone for good")
        case _:
            return Unclear()


# How an event is dressed (RECEIVERS, section 1.3)


class _Envelope(msgspec.Struct):
    type: str = ""
    timestamp: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Words(msgspec.Struct):
    """The parts of `data` that become attributes; every one may be missing."""

    source: Any = None
    generation_id: Any = None
    webhook: Any = None
    sequence: Any = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_WORDS = msgspec.json.Decoder(_Words)
_UNKNOWN = _Envelope(type="genbridge.message")


def _envelope(body: bytes) -> _Envelope:
    try:
        return _ENVELOPE.decode(body)
    except (ValueError, RecursionError):
        return _UNKNOWN


def _attributes(message: Message) -> Attributes:
    """Return the attributes; one that would be empty is left out, as the specification wants."""
    envelope = _envelope(message.body)
    words = _words(envelope)
    source, subject = (
        _text(words.source),
        _text(words.generation_id) or _text(words.webhook),
    )
    found = {
        "specversion": "1.0",
        "id": str(message.id),
        "source": f"/genbridge/{quote(source, safe='')}" if source else "/genbridge",
        "type": _text(envelope.type) or _UNKNOWN.type,
        "subject": subject,
        "time": envelope.timestamp if _TIME.fullmatch(envelope.timestamp) else "",
        "partitionkey": f"{source}/{subject}" if source and subject else subject,
        "sequence": f"{words.sequence:010}" if isinstance(words.sequence, int) else "",
    }
    return {name: value for name, value in found.items() if value}


def _words(envelope: _Envelope) -> _Words:
    try:
        return _WORDS.decode(envelope.data)
    except (ValueError, RecursionError):
        return _Words()


def _text(value: object) -> str:
    """Return a value as an attribute may hold it: no control characters, not too long."""
    if not isinstance(value, str):
        return ""
    return cut(_NO_CHARACTER.sub("", on_one_line(readable(value))), _SUBJECT)


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)

# The specification forbids them; controls and lone surrogates are gone before.
_NO_CHARACTER = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")


def _data(message: Message, form: Form) -> bytes:
    if form is Form.FULL:
        return bytes(_envelope(message.whole()).data)
    data = bytes(_envelope(message.body).data)
    if form is Form.COMPACT:
        return _without_metadata(data)
    shown, words = card(message), _words(_envelope(message.body))
    source, generation = _text(words.source), _text(words.generation_id)
    summary = cut(on_one_line(shown.summary), _SUBJECT)
    return encode({"source": source, "generation_id": generation, "summary": summary})


def _without_metadata(data: bytes) -> bytes:
    """Return the data without its metadata; every other value keeps its very bytes."""
    try:
        values = _PARTS.decode(data)
    except (ValueError, RecursionError):
        return data
    return encode({name: value for name, value in values.items() if name != "metadata"})


_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _size(rendered: Rendered) -> int:
    return len(rendered.body) + sum(
        len(name) + len(value) for name, value in rendered.headers
    )


def _in_header(value: str) -> str:
    """Return a value as the HTTP binding wants it: all but printable ASCII percent-encoded."""
    return quote(value, safe=_PRINTABLE)


_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
