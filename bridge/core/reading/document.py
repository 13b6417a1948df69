"""The body of an answer as a JSON document (PROVIDERS, rule 2)."""

import json
from collections import deque
from math import isfinite
from typing import Any, NamedTuple

import msgspec

DEEPEST = 200
"""Levels of nesting that are read; whoever walks deeper overruns the stack."""

_BOM = b"\xef\xbb\xbf"
_LONGEST_NUMBER = 4_000
_NO_BRACKETS = bytes(set(range(256)) - set(b'[]{}"\\'))
_FLAT = 8
"""Turns in which brackets are taken out pair by pair; each ends two levels at most."""


class Document(NamedTuple):
    """An object or an array; `plain`: its text is legal JSON in UTF-8 and can be kept."""

    value: Any
    plain: bool = True


class Unreadable(NamedTuple):
    """No document: `why` is a sentence for people that quotes nothing of the body."""

    why: str


def document(body: bytes) -> Document | Unreadable:
    """Return the document of a body.

    Read beyond strict JSON: a BOM, lone surrogate escapes, broken UTF-8, UTF-16, raw
    control characters, NaN and numbers that no float holds (these become null). Of equal
    keys the last counts. Anything else is unreadable, and so is nesting deeper than
    `DEEPEST`.
    """
    found = _strict(body) or _forgiving(body)
    if found is None:
        return Unreadable(_complaint(body))
    if not isinstance(found.value, dict | list):
        return Unreadable("the answer is JSON, but no object and no array")
    return (
        Unreadable("the answer is nested too deeply") if _deep(body, found.value) else found
    )


def _strict(body: bytes) -> Document | None:
    try:
        return Document(msgspec.json.decode(body.removeprefix(_BOM)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _forgiving(body: bytes) -> Document | None:
    text = body.decode(json.detect_encoding(body), "replace").removeprefix("\ufeff")
    try:
        value = json.loads(
            text,
            strict=False,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=lambda _: None,
        )
    except (ValueError, RecursionError):
        return None
    return Document(value, plain=False)


def _integer(text: str) -> int | None:
    # Python itself refuses to read or to print integers of more than 4,300 digits.
    return int(text) if len(text) <= _LONGEST_NUMBER else None


def _float(text: str) -> float | None:
    value = float(text)
    return value if isfinite(value) else None


def _complaint(body: bytes) -> str:
    if not body.strip():
        return "the answer is empty"
    if body.lstrip().startswith(b"<"):
        return "the answer is HTML or XML instead of JSON"
    return "the answer is not JSON, or was cut"


def _flat(brackets: bytes) -> bool:
    # Texts without brackets go; whichever has any keeps its quotes, and so does all around it.
    brackets = brackets.replace(b'""', b"")
    for _ in range(_FLAT):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return not brackets


def _deep(body: bytes, value: dict[str, Any] | list[Any]) -> bool:
    # Few brackets cannot be deep, and flat ones close each other in a few turns: that spares
    # almost every answer the walk.
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    if _flat(body.translate(None, _NO_BRACKETS)):
        return False
    waiting = deque([(value, 1)])
    while waiting:
        container, depth = waiting.pop()
        if depth > DEEPEST:
            return True
        members = container.values() if isinstance(container, dict) else container
        waiting.extend((m, depth + 1) for m in members if isinstance(m, dict | list))
    return False
