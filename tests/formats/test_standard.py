"""The standard body: the bytes as they were stored, in the order of DESIGN, section 5."""

import json

import pytest
from hypothesis import given

from bridge.core.delivering.acknowledgement import Unclear
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.formats.standard import Format
from tests.formats.events import COMPLETED, FOREIGN, NOW, message

BODY = (
    b'{"type":"generation.completed","timestamp":"2026-11-21T08:30:00.123Z",'
    b'"data":{"source":"luma","provider":"luma-agents",'
    b'"generation_id":"182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",'
    b'"state":"completed","native_state":"completed","previous_state":"dreaming",'
    b'"skipped_states":[],"observed_at":"2026-11-21T08:29:59.990Z",'
    b'"created_at":"2026-11-21T08:29:01Z","progress":1.0,"eta":null,'
    b'"outputs":[{"type":"video","url":"https://cdn.example/video.mp4?a=1&b=2","role":"result",'
    b'"needs_key":false,"expires_at":"2026-11-21T09:30:00.123Z"},'
    b'{"type":"image","url":"https://cdn.example/preview.png","role":"preview",'
    b'"needs_key":false,"expires_at":null}],'
    b'"failure":null,"metadata":{"order":1042},"sequence":2'
)


def test_the_body_has_the_keys_of_the_design_in_their_order() -> None:
    rendered = Format().render(message(COMPLETED, raw=b'{"id": 1.50}'))
    assert rendered.body == BODY + b',"raw":{"id": 1.50}}}'
    assert rendered.headers == (("content-type", "application/json"),)


def test_without_a_document_raw_is_null() -> None:
    assert Format().render(message(COMPLETED)).body == BODY + b',"raw":null}}'


@pytest.mark.parametrize(
    ("plain", "form"),
    [(Format(raw=False), Form.FULL), (Format(), Form.COMPACT), (Format(), Form.TEXT)],
)
def test_raw_false_and_the_poorer_forms_leave_the_document_out(
    plain: Format, form: Form
) -> None:
    assert plain.render(message(COMPLETED, raw=b"{}"), form).body == BODY + b"}}"


@given(FOREIGN)
def test_a_message_of_another_kind_is_sent_as_it_is(foreign: Message) -> None:
    assert Format(raw=False).render(foreign).body == foreign.body


@pytest.mark.parametrize("status", [200, 400, 410, 500])
def test_the_status_decides(status: int) -> None:
    port: Port = Format()
    assert port.read(Response(status=status, received_at=NOW)) == Unclear()
    assert port.signed
    assert port.limits.rate is None


def test_the_body_is_json_that_reads_back() -> None:
    document = json.loads(Format().render(message(COMPLETED, raw=b"[1]")).body)
    assert document["data"]["raw"] == [1]
    assert list(document) == ["type", "timestamp", "data"]
