"""An event: its envelope says all of it in a fixed order, and reads back."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.event import Event, envelope, event_id, read_envelope
from bridge.core.looking import Failure
from bridge.core.text.jsontext import tidy
from tests.formats.events import COMPLETED, EVENTS, NOW

WATCH = UUID("00000000-0000-4000-8000-000000000001")


def cut(moment: datetime | None) -> datetime | None:
    """Return a moment without what is below a millisecond."""
    if moment is None:
        return None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def as_stored(event: Event) -> Event:
    """Return what an envelope keeps of an event."""
    outputs = tuple(
        replace(o, type=tidy(o.type), url=tidy(o.url), expires_at=cut(o.expires_at))
        for o in event.outputs
    )
    failure = event.failure and Failure(
        code=tidy(event.failure.code), reason=tidy(event.failure.reason)
    )
    return replace(
        event,
        occurred_at=cut(event.occurred_at) or NOW,
        observed_at=cut(event.observed_at),
        created_at=cut(event.created_at),
        source=tidy(event.source),
        provider=tidy(event.provider),
        generation_id=tidy(event.generation_id),
        native_state=tidy(event.native_state),
        outputs=outputs,
        failure=failure,
        metadata=tidy(event.metadata),
    )


@given(EVENTS)
def test_an_event_reads_back_from_its_envelope(event: Event) -> None:
    assert read_envelope(envelope(event)) == as_stored(event)


@given(EVENTS)
def test_an_envelope_is_ascii_and_ends_with_the_braces_of_data_and_of_itself(
    event: Event,
) -> None:
    body = envelope(event)
    assert body.isascii()
    assert body.endswith(b'"sequence":%d}}' % event.sequence)


@given(EVENTS)
def test_the_order_of_the_keys_is_fixed(event: Event) -> None:
    document: dict[str, Any] = json.loads(envelope(event))
    assert list(document) == ["type", "timestamp", "data"]
    assert list(document["data"]) == [
        "source",
        "provider",
        "generation_id",
        "state",
        "native_state",
        "previous_state",
        "skipped_states",
        "observed_at",
        "created_at",
        "progress",
        "eta",
        "outputs",
        "failure",
        "metadata",
        "sequence",
    ]


def test_the_expected_times_are_written_and_read() -> None:
    event = replace(COMPLETED, eta={"completed": NOW + timedelta(minutes=1)})
    assert json.loads(envelope(event))["data"]["eta"] == {
        "completed": "2026-11-21T08:31:00.123Z"
    }
    assert read_envelope(envelope(event)) == event


def test_the_type_is_the_tag_of_a_generation() -> None:
    assert replace(COMPLETED, tag="stalled").type == "generation.stalled"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b'{"type":"webhook.disabled","timestamp":"2026-11-21T08:30:00Z","data":{}}',
        envelope(COMPLETED).replace(b'"state":"completed"', b'"state":"later"'),
    ],
)
def test_what_is_no_event_of_a_generation_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        read_envelope(body)


@given(st.uuids(), st.text(max_size=20), st.text(max_size=20))
def test_the_id_is_made_of_watch_and_tag_and_nothing_else(
    watch: UUID, one: str, other: str
) -> None:
    assert event_id(watch, one) == event_id(watch, one)
    assert (event_id(watch, one) == event_id(watch, other)) == (one == other)


def test_the_id_never_changes_between_versions() -> None:
    # uuidgen --sha1 --namespace 00000000-0000-4000-8000-000000000001 --name completed
    assert str(event_id(WATCH, "completed")) == "fbda44b6-c3e0-525b-ae61-bcc05cac95fb"
