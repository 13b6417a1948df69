"""A message: the stored envelope, and the provider's document put into it."""

import json
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.core.message import Message
from bridge.core.text.jsontext import RAW_LIMIT, encode

ID = UUID(int=7)
BODY = b'{"type":"generation.queued","data":{"sequence":0}}'
# What makes escapes fall on the cut: each of these is one or two characters longer in a string.
PIECES = st.lists(
    st.sampled_from(["a", '"', "\\", "é", "🎬", "\n", "\x01", "\x7f"]), min_size=1
)


def whole(raw: bytes | None) -> dict[str, object]:
    sent = Message(id=ID, body=BODY, raw=raw).whole()
    assert sent.isascii()
    document: dict[str, dict[str, object]] = json.loads(sent)
    return document["data"]


def test_the_document_becomes_the_last_key_of_data_as_it_was_written() -> None:
    sent = Message(id=ID, body=BODY, raw=b'{"a": 1.50}').whole()
    assert sent == b'{"type":"generation.queued","data":{"sequence":0,"raw":{"a": 1.50}}}'


@given(st.uuids())
def test_the_webhook_id_is_the_usual_text_of_the_id(uuid: UUID) -> None:
    assert Message(id=uuid, body=BODY).webhook_id == str(uuid)


def test_without_a_document_raw_is_null() -> None:
    assert whole(None) == {"sequence": 0, "raw": None}


def test_a_document_of_just_the_limit_is_whole() -> None:
    raw = encode("x" * (RAW_LIMIT - 2))
    assert len(raw) == RAW_LIMIT
    assert whole(raw) == {"sequence": 0, "raw": "x" * (RAW_LIMIT - 2)}


def test_a_document_one_byte_above_the_limit_is_cut_and_says_so() -> None:
    data = whole(encode("x" * (RAW_LIMIT - 1)))
    assert list(data) == ["sequence", "raw", "raw_truncated"]
    assert data["raw_truncated"] is True
    assert str(data["raw"]).startswith('"xxx')


@settings(max_examples=25)  # each works on half a megabyte
@given(PIECES, st.integers(0, 12))
@example(["\\"], 0)
@example(['"'], 1)
@example(["\x01"], 5)
def test_a_large_document_is_cut_to_its_beginning_close_below_the_limit(
    pieces: list[str], shift: int
) -> None:
    piece = "".join(pieces)
    raw = encode("y" * shift + piece * (RAW_LIMIT // len(piece) + 1))
    assert len(raw) > RAW_LIMIT
    sent = Message(id=ID, body=BODY, raw=raw).whole()
    beginning = json.loads(sent)["data"]["raw"]
    assert raw.decode().startswith(beginning)
    written = len(sent) - len(b',"raw":,"raw_truncated":true') - len(BODY)
    assert RAW_LIMIT - 6 < written <= RAW_LIMIT


@pytest.mark.parametrize("end", [b"\\", b'"', b"\\u00", b"\x01", b'\\\\"'])
def test_whatever_stands_at_the_cut_the_text_stays_whole(end: bytes) -> None:
    for shift in range(14):
        raw = b"z" * (RAW_LIMIT - 9 + shift) + end * 20
        assert raw.decode().startswith(str(whole(raw)["raw"]))


def test_a_message_does_not_show_what_it_holds() -> None:
    assert "generation" not in repr(Message(id=ID, body=BODY, raw=b"{}"))
