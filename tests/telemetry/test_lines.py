import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.telemetry.lines import journal_line, json_line, text_line

ENTRY = {"time": "2026-11-21T08:30:00.123Z", "level": "warning", "event": "attempt failed"}


@pytest.mark.parametrize(
    ("level", "prefix"),
    [
        ("critical", b"<2>"),
        ("error", b"<3>"),
        ("warning", b"<4>"),
        ("info", b"<6>"),
        ("debug", b"<7>"),
    ],
)
def test_the_journal_is_told_the_priority_in_front(level: str, prefix: bytes) -> None:
    line = journal_line({**ENTRY, "level": level})
    assert line.startswith(prefix + b'{"time":')
    assert json.loads(line[3:])["level"] == level


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_nothing_from_outside_ends_a_line_of_json(
    event: str, fields: dict[str, str]
) -> None:
    line = json_line({**fields, **ENTRY, "event": event})
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert all(32 <= byte < 127 for byte in line[:-1])


@given(st.text(), st.text(min_size=1), st.text())
def test_nothing_from_outside_steers_the_terminal(event: str, key: str, value: str) -> None:
    line = text_line({**ENTRY, "event": event, "x" + key: value}, colour=False).decode()
    assert line.endswith("\n")
    assert line[:-1].isprintable()


def test_a_terminal_shows_time_level_phrase_and_fields() -> None:
    entry = {
        **ENTRY,
        "webhook": "studio",
        "status": 503,
        "reason": "it said no",
        "eta": None,
    }
    line = text_line(entry, colour=False).decode()
    begin, end = line.split("attempt failed")
    assert begin == "08:30:00.123 warning "
    assert end.strip() == 'webhook=studio status=503 reason="it said no" eta=-'


def test_colours_come_only_where_they_are_wanted() -> None:
    assert b"\x1b[33mwarning" in text_line(ENTRY, colour=True)
    assert b"\x1b" not in text_line(ENTRY, colour=False)


def test_a_field_that_looks_like_more_fields_is_quoted() -> None:
    entry = {**ENTRY, "reason": 'x" webhook=other'}
    assert b'reason="x\\" webhook=other"' in text_line(entry, colour=False)


def test_lists_and_mappings_are_shown_as_json() -> None:
    entry = {**ENTRY, "states": ["queued"], "shape": {"id": "text"}}
    assert b'states=["queued"] shape={"id":"text"}' in text_line(entry, colour=False)


def test_a_traceback_stands_below_its_line_with_its_breaks() -> None:
    line = text_line({**ENTRY, "exception": "Traceback:\n  file\x1b[2J"}, colour=False)
    assert line.endswith(b"attempt failed\n    Traceback:\n      file\\x1b[2J\n")
