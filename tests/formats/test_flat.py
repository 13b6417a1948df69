"""The flat body: every key always there, nothing nested."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.delivering.acknowledgement import (
    Acknowledgement,
    Throttled,
    TooRich,
    Unclear,
)
from bridge.core.event import read_envelope
from bridge.core.examples import NOTICES
from bridge.core.ladder import State
from bridge.core.looking import Failure, Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.formats.flat import Format
from tests.formats.events import COMPLETED, EVENTS, FOREIGN, ID, NOW, message

# RECEIVERS, section 1.3, to the letter.
KEYS = [
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
    "output_1_url",
    "output_2_url",
    "output_3_url",
    "output_4_url",
]


def flat(sent: Message, form: Form = Form.FULL) -> dict[str, object]:
    document: dict[str, object] = json.loads(Format().render(sent, form).body)
    return document


def test_the_example_has_every_key_in_order_and_its_values() -> None:
    assert list(flat(message(COMPLETED)).items()) == [
        ("event", "generation.completed"),
        ("event_id", str(ID)),
        ("occurred_at", "2026-11-21T08:30:00.123Z"),
        ("source", "luma"),
        ("provider", "luma-agents"),
        ("generation_id", "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"),
        ("state", "completed"),
        ("native_state", "completed"),
        ("previous_state", "dreaming"),
        ("skipped_states", ""),
        ("progress", 1.0),
        ("sequence", 2),
        ("created_at", "2026-11-21T08:29:01Z"),
        ("failure_code", ""),
        ("failure_reason", ""),
        ("output_count", 2),
        ("output_url", "https://cdn.example/video.mp4?a=1&b=2"),
        ("output_type", "video"),
        ("output_expires_at", "2026-11-21T09:30:00.123Z"),
        ("output_1_url", "https://cdn.example/video.mp4?a=1&b=2"),
        ("output_2_url", "https://cdn.example/preview.png"),
        ("output_3_url", ""),
        ("output_4_url", ""),
        ("metadata_order", 1042),
    ]


def test_a_failure_and_the_skipped_states_are_flat_too() -> None:
    failed = replace(
        COMPLETED,
        tag="failed",
        state=State.FAILED,
        skipped_states=(State.QUEUED, State.DREAMING),
        failure=Failure(code="moderated", reason=None),
    )
    values = flat(message(failed))
    assert values["failure_code"] == "moderated"
    assert values["failure_reason"] == ""
    assert values["skipped_states"] == "queued,dreaming"


def test_nested_metadata_becomes_json_text_and_numbers_survive() -> None:
    event = replace(
        COMPLETED, metadata={"a": {"b": [1, "é"]}, "c": 1.5, "d": None, "e": True}
    )
    values = flat(message(event))
    assert values["metadata_a"] == '{"b":[1,"\\u00e9"]}'
    assert (values["metadata_c"], values["metadata_d"], values["metadata_e"]) == (
        1.5,
        "",
        True,
    )


def test_the_link_by_itself_is_the_first_result() -> None:
    outputs = (
        Output(type="image", url="https://a.example/t", role="thumbnail"),
        Output(type="video", url="https://a.example/v"),
        *(Output(type="video", url=f"https://a.example/{n}") for n in range(5)),
    )
    values = flat(message(replace(COMPLETED, outputs=outputs)))
    assert values["output_url"] == "https://a.example/v"
    assert values["output_1_url"] == "https://a.example/t"
    assert values["output_count"] == 7


@given(EVENTS.map(message), st.sampled_from(Form))
def test_any_event_has_exactly_the_fixed_keys_and_its_metadata_and_no_nesting(
    sent: Message, form: Form
) -> None:
    body = Format().render(sent, form).body
    values = json.loads(body)
    extra = [f"metadata_{key}" for key in read_envelope(sent.body).metadata]
    whole = form is Form.FULL and len(sent.body) < 1_000_000
    assert list(values) == KEYS + (extra if whole else []) or len(sent.body) >= 1_000_000
    assert all(isinstance(value, str | int | float) for value in values.values())
    assert body.isascii()


@given(EVENTS.map(message))
def test_the_poorer_form_is_short_and_never_holds_half_a_link(sent: Message) -> None:
    full, poor = flat(sent), flat(sent, Form.COMPACT)
    for key, value in poor.items():
        assert len(str(value)) <= 1000
        if str(full[key]).startswith(("http://", "https://")):
            assert value in ("", full[key])


@given(FOREIGN)
def test_a_message_of_another_kind_still_has_every_key(foreign: Message) -> None:
    values = flat(foreign, Form.COMPACT)
    assert list(values) == KEYS
    assert values["event_id"] == str(ID)


def test_an_operational_event_names_its_webhook_and_the_reason() -> None:
    values = flat(NOTICES["webhook.failing"])
    assert values["event"] == "webhook.failing"
    assert values["occurred_at"] == "2026-11-21T08:30:00.123Z"
    assert values["metadata_webhook"] == "studio"
    assert values["failure_reason"]


@pytest.mark.parametrize(
    ("status", "body", "reading"),
    [
        (200, b"Accepted", Unclear()),
        (
            200,
            b'{"attempt":"1","id":"2","request_id":"3","status":"success"}',
            Unclear(hint="Zapier answers so even where no live Zap listens"),
        ),
        (204, b"", Unclear()),
        (410, b"", Unclear()),
        (429, b"", Unclear()),
        (413, b"", TooRich(why="the receiver takes no body of this size")),
        (400, b"", Unclear()),
        (404, b"", Unclear()),
        (
            404,
            b'{"message":"The requested webhook \\"x\\" is not registered."}',
            Unclear(hint="n8n does not know this webhook; activate the workflow"),
        ),
        (
            400,
            b"Queue is full",
            Throttled(
                why="the queue at Make is full; run the scenario more often",
                after=timedelta(seconds=9),
            ),
        ),
    ],
)
def test_the_answers_of_make_zapier_and_n8n_are_read(
    status: int, body: bytes, reading: Acknowledgement
) -> None:
    port: Port = Format()
    response = Response(
        status=status, body=body, headers={"retry-after": "9"}, received_at=NOW
    )
    assert port.read(response) == reading


def test_the_preset_rate_is_that_of_zapier() -> None:
    port: Port = Format()
    assert port.limits.rate == 30.0
    assert port.signed


def test_what_is_too_large_for_zapier_is_poorer_at_once() -> None:
    metadata = {f"k{n}": "x" * 60_000 for n in range(40)}
    sent = message(replace(COMPLETED, metadata=metadata))
    assert len(sent.body) > 2_000_000
    assert list(flat(sent)) == KEYS


def test_a_url_of_n8n_that_lives_for_one_call_is_named() -> None:
    (advice,) = Format().advice("https://n8n.example/webhook-test/9b?x=y")
    assert "/webhook-test/" in advice
    assert Format().advice("https://n8n.example/webhook/9b") == ()
