"""Examples: one message of every kind, for whoever wants to see a format before it is used.

They hold what breaks a body that was written without care: quotes, line breaks, wide characters.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid5

from bridge.core.delivering.alerts import Cause, alert
from bridge.core.delivering.delivery import Condition
from bridge.core.event import Event, envelope, event_id
from bridge.core.ladder import State
from bridge.core.looking import Failure, Output
from bridge.core.message import Message
from bridge.core.text.jsontext import encode

MOMENT = datetime(2026, 11, 21, 8, 30, 0, 123000, tzinfo=UTC)
"""When the examples happened, unless it is said."""

RECEIPT = "1001"
"""What names an imagined message, at every receiver whose messages can be edited."""

_WATCH = UUID("3d1b3ad4-1c4f-5c52-9a4e-6f4b8f2f6a10")
_GENERATION = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"


def example(
    kind: str,
    *,
    now: datetime = MOMENT,
    message_id: UUID | None = None,
    source: str = "luma",
    webhook: str = "studio",
) -> Message:
    """Return the message of a type (`generation.completed`, `webhook.disabled` …).

    Its id is the same for a type, unless one is given. `source` is that of the generation,
    `webhook` the one that operational events tell of. Raises KeyError for an unknown type.
    """
    if kind in _NOTICES:
        told = alert(replace(_NOTICES[kind](now), webhook=webhook), to=0, now=now)
        return replace(told.message, id=message_id or uuid5(_WATCH, kind))
    event = replace(_EVENTS[kind](now), source=source)
    return Message(
        id=message_id or event_id(_WATCH, event.tag),
        body=envelope(event),
        raw=_document(event),
    )


def example_options(plugin: type) -> Mapping[str, Any]:
    """Return values for the options of a plugin that have no default, to make one without a file.

    A field says with the metadata `{"example": …}` what fits it.
    """
    return {
        option.name: option.metadata.get("example", "example")
        for option in fields(plugin)
        if option.default is MISSING and option.default_factory is MISSING
    }


# A generation, step by step


def _at(now: datetime, state: State, sequence: int, **told: Any) -> Event:  # noqa: ANN401  (fields of an event)
    """Return an event of the one generation that all examples are about."""
    facts: dict[str, Any] = {
        "tag": state.word,
        "native_state": state.word,
        "previous_state": (None, State.QUEUED, State.DREAMING)[sequence],
        "observed_at": now - timedelta(milliseconds=133),
    }
    return Event(
        occurred_at=now,
        source="luma",
        provider="luma-agents",
        generation_id=_GENERATION,
        state=state,
        created_at=now - timedelta(seconds=59),
        metadata={"order": 1042, "customer": 'Zoë "Zo" <zoe@example.com>'},
        sequence=sequence,
        **facts | told,
    )


def _completed(now: datetime) -> Event:
    later = now + timedelta(hours=1)
    video = "https://cdn.example/video.mp4?a=1&b=2"
    preview = "https://cdn.example/preview.png"
    outputs = (
        Output(type="video", url=video, expires_at=later),
        Output(type="image", url=preview, role="preview", expires_at=later),
    )
    return _at(now, State.COMPLETED, 2, progress=1.0, outputs=outputs)


def _failed(now: datetime) -> Event:
    failure = Failure(code="moderated", reason='The prompt says "no".\nTry another one.')
    return _at(now, State.FAILED, 2, failure=failure)


def _silent(now: datetime, tag: str, hours: float) -> Event:
    """Return the event of a generation that was last seen some hours ago."""
    seen = now - timedelta(hours=hours)
    return _at(now, State.DREAMING, 2, tag=tag, progress=0.42, observed_at=seen)


_EVENTS: Mapping[str, Callable[[datetime], Event]] = {
    "generation.queued": lambda now: _at(now, State.QUEUED, 0),
    "generation.dreaming": lambda now: _at(now, State.DREAMING, 1, progress=0.42),
    "generation.completed": _completed,
    "generation.failed": _failed,
    "generation.stalled": lambda now: _silent(now, "stalled", 0.5),
    "generation.lost": lambda now: _silent(now, "lost", 24),
}


def _document(event: Event) -> bytes | None:
    """Return what the provider said; where it said nothing new, there is nothing."""
    if event.tag != event.native_state:
        return None
    return encode({"id": event.generation_id, "state": event.native_state})


# What happened to a webhook


def _trouble(kind: str, now: datetime, hours: int, **told: Any) -> Cause:  # noqa: ANN401  (fields of a cause)
    """Return the cause of an operational event: a webhook in trouble for some hours."""
    off = kind == "webhook.disabled"
    facts: dict[str, Any] = {
        "since": now - timedelta(hours=hours),
        "failures": 12 + hours,
        "reason": 'it answered 500: "later"',
    }
    return Cause(
        type=kind,
        key="name:studio",
        webhook="studio",
        streak=1,
        condition=Condition.DISABLED if off else Condition.ACTIVE,
        **facts | told,
    )


_NOTICES: Mapping[str, Callable[[datetime], Cause]] = {
    "webhook.failing": lambda now: _trouble("webhook.failing", now, 60, share=50),
    "webhook.disabled": lambda now: _trouble("webhook.disabled", now, 120, share=100),
    "webhook.recovered": lambda now: _trouble("webhook.recovered", now, 72),
    "webhook.forbidden": lambda now: _trouble(
        "webhook.forbidden", now, 0, failures=1, reason="10.0.0.7 is a private address"
    ),
    "delivery.exhausted": lambda now: _trouble("delivery.exhausted", now, 76, count=1),
    "delivery.unrendered": lambda now: _trouble(
        "delivery.unrendered",
        now,
        0,
        since=None,
        failures=0,
        reason="the body cannot be rendered: UndefinedError; correct the format and reload",
    ),
}

GENERATIONS: Mapping[str, Message] = MappingProxyType({k: example(k) for k in _EVENTS})
"""Events of one generation by their types, in the order in which they may come."""

NOTICES: Mapping[str, Message] = MappingProxyType({k: example(k) for k in _NOTICES})
"""Operational events by their types."""
