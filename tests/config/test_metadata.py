"""Metadata comes back as the JSON that a user means by the YAML."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.given import SOURCE, WEBHOOK, said, settings


def metadata(yaml: str) -> Any:
    text = f"{SOURCE}{WEBHOOK}watches:\n  - source: s\n    id: a\n    metadata: {yaml}\n"
    return settings(text).watches[0].metadata


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1042", 1042),
        ("-3", -3),
        ("0.5", 0.5),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("'1042'", "1042"),
        ('"true"', "true"),
        ("''", ""),
        ("0123", "0123"),
        ("1e3", "1e3"),
        ("yes", "yes"),
        (".inf", ".inf"),
        ("2026-01-01", "2026-01-01"),
        ("12:30:45", "12:30:45"),
        ("9007199254740993000000", "9007199254740993000000"),
        ("[1, [a, {b: 2}]]", [1, ["a", {"b": 2}]]),
        ("{a: {b: [true]}}", {"a": {"b": [True]}}),
    ],
)
def test_what_stands_without_quotes_is_a_number_a_boolean_or_null(
    written: str, meant: object
) -> None:
    found = metadata(f"{{order: {written}}}")["order"]
    assert found == meant
    assert type(found) is type(meant)


@given(
    st.dictionaries(
        st.text(alphabet="abcxyz_", min_size=1),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(10**15), 10**15)
            | st.text("abc żółć\"'1"),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
        max_size=5,
    )
)
def test_json_is_yaml_and_means_itself(document: dict[str, Any]) -> None:
    assert metadata(json.dumps(document, ensure_ascii=False)) == document


def test_metadata_is_a_mapping_of_at_most_64_kib() -> None:
    long = "x" * 70_000
    for yaml in ("[a]", "text", f"{{a: {long}}}"):
        text = (
            f"{SOURCE}{WEBHOOK}watches:\n  - source: s\n    id: a\n    metadata: {yaml}\n"
        )
        assert "watches[0].metadata: " in said(text)[0]
