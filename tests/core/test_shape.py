"""The shape of a document that does not match: keys and types, and nothing that is secret."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.looking import Trouble
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.reading import read_many, read_one
from bridge.core.reading.shape import LONGEST, shape
from bridge.core.reading.wordform import Words
from tests.providers.talking import answer

DIALECT = Dialect(words=Words.of({}), state=at("status"))
SECRET = "key_of_ours"

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=60,
)


@pytest.mark.parametrize(
    ("document", "looks"),
    [
        ({"id": "7", "n": 1, "ok": True, "x": None}, "{id: text, n: number, ok: boolean, x: null}"),
        ({"data": {"jobs": [{"url": "a"}, {"url": "b"}]}}, "{data: {jobs: [{url: text}]}}"),
        ([{"a": 1}, "b", {"a": 2}], "[{a: number} | text]"),
        ({"inCamels": [], "in_snakes": {}, "@t": 0.5}, "{inCamels: [], in_snakes: {}, @t: number}"),
        ({"p50": 1, "sha256": "x", "x:job": "y"}, "{p50: number, sha256: text, x:job: text}"),
    ],
)  # fmt: skip
def test_keys_and_types_are_told(document: Any, looks: str) -> None:
    assert shape(document) == looks


@pytest.mark.parametrize(
    "key",
    [
        "755f9bbb-d99b-4880-992b-f05244ddba61",
        "1743326750223591",
        "sk_live_51H8xLq9",
        "AKIAIOSFODNNEXAMPLE",
        "AKIAIOSFODNN7EXAMPLE",
        "sk-live-abcdefghij",
        "john.doe@example.com",
        "john@example",
        "eyJhbGciOiJIUzI1NiJ9",
        "qWeRtYuIoPaSdFgHjK",
        "someone@example.com or a whole sentence",
        "https://example.com/x",
        "żółć",
        "line\nbreak",
        "",
        f"x_{SECRET}",
    ],
)
def test_a_key_that_is_no_name_of_a_field_is_not_shown(key: str) -> None:
    assert shape({key: {"state": 1}}, secrets=[SECRET]) == "{…: {state: number}}"


def test_objects_that_are_keyed_by_ids_look_alike_whatever_the_ids() -> None:
    one = {f"755f9bbb-{n}": {"word": "x"} for n in range(20)}
    other = {f"f05244ddba61-{n}": {"word": "y"} for n in range(3)}

    assert shape(one) == shape(other) == "{…: {word: text}}"


def test_what_is_deep_or_wide_is_cut() -> None:
    deep: Any = 1
    for _ in range(150):
        deep = {"in": [deep]}
    wide = {f"key_{chr(97 + n % 26) * (1 + n // 26)}": n for n in range(300)}

    assert shape(deep) == "{in: [{in: [{in: [{…}]}]}]}"
    assert shape(wide).endswith(", …}")
    assert len(shape({"rows": [wide, {"also": wide}], "more": wide})) <= LONGEST


@given(document=documents)
def test_no_value_is_ever_in_it(document: Any) -> None:
    def other(value: Any) -> Any:
        match value:
            case dict():
                return {key: other(member) for key, member in value.items()}
            case list():
                return [other(entry) for entry in value]
            case bool() | None:
                return value
            case int() | float():
                return 4711
            case _:
                return "something else"

    looks = shape(document)
    assert looks == shape(other(document))
    assert looks.isprintable()
    assert len(looks) <= LONGEST


def test_an_answer_that_names_no_state_tells_how_it_looks() -> None:
    body = {"job": {"phase": "x-canary"}, f"{SECRET}": 1}

    read = read_one(answer(body), "7", DIALECT, secrets=[SECRET])

    assert isinstance(read, Trouble)
    assert read.malformed
    assert read.shape == "{job: {phase: text}, …: number}"


def test_of_a_list_without_the_asked_one_all_is_told() -> None:
    read = read_one(answer([{"job": 1}, {"job": 2}]), "7", DIALECT)

    assert isinstance(read, Trouble)
    assert read.shape == "[{job: number}]"


def test_a_batch_that_holds_nothing_to_read_tells_how_it_looks() -> None:
    read = read_many(answer({"rows": 3}), ["7"], DIALECT)

    assert isinstance(read, Trouble)
    assert (read.malformed, read.shape) == (True, "{rows: number}")


@pytest.mark.parametrize("body", [b"<html>", b"", json.dumps({"message": "no"}).encode()])
def test_a_page_nothing_and_an_error_document_have_no_shape(body: bytes) -> None:
    read = read_one(answer(body), "7", DIALECT)

    assert isinstance(read, Trouble)
    assert read.shape == ""
