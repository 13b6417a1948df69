"""A log line as bytes: JSON for machines, coloured text for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.core.text.jsontext import encode

_LEVELS = {
    "critical": (2, "\x1b[1;31m"),
    "error": (3, "\x1b[31m"),
    "warning": (4, "\x1b[33m"),
    "info": (6, "\x1b[32m"),
    "debug": (7, "\x1b[2m"),
}
"""The priority that the journal knows a level by (syslog's numbers), and its colour."""

_FAINT, _PLAIN = "\x1b[2m", "\x1b[0m"
_WIDTH = 36
"""Columns of the phrase, so that the fields of most lines stand below each other."""


def json_line(entry: Mapping[str, Any]) -> bytes:
    """Return the entry as one line of ASCII JSON: nothing from outside can end it or hide in it."""
    # JSON leaves DEL as it is, the only control character that ASCII JSON may hold.
    return encode(entry).replace(b"\x7f", b"\\u007f") + b"\n"


def journal_line(entry: Mapping[str, Any]) -> bytes:
    """Return the JSON line with its priority in front, which the journal takes off again."""
    priority, _ = _LEVELS[entry["level"]]
    return b"<%d>%b" % (priority, json_line(entry))


def text_line(entry: Mapping[str, Any], *, colour: bool) -> bytes:
    """Return the entry for people: time of day (UTC), level, phrase, fields.

    Control characters, line breaks and invisible ones are shown escaped.
    """
    fields = dict(entry)
    time, level, phrase = (str(fields.pop(key)) for key in ("time", "level", "event"))
    traceback = fields.pop("exception", None)
    faint, plain = (_FAINT, _PLAIN) if colour else ("", "")
    shade = _LEVELS[level][1] if colour else ""
    shown = "".join(
        f" {faint}{visible(key)}={plain}{_value(value)}" for key, value in fields.items()
    )
    clock = time[11:].removesuffix("Z")
    phrase = visible(phrase)
    line = f"{faint}{clock}{plain} {shade}{level:<7}{plain} {phrase:<{_WIDTH}}{shown}"
    return (line.rstrip() + _indented(traceback) + "\n").encode()


def visible(text: str) -> str:
    """Return the text with everything escaped that a terminal would obey or not show."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _value(value: object) -> str:
    if isinstance(value, Mapping | list):
        return visible(encode(value).decode("ascii"))
    text = "" if value is None else str(value)
    if text and " " not in text and '"' not in text and text.isprintable():
        return text
    return '"' + visible(text).replace('"', '\\"') + '"' if text else "-"


def _indented(traceback: object) -> str:
    lines: Sequence[str] = [] if traceback is None else str(traceback).split("\n")
    return "".join(f"\n    {visible(line)}" for line in lines)
