import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.reading.document import Document, document
from bridge.core.text.jsontext import raw_text


@pytest.mark.parametrize(
    ("body", "value", "plain"),
    [
        (b'{"a": 1}', {"a": 1}, True),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}, True),
        (b" [1]\n", [1], True),
        (b'{"a": 1, "a": 2}', {"a": 2}, True),
        (b'{"a": "\\ud83c\\udfac"}', {"a": "\U0001f3ac"}, True),
        (b"[" + b"9" * 300 + b"]", [int("9" * 300)], False),
        (b'{"a": "\\ud800", "a": "\\udc00x"}', {"a": "\udc00x"}, False),
        (b'{"a": "\xff"}', {"a": "\ufffd"}, False),
        (b'{"a": "x\ny"}', {"a": "x\ny"}, False),
        (b"[NaN, 1e999, -Infinity]", [None, None, None], False),
        (b"[" + b"9" * 5000 + b"]", [None], False),
        ('{"a": 1}'.encode("utf-16"), {"a": 1}, False),
        (b"[" * 200 + b"]" * 200, None, True),
    ],
    ids=range(13),
)
def test_legal_oddities_are_read(body: bytes, value: object, plain: bool) -> None:
    found = document(body)

    assert isinstance(found, Document)
    assert found.plain or not plain
    assert value is None or found.value == value


def test_a_document_may_be_wide() -> None:
    found = document(b'[{"a": [1], "b": {}}' + b',{"a": [1]}' * 1_000 + b"]")

    assert isinstance(found, Document)
    assert len(found.value) == 1_001


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xef\xbb\xbf", "JSON"),
        (b"null", "no object"),
        (b"true", "no object"),
        (b"17", "no object"),
        (b'"completed"', "no object"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b'  <?xml version="1.0"?>', "HTML"),
        (b'{"state": "completed"', "cut"),
        (b'{"state": "completed"} trailing', "JSON"),
        (b"{'state': 'completed'}", "JSON"),
        (b"[" * 50_000, "JSON"),
        (b"[" * 50_000 + b"]" * 50_000, "JSON"),
        (b'{"a":' * 201 + b"1" + b"}" * 201, "deep"),
        (b"[" * 600 + b"]" * 600, "deep"),
        # Brackets in texts close none of the others.
        (b'{"a":' + b'["]",' * 300 + b"0" + b',"["]' * 300 + b"}", "deep"),
        (b'{"a":' + b'["\\"]",' * 300 + b"0" + b',"[\\""]' * 300 + b"}", "deep"),
    ],
    ids=range(18),
)
def test_what_is_no_document_is_said_to_be_none(body: bytes, why: str) -> None:
    found = document(body)

    assert not isinstance(found, Document)
    assert why in found.why


@given(st.binary(max_size=100) | st.text('[]{}",:1e\\ud80 ', max_size=60).map(str.encode))
def test_any_bytes_are_a_document_or_not_and_a_plain_text_can_be_stored(
    body: bytes,
) -> None:
    found = document(body)

    if isinstance(found, Document):
        json.loads(raw_text(found.value, body if found.plain else None))
