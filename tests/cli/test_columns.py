"""How lines fit the terminal: nothing is cut, and what is no terminal gets them as they are."""

import re
from contextlib import redirect_stdout
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cli.columns import aligned, flowing, lasting, show

LONG = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
ROWS = [
    ("id", "generation", "status", "when", "why"),
    (
        "7",
        f"luma {LONG}",
        "failed",
        "2026-11-21T08:30:00Z",
        "401: check secret and headers",
    ),
    ("8", "luma g8", "held", "2026-11-21T08:30:01Z", ""),
]
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


def test_what_has_no_room_beside_the_rest_of_a_row_stands_beneath_it() -> None:
    with redirect_stdout(Terminal()):
        lines = list(aligned(ROWS))
    assert lines == [
        "id  generation                                 status  when",
        "    why",
        f"7   luma {LONG}  failed  2026-11-21T08:30:00Z",
        "    401: check secret and headers",
        "8   luma g8                                    held    2026-11-21T08:30:01Z",
    ]


def test_a_row_beneath_is_broken_between_words_with_its_margin() -> None:
    with redirect_stdout(Terminal()):
        lines = list(aligned([("id", "why"), ("7", "a word " * 20)]))
    assert lines[2:4] == ["7", "    " + ("a word " * 10) + "a word"]
    assert all(len(line) <= 80 for line in lines)


def test_what_is_no_terminal_gets_a_row_on_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    with redirect_stdout(StringIO()):
        assert len(list(aligned(ROWS))) == len(ROWS)


def test_colours_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "12")
    with redirect_stdout(Terminal()):
        lines = list(aligned([("status", "id"), ("held", "7777")]))
    assert len(lines) == 2
    assert re.sub(r"\x1b\[[0-9;]*m", "", lines[1]) == "held    7777"
    assert list(flowing(lines[1], 12)) == [lines[1]]


def test_a_document_flows_on_a_terminal_and_json_does_not() -> None:
    line = "  answer: " + "word " * 40
    with redirect_stdout(Terminal()) as terminal:
        show({}, iter([line]), as_json=False)
    assert all(len(one) <= 80 for one in terminal.getvalue().splitlines())
    assert terminal.getvalue().splitlines()[1].startswith("    word")
    with redirect_stdout(Terminal()) as terminal:
        show({"why": line}, iter([]), as_json=True)
    assert line in terminal.getvalue()


@given(st.lists(words, min_size=1, max_size=30), st.integers(5, 120))
def test_no_word_is_lost_or_cut_when_a_line_is_broken(line: list[str], width: int) -> None:
    broken = list(flowing("  " + " ".join(line), width))
    assert " ".join(broken).split() == line


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (5399, "90 min"),
        (9000, "2.5 h"),
        (2e5, "2.3 days"),
    ],
)
def test_a_span_is_told_in_the_unit_that_fits(seconds: float, said: str) -> None:
    assert lasting(seconds) == said
