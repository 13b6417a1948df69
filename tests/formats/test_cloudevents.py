"""CloudEvents: both modes read by the official library, and the handshake by its headers alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event

from bridge.core.delivering.acknowledgement import (
    Accepted,
    Declined,
    Gone,
    Throttled,
    Unclear,
)
from bridge.core.examples import NOTICES
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Consent, Form, Greeter
from bridge.core.ports import Format as Port
from bridge.formats.cloudevents import Format
from tests.formats.events import COMPLETED, ID, NOW, message

STRUCTURED, BINARY = Format(), Format(mode="binary")
both_modes = pytest.mark.parametrize(
    "made", [STRUCTURED, BINARY], ids=["structured", "binary"]
)


def received(made: Format, sent: Message, form: Form = Form.FULL) -> BaseCloudEvent:
    """What the official library makes of a request."""
    rendered = made.render(sent, form)
    return from_http_event(HTTPMessage(headers=dict(rendered.headers), body=rendered.body))


@both_modes
def test_the_official_library_reads_the_event(made: Format) -> None:
    event = received(made, message(COMPLETED, b'{"id": 1.50}'))
    assert event.get_id() == str(ID)
    assert event.get_source() == "/genbridge/luma"
    assert event.get_type() == "generation.completed"
    assert event.get_specversion() == "1.0"
    assert event.get_subject() == COMPLETED.generation_id
    assert event.get_time() == datetime(2026, 11, 21, 8, 30, 0, 123000, tzinfo=UTC)
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("sequence") == "0000000002"
    assert event.get_extension("partitionkey") == f"luma/{COMPLETED.generation_id}"
    data = event.get_data()
    assert isinstance(data, dict)
    assert (data["state"], data["metadata"], data["raw"]) == (
        "completed",
        {"order": 1042},
        {"id": 1.5},
    )


@both_modes
def test_numbers_arrive_as_they_were_written(made: Format) -> None:
    assert b'"raw":{"id": 1.50}' in made.render(message(COMPLETED, b'{"id": 1.50}')).body


def test_the_content_type_tells_the_mode() -> None:
    assert STRUCTURED.render(message(COMPLETED)).headers == (
        ("content-type", "application/cloudevents+json"),
    )
    headers = dict(BINARY.render(message(COMPLETED)).headers)
    assert headers["content-type"] == "application/json"
    assert "ce-datacontenttype" not in headers


def test_what_no_header_can_hold_is_percent_encoded() -> None:
    event = replace(COMPLETED, source="lü ma", generation_id='a "b" 100% €')
    sent = message(event)
    headers = dict(BINARY.render(sent).headers)
    assert headers["ce-subject"] == "a%20%22b%22%20100%25%20%E2%82%AC"
    assert received(BINARY, sent).get_subject() == 'a "b" 100% €'
    assert received(BINARY, sent).get_source() == "/genbridge/l%C3%BC%20ma"


@both_modes
def test_what_is_too_large_loses_the_document_first(made: Format) -> None:
    raw = json.dumps({"x": "y" * 70_000}).encode()
    data = received(made, message(COMPLETED, raw)).get_data()
    assert isinstance(data, dict)
    assert "raw" not in data
    assert "metadata" not in data
    assert len(data["outputs"]) == 2


@both_modes
def test_the_text_form_says_who_and_what(made: Format) -> None:
    assert received(made, message(COMPLETED), Form.TEXT).get_data() == {
        "source": "luma",
        "generation_id": COMPLETED.generation_id,
        "summary": "Completed: luma 182bd5e5, 59 s",
    }


@both_modes
def test_an_operational_event_is_about_its_webhook(made: Format) -> None:
    event = received(made, NOTICES["webhook.disabled"])
    assert (event.get_type(), event.get_source(), event.get_subject()) == (
        "webhook.disabled",
        "/genbridge",
        "studio",
    )
    assert event.get_extension("sequence") is None


# Answers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Accepted),
        (201, Accepted),
        (202, Accepted),
        (204, Accepted),
        (429, Throttled),
        (415, Declined),
        (410, Gone),
        (203, Unclear),
        (400, Unclear),
        (404, Unclear),
        (413, Unclear),
        (500, Unclear),
    ],
)
def test_every_answer_is_read(status: int, kind: type) -> None:
    port: Port = STRUCTURED
    response = Response(status=status, headers={"retry-after": "30"}, received_at=NOW)
    found = port.read(response)
    assert isinstance(found, kind)
    if isinstance(found, Throttled):
        assert found.after == timedelta(seconds=30)


# The handshake


ASKING = Format(handshake=True)


def test_it_asks_only_where_that_is_switched_on() -> None:
    greeter: Greeter = ASKING
    assert isinstance(greeter, Greeter)
    assert STRUCTURED.greet("genbridge.example", 2.0) is None


@pytest.mark.parametrize(
    ("rate", "asked"), [(2.0, "120"), (0.5, "30"), (0.001, "1"), (None, "60000")]
)
def test_the_question_is_an_options_request_that_names_us(
    rate: float | None, asked: str
) -> None:
    question = ASKING.greet("genbridge.example", rate)
    assert question is not None
    assert (question.method, question.body) == ("OPTIONS", b"")
    assert dict(question.headers) == {
        "webhook-request-origin": "genbridge.example",
        "webhook-request-rate": asked,
    }


@pytest.mark.parametrize("status", [200, 204, 405, 500])
@pytest.mark.parametrize(
    ("origin", "rate", "granted", "a_second"),
    [
        ("genbridge.example", "120", True, 2.0),
        ("GENBRIDGE.example", "30", True, 0.5),
        ("*", "*", True, None),
        ("*", None, True, 1.0),
        ("*", "many", True, 1.0),
        ("*", "0", False, None),
        ("another.example", "120", False, None),
        ("", "120", False, None),
        (None, "120", False, None),
        (None, None, False, None),
    ],
)
def test_only_our_name_in_the_header_consents_never_a_status(
    status: int, origin: str | None, rate: str | None, granted: bool, a_second: float | None
) -> None:
    named = {"webhook-allowed-origin": origin, "webhook-allowed-rate": rate}
    headers = {name: value for name, value in named.items() if value is not None}
    response = Response(status=status, headers=headers, received_at=NOW)
    found: Consent = ASKING.consent(response, "genbridge.example")
    assert (found.granted, found.rate) == (granted, a_second)
    assert granted or found.why


def test_everybody_takes_64_kib_and_the_body_can_be_verified() -> None:
    port: Port = STRUCTURED
    assert (port.limits.body, port.limits.rate, port.signed) == (65_536, None, True)
