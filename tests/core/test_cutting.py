"""Text that must fit: the beginning stays, and a mark says how much is missing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.text.cutting import Measure, cut, utf16

MARK = re.compile(r"(.*)… \+([0-9,]+) more", re.DOTALL)
LONG = st.text(st.sampled_from("ab🎬é "), max_size=3000)


def utf8(text: str) -> int:
    return len(text.encode())


@given(LONG, st.integers(0, 3000), st.sampled_from([len, utf16, utf8]))
def test_a_text_that_fits_stays_and_any_other_fits_then(
    text: str, limit: int, measure: Measure
) -> None:
    short = cut(text, limit, measure)
    assert measure(short) <= limit
    assert (short == text) == (measure(text) <= limit)


@given(LONG, st.integers(20, 3000), st.sampled_from([len, utf16]))
def test_the_mark_names_exactly_what_is_missing(
    text: str, limit: int, measure: Measure
) -> None:
    short = cut(text, limit, measure)
    if short != text:
        found = MARK.fullmatch(short)
        assert found is not None
        kept, missing = found[1], int(found[2].replace(",", ""))
        assert text.startswith(kept)
        assert measure(kept) + missing == measure(text)


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("x" * 2000, 30, "x" * 17 + "… +1,983 more"),
        ("🎬" * 20, 20, "🎬" * 5 + "… +30 more"),
        ("x" * 20, 5, "xxxxx"),
        ("🎬🎬", 3, "🎬"),
        ("x", 0, ""),
    ],
)
def test_the_mark_stands_within_the_limit_where_it_has_room(
    text: str, limit: int, short: str
) -> None:
    assert cut(text, limit) == short


@given(st.text())
def test_utf16_is_the_length_that_javascript_sees(text: str) -> None:
    assert utf16(text) == len(text.encode("utf-16-le")) // 2
