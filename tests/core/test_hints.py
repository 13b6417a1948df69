"""A hint: whatever a provider posts, its ids are found, and nobody can guess where to post."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.hints import (
    BODY_LIMIT,
    DIGITS,
    LONGEST,
    MOST,
    NODES,
    NOTHING,
    hint_token,
    hints_path,
    named,
    right,
)


@pytest.mark.parametrize(
    "document",
    [
        {"id": "g1", "status": "succeeded"},
        {"task_id": "g1"},
        {"taskId": "g1", "status": "SUCCESS"},
        {"request_id": "g1", "gateway_request_id": "other"},
        {"generation-id": "g1"},
        {"data": {"task_id": "g1", "task_status": "succeed"}},
        {"event": "done", "data": [{"taskUUID": "g1"}]},
        {"name": "g1", "done": True},
        {"payload": {"deep": {"deeper": {"id": "g1"}}}},
        [{"id": "g1"}],
    ],
)
def test_the_id_is_found_where_vendors_put_it(document: object) -> None:
    assert "g1" in named(json.dumps(document).encode()).keyed


def test_an_id_of_digits_may_be_a_number() -> None:
    assert named(b'{"id": 17322048, "progress": 55, "ok": true}').keyed == ("17322048",)


def test_texts_under_other_keys_come_behind_those_under_keys_for_ids() -> None:
    found = named(b'{"reference": "g1", "id": "job", "urls": ["https://a"]}')
    assert (found.keyed, found.others) == (("job",), ("g1", "https://a"))
    assert list(found) == ["job", "g1", "https://a"]


def test_a_form_is_read_too() -> None:
    body = urlencode({"id": "g1", "payload": '{"task_id": "g2"}', "x": "{"}).encode()
    assert named(body).keyed == ("g1", "g2")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": ',
        b"null",
        b"1e999",
        b"&".join([b"a=b"] * 500),
    ],
)
def test_what_names_nothing_is_no_hint(body: bytes) -> None:
    assert named(body) == NOTHING


def test_a_document_is_only_looked_at_so_far() -> None:
    wide = json.dumps([f"t{i}" for i in range(40_000)]).encode()
    assert len(list(named(wide))) == MOST
    buried: Any = [[0] * NODES, {"id": "g1"}]
    assert named(json.dumps(buried).encode()) == NOTHING
    assert named(json.dumps({"id": "x" * (LONGEST + 1)}).encode()) == NOTHING


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary(max_size=4096) | json_values.map(lambda one: json.dumps(one).encode()))
def test_any_bytes_name_a_bounded_number_of_possible_ids(body: bytes) -> None:
    found = list(named(body))
    assert len(found) == len(set(found)) <= MOST
    assert all(0 < len(one) <= LONGEST for one in found)


@given(st.text(min_size=1, max_size=100), json_values)
def test_an_id_under_a_known_key_is_found_whatever_stands_beside_it(
    id_: str, other: object
) -> None:
    body = json.dumps({"data": {"task_id": id_}, "other": other}).encode()
    if len(body) <= BODY_LIMIT and id_.isprintable():
        assert id_ in list(named(body))


def test_the_token_is_the_same_everywhere_and_another_one_for_each_source_and_key() -> None:
    token = hint_token("luma", "a-key")
    assert token == "6f6b5ec55334232e74f29963fa1f279f"
    assert len(token) == DIGITS
    assert len({token, hint_token("luma", "b"), hint_token("aiml", "a-key")}) == 3


def test_a_path_holds_names_of_any_kind() -> None:
    assert hints_path("my luma é", "ab") == "/hints/my%20luma%20%C3%A9/ab"


@pytest.mark.parametrize("given_", ["", "-" * DIGITS, "wrong", "é\ud800", "A" * 1000])
def test_only_the_right_token_is_right(given_: str) -> None:
    token = hint_token("luma", "a-key")
    assert right(token, token)
    assert not right(given_, token)
    assert not right(given_, None)
