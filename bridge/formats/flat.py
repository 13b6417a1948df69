"""One level of keys, for Zapier, Make and n8n: they map fields by name and know no nesting.

Every key is always there, an absent value is `""`: these tools learn the fields from one example.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bridge.core.delivering.acknowledgement import (
    Acknowledgement,
    Throttled,
    TooRich,
    Unclear,
)
from bridge.core.event import Event, read_envelope
from bridge.core.ladder import State
from bridge.core.looking import Failure, Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.network.retry_after import retry_after
from bridge.core.ports import Form, Limits, Rendered
from bridge.core.text.clocktext import rfc3339
from bridge.core.text.cutting import cut
from bridge.core.text.jsontext import encode

_URLS = 4
_MOST = 2_000_000
_FULL = re.compile(rb"queue (is )?full", re.IGNORECASE)
_ZAPIER = re.compile(rb'"request_id"|"attempt"')
_SHORT = 1000
"""Characters of a value in the poorer forms."""

_KEYS = (
    "event",
    "event_id",
    "occurred_at",
    "source",
    "provider",
    "generation_id",
    "state",
    "native_state",
    "previous_state",
    "skipped_states",
    "progress",
    "sequence",
    "created_at",
    "failure_code",
    "failure_reason",
    "output_count",
    "output_url",
    "output_type",
    "output_expires_at",
    *(f"output_{number}_url" for number in range(1, _URLS + 1)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Sends one flat object. Make and n8n can verify it, of Zapier's hooks only Catch Raw."""

    @property
    def limits(self) -> Limits:
        """The least of the three: Zapier's raw hook takes 2 MB; its rate is 10,000 in 5 min."""
        return Limits(body=_MOST, rate=30.0)

    @property
    def signed(self) -> bool:
        """Some receivers of it can verify."""
        return True

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the object; the poorer forms have no metadata and no long values.

        What is too large for some of these receivers goes out in a poorer form at once.
        """
        values = dict.fromkeys(_KEYS, "") | _values(message)
        if form is Form.FULL:
            body = encode(values)
            if len(body) <= _MOST:
                return Rendered(body=body)
        return Rendered(body=encode({key: _shortened(values[key]) for key in _KEYS}))

    def read(self, response: Response) -> Acknowledgement:
        """Return what is special about these receivers."""
        if response.status == 413:
            return TooRich(why="the receiver takes no body of this size")
        if response.status == 400 and _FULL.search(response.body):
            return Throttled(
                why="the queue at Make is full; run the scenario more often",
                after=_asked(response),
            )
        if response.status == 404 and b"not registered" in response.body.lower():
            return Unclear(hint="n8n does not know this webhook; activate the workflow")
        if response.status == 200 and _ZAPIER.search(response.body):
            return Unclear(hint="Zapier answers so even where no live Zap listens")
        return Unclear()

    def advice(self, url: str) -> tuple[str, ...]:
        """Return what a URL says of itself: some live for one call, some hide the headers."""
        parts = urlsplit(url)
        if "/webhook-test/" in parts.path:
            return (
                "n8n's /webhook-test/ lives for one call; use /webhook/ of an active workflow",
            )
        return ()


def _asked(response: Response) -> timedelta | None:
    return retry_after(response.headers, response.received_at)


def _values(message: Message) -> dict[str, object]:
    try:
        event = read_envelope(message.body)
    except (ValueError, RecursionError):
        return {"event_id": str(message.id)} | _notice(message.body)
    return {
        "event": event.type,
        "event_id": str(message.id),
        "occurred_at": rfc3339(event.occurred_at),
        **_generation(event),
        **_failure(event.failure),
        **_outputs(event.outputs),
        **_metadata(event.metadata),
    }


def _generation(event: Event) -> dict[str, object]:
    return {
        "source": event.source,
        "provider": event.provider,
        "generation_id": event.generation_id,
        "state": _word(event.state),
        "native_state": event.native_state or "",
        "previous_state": _word(event.previous_state),
        "skipped_states": ",".join(state.word for state in event.skipped_states),
        "progress": "" if event.progress is None else event.progress,
        "sequence": event.sequence,
        "created_at": rfc3339(event.created_at) or "",
    }


def _word(state: State | None) -> str:
    return "" if state is None else state.word


def _failure(failure: Failure | None) -> dict[str, object]:
    if failure is None:
        return {}
    return {"failure_code": failure.code, "failure_reason": failure.reason or ""}


def _outputs(outputs: tuple[Output, ...]) -> dict[str, object]:
    """Return the first result by itself, and the first links by their numbers."""
    values: dict[str, object] = {"output_count": len(outputs)}
    values |= {f"output_{i}_url": o.url for i, o in enumerate(outputs[:_URLS], start=1)}
    best = next((output for output in outputs if output.role == "result"), None)
    if best is not None:
        values["output_url"] = best.url
        values["output_type"] = best.type
        values["output_expires_at"] = rfc3339(best.expires_at) or ""
    return values


def _metadata(metadata: Mapping[str, Any]) -> dict[str, object]:
    return {f"metadata_{key}": _leaf(value) for key, value in metadata.items()}


def _leaf(value: object) -> object:
    if value is None:
        return ""
    return encode(value).decode("ascii") if isinstance(value, dict | list) else value


def _notice(body: bytes) -> dict[str, object]:
    """Return what can be said of a message that is no event of a generation.

    What an operational event tells of a webhook stands where else the metadata is.
    """
    try:
        notice = _NOTICE.decode(body)
    except (ValueError, RecursionError):
        return {}
    reason = notice.data.get("reason")
    return {
        "event": notice.type,
        "occurred_at": notice.timestamp,
        "failure_reason": reason if isinstance(reason, str) else "",
        **_metadata(notice.data),
    }


class _Notice(msgspec.Struct):
    type: str
    timestamp: str = ""
    data: dict[str, Any] = {}


_NOTICE = msgspec.json.Decoder(_Notice)


def _shortened(value: object) -> object:
    """Return a value cut where it is long; half a URL would open nothing."""
    if not isinstance(value, str) or len(value) <= _SHORT:
        return value
    return "" if value.startswith(("http://", "https://")) else cut(value, _SHORT)
