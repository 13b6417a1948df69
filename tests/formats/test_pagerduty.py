"""PagerDuty: trouble opens an incident, a good end closes the same one, progress is none."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.card import card
from bridge.core.delivering.acknowledgement import (
    Accepted,
    Declined,
    Throttled,
    TooRich,
    Unclear,
)
from bridge.core.examples import GENERATIONS, NOTICES, example
from bridge.core.looking import Failure, Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.core.text.cutting import utf16
from bridge.formats.pagerduty import Format
from tests.formats.events import COMPLETED, FOREIGN, MESSAGES, NOW, message
from tests.formats.longest import FILLERS, longest

untimed = settings(deadline=None)

KEY = "R0UTINGKEYR0UTINGKEYR0UTINGKEY12"
SERVICE = Format(routing_key=KEY)
LUMA = "luma/182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
FAILED = replace(
    COMPLETED, tag="failed", failure=Failure(code="moderated", reason="not <this>")
)


def rendered(sent: Message, form: Form = Form.FULL) -> dict[str, Any] | None:
    done = SERVICE.render(sent, form)
    if done is None:
        return None
    assert done.body.isascii()
    assert len(done.body) <= 512 * 1024
    document: dict[str, Any] = json.loads(done.body)
    return document


def triggered(sent: Message, form: Form = Form.FULL) -> dict[str, Any]:
    document = rendered(sent, form)
    assert document is not None
    assert document["event_action"] == "trigger"
    return document


@pytest.mark.parametrize(
    ("kind", "action", "severity", "key"),
    [
        ("generation.queued", None, None, None),
        ("generation.dreaming", None, None, None),
        ("generation.completed", "resolve", None, LUMA),
        ("generation.failed", "trigger", "error", LUMA),
        ("generation.stalled", "trigger", "warning", LUMA),
        ("generation.lost", "trigger", "error", LUMA),
        ("webhook.failing", "trigger", "warning", "webhook/studio"),
        ("webhook.disabled", "trigger", "error", "webhook/studio"),
        ("webhook.forbidden", "trigger", "error", "webhook/studio"),
        ("webhook.recovered", "resolve", None, "webhook/studio"),
        ("delivery.exhausted", "trigger", "error", "webhook/studio/exhausted"),
        ("delivery.unrendered", "trigger", "error", "webhook/studio/unrendered"),
    ],
)
def test_every_kind_opens_or_closes_an_incident_or_is_none(
    kind: str, action: str | None, severity: str | None, key: str | None
) -> None:
    document = rendered(example(kind)) or {}
    assert document.get("event_action") == action
    assert document.get("payload", {}).get("severity") == severity
    assert document.get("dedup_key") == key


def test_no_example_is_forgotten() -> None:
    assert len([*GENERATIONS, *NOTICES]) == 12


def test_a_stalled_generation_is_an_incident_each_time_it_stalls() -> None:
    event = replace(COMPLETED, tag="stalled:2", outputs=())
    assert triggered(message(event))["dedup_key"] == LUMA


def check_message_is_within_the_limits(sent: Message, form: Form) -> None:
    document = rendered(sent, form)
    if document is None:
        return
    assert document["routing_key"] == KEY
    assert 1 <= utf16(document["dedup_key"]) <= 255
    payload = document.get("payload")
    assert (payload is not None) == (document["event_action"] == "trigger")
    if payload is not None:
        assert 1 <= utf16(payload["summary"]) <= 1024
        assert payload["source"]
        assert payload["severity"] in ("critical", "error", "warning", "info")


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_any_message_is_within_the_limits(sent: Message, form: Form) -> None:
    check_message_is_within_the_limits(sent, form)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("filler", FILLERS)
def test_everything_at_its_longest_is_within_the_limits(filler: str, form: Form) -> None:
    for sent in longest(filler):
        check_message_is_within_the_limits(sent, form)


@untimed
@given(MESSAGES, st.sampled_from(Form))
def test_every_link_is_one_of_the_message_and_whole(sent: Message, form: Form) -> None:
    document, shown = rendered(sent, form) or {}, card(sent)
    links = {link.url for link in shown.links}
    assert {link["href"] for link in document.get("links", [])} <= links
    for image in document.get("images", []):
        assert shown.preview is not None
        assert image["src"] == shown.preview.url
    summary = document.get("payload", {}).get("summary", "")
    for link in sorted(links, key=len, reverse=True):
        summary = summary.removesuffix(link)
    assert not re.search("@[^\u200b]|@$", summary)


def test_the_example_looks_as_the_design_says() -> None:
    assert triggered(message(FAILED)) == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": LUMA,
        "payload": {
            "summary": "Failed: luma 182bd5e5, moderated: not <this>",
            "source": "luma",
            "severity": "error",
            "class": "generation.failed",
            "timestamp": "2026-11-21T08:30:00.123Z",
            "custom_details": {
                "Source": "luma",
                "Generation": "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
                "Code": "moderated",
                "Reason": "not <this>",
                "metadata": {"order": "1042"},
                "id": "9f0c3c9e",
            },
        },
        "client": "genbridge",
        "links": [
            {"href": "https://cdn.example/video.mp4?a=1&b=2", "text": "Open the video"},
            {"href": "https://cdn.example/preview.png", "text": "Open the preview (image)"},
        ],
        "images": [{"src": "https://cdn.example/preview.png", "alt": "Preview"}],
    }


def test_closing_an_incident_takes_no_more_than_its_key() -> None:
    assert rendered(message(COMPLETED)) == {
        "routing_key": KEY,
        "event_action": "resolve",
        "dedup_key": LUMA,
    }


def test_the_poorer_forms_leave_out_image_and_metadata_then_all_but_a_line() -> None:
    compact = triggered(message(FAILED), Form.COMPACT)
    assert "images" not in compact
    assert "metadata" not in compact["payload"]["custom_details"]
    text = triggered(message(FAILED), Form.TEXT)
    assert "links" not in text
    assert text["payload"]["summary"] == (
        "Failed: luma 182bd5e5, moderated: not <this>, https://cdn.example/video.mp4?a=1&b=2"
    )


def test_a_long_id_still_opens_and_closes_the_same_incident() -> None:
    failed, completed, other = (
        rendered(message(replace(event, generation_id=id_)))
        for event, id_ in ((FAILED, "x" * 300), (COMPLETED, "x" * 300), (FAILED, "x" * 301))
    )
    assert failed is not None
    assert completed is not None
    assert other is not None
    assert failed["dedup_key"] == completed["dedup_key"] != other["dedup_key"]


def test_a_picture_without_tls_is_not_sent() -> None:
    output = Output(type="image", url="http://a.example/i.png")
    assert "images" not in triggered(message(replace(FAILED, outputs=(output,))))


@untimed
@given(FOREIGN)
def test_of_what_nobody_knows_nothing_is_said(foreign: Message) -> None:
    document = rendered(foreign)
    assert (document is not None) == (b'"webhook.disabled"' in foreign.body)


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(SERVICE)
    assert KEY not in repr(SERVICE.render(message(FAILED)))


# Answers: every row of RECEIVERS, section 1.4


def answer(status: int, **headers: str) -> Response:
    return Response(status=status, headers=headers, received_at=NOW)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (202, Accepted),
        (200, Unclear),
        (400, Declined),
        (404, Unclear),
        (413, TooRich),
        (429, Throttled),
        (500, Throttled),
        (503, Throttled),
        (599, Throttled),
    ],
)
def test_every_answer_of_pagerduty_is_read(status: int, kind: type) -> None:
    assert isinstance(SERVICE.read(answer(status)), kind)


@pytest.mark.parametrize("status", [429, 502])
def test_it_is_left_alone_for_minutes(status: int) -> None:
    found = SERVICE.read(answer(status))
    assert isinstance(found, Throttled)
    assert found.after == timedelta(minutes=2)
    found = SERVICE.read(answer(status, **{"retry-after": "600"}))
    assert isinstance(found, Throttled)
    assert found.after == timedelta(minutes=10)


def test_one_event_a_second_is_sent() -> None:
    port: Port = SERVICE
    assert port.limits.rate == 1.0
    assert port.limits.body == 512 * 1024
    assert not port.signed


def test_a_url_that_cannot_work_is_known_before() -> None:
    assert (
        len(
            SERVICE.advice(
                "https://events.pagerduty.com/generic/2010-04-15/create_event.json"
            )
        )
        == 1
    )
    assert SERVICE.advice("https://events.pagerduty.com/v2/enqueue") == ()
    assert SERVICE.advice("https://receiver.example/any/path") == ()
