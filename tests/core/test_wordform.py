from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ladder import State
from bridge.core.reading.wordform import Spoken, Words

WORDS = Words.of(
    {
        State.QUEUED: ["", "NOT_START"],
        State.DREAMING: ["In Progress", None, False],
        State.COMPLETED: ["succeed", True],
        State.FAILED: ["Request Moderated", "cancelled"],
    }
)
PLAIN = Words.of({State.COMPLETED: ["completed"]})


@pytest.mark.parametrize(
    ("value", "spoken"),
    [
        ("", Spoken("", State.QUEUED)),
        ("not-start", Spoken("not-start", State.QUEUED)),
        ("IN_PROGRESS", Spoken("IN_PROGRESS", State.DREAMING)),
        (" in-progress\n", Spoken(" in-progress\n", State.DREAMING)),
        ("canceled", Spoken("canceled", State.FAILED)),
        ("CANCELLED", Spoken("CANCELLED", State.FAILED)),
        ("request moderated", Spoken("request moderated", State.FAILED)),
        # Our own words: the API has only a boolean.
        (None, Spoken("running", State.DREAMING)),
        (False, Spoken("running", State.DREAMING)),
        (True, Spoken("done", State.COMPLETED)),
        ("null", Spoken("null", None)),
        ("true", Spoken("true", None)),
        ("the value true", Spoken("the value true", None)),
        (1, Spoken("1", None)),
        (0, Spoken("0", None)),
        (2.5, Spoken("2.5", None)),
        ("succeeded", Spoken("succeeded", None)),
        ("x\0\ud800", Spoken("x\ufffd", None)),
        ({}, None),
        (["succeed"], None),
        ({"state": "succeed"}, None),
    ],
)
def test_a_word_is_read_whatever_its_dress(value: Any, spoken: Spoken | None) -> None:
    assert WORDS.read(value) == spoken


@pytest.mark.parametrize(
    "value", ["", "  ", None, True, False, {}, [], {"a": 1}, ["completed"]]
)
def test_nothing_and_what_is_no_text_is_no_word_unless_it_is_listed(value: Any) -> None:
    assert PLAIN.read(value) is None


@given(st.text())
def test_only_the_listed_words_have_a_rung(word: str) -> None:
    spoken = PLAIN.read(word)

    if spoken is not None and spoken.state is not None:
        assert word.strip().lower() == "completed"


def test_a_word_without_end_is_kept_short() -> None:
    spoken = PLAIN.read("x" * 100_000)

    assert spoken is not None
    assert len(spoken.native) == 200
