"""JSON as it is stored and sent: pure ASCII, whatever was put into it."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.core.text.jsontext import DEEPEST, encode, raw_text, tidy

ANY_CHARACTER = st.text(st.characters(codec=None, exclude_categories=()))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_CHARACTER,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(ANY_CHARACTER, inner, max_size=4)
    ),
)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@given(VALUES)
@example(["…", "é…\u2025", "\\u2026…"])
def test_any_value_becomes_ascii_json_of_the_tidied_value(value: object) -> None:
    text = encode(value)
    assert text.isascii()
    assert json.loads(text) == tidy(value)


def test_the_text_is_compact_and_wide_characters_are_escaped_as_json_does() -> None:
    assert encode({"a": ["é", "🎬", 1.0]}) == b'{"a":["\\u00e9","\\ud83c\\udfac",1.0]}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("\ud800", b'"\\ufffd"'),
        ({"\udfff": "é"}, b'{"\\ufffd":"\\u00e9"}'),
        ([math.nan, math.inf, -math.inf, 1.5], b"[null,null,null,1.5]"),
        (["\ud800", math.nan], b'["\\ufffd",null]'),
        (2**80, b"1208925819614629174706176"),
    ],
)
def test_what_json_cannot_hold_is_replaced(value: object, text: bytes) -> None:
    assert encode(value) == text


@pytest.mark.parametrize("depth", [1, 50, DEEPEST, 1_000, 50_000])
def test_no_depth_breaks_it(depth: int) -> None:
    text = encode(nested(depth))
    assert text.startswith(b"[" * min(depth, DEEPEST))
    assert json.loads(encode(["\ud800", nested(depth)]))[0] == "\ufffd"


def test_what_is_shallow_is_kept_whole_even_beside_a_lone_surrogate() -> None:
    value = nested(DEEPEST - 2)
    assert json.loads(encode([value, "\ud800"])) == [value, "\ufffd"]


@given(VALUES)
def test_a_document_without_its_text_is_encoded(value: object) -> None:
    assert raw_text(value) == encode(value)


def test_the_text_of_a_document_is_kept_as_it_was_written() -> None:
    text = b'\xef\xbb\xbf {"price": 1.50, "n": 12345678901234567890123} \n'
    assert raw_text({}, text) == b'{"price": 1.50, "n": 12345678901234567890123}'


@pytest.mark.parametrize(
    "text", ['{"a": "é"}'.encode(), b'{"a": "\\uD83D"}', b'"\\ud83c\\udfac"']
)
def test_a_text_that_is_not_ascii_or_names_surrogates_is_written_anew(text: bytes) -> None:
    document = json.loads(text)
    assert raw_text(document, text) == encode(document)
