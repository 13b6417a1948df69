"""Notes: generations as texts that a server's notification can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.text.jsontext import tidy
from bridge.core.watch import Generation
from bridge.store import liveness


@pytest.mark.parametrize(
    "note", ["", "{", "[]", '["luma"]', '[["luma"]]', "[[1, 2]]", "null", "[" * 5000]
)
def test_what_somebody_else_writes_there_names_none(note: str) -> None:
    assert list(liveness.noted(note)) == []


@given(st.lists(st.tuples(st.text(max_size=64), st.text(max_size=512)), max_size=40))
def test_notes_are_short_enough_and_lose_nothing(pairs: list[tuple[str, str]]) -> None:
    some = [Generation(tidy(source), tidy(id_)) for source, id_ in pairs]
    texts = list(liveness.notes(some))
    assert all(len(text) < 8000 for text in texts)
    assert [one for text in texts for one in liveness.noted(text)] == some


def test_the_longest_names_fill_a_note_and_do_not_burst_it() -> None:
    some = [Generation("\U0001f680" * 64, "\U0001f680" * 512)] * 3
    texts = list(liveness.notes(some))
    assert len(texts) == 3
    assert all(len(text) < 8000 for text in texts)
