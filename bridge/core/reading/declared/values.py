"""Values of an `http` source that are more than a text: words, codes, statuses, a pause."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Self

from bridge.core.ladder import State
from bridge.core.misfit import Misfit
from bridge.core.reading.places import as_text
from bridge.core.reading.wordform import Listed, folded
from bridge.core.text.durations import DURATION, EXAMPLE, duration

_MOST = 200
"""Words of one rung, codes of one meaning."""

_RUNGS = {state.word: state for state in State}
_STATUS = re.compile(r"[1-5][0-9]{2}", re.ASCII)
_TEXT = {"type": ["string", "number", "boolean", "null"]}


@dataclass(frozen=True, slots=True)
class Words:
    """State words of one rung; true, false and null may be among them."""

    OPTION: ClassVar[Mapping[str, Any]] = {
        "type": "array",
        "items": {"type": ["string", "boolean", "null"]},
    }

    listed: tuple[Listed, ...] = ()

    @classmethod
    def from_option(cls, value: object) -> Self:
        """Return the words of a list; raises Misfit."""
        return cls(tuple(_word(n, one) for n, one in enumerate(_entries(value, "[done]"))))


@dataclass(frozen=True, slots=True)
class Codes:
    """Business codes with one meaning, compared as state words are."""

    OPTION: ClassVar[Mapping[str, Any]] = {"type": "array", "items": _TEXT}

    listed: frozenset[str] = frozenset()

    @classmethod
    def from_option(cls, value: object) -> Self:
        """Return the codes of a list; raises Misfit."""
        return cls(
            frozenset(_code(n, one) for n, one in enumerate(_entries(value, "[1302]")))
        )


@dataclass(frozen=True, slots=True)
class ByStatus:
    """HTTP statuses that are the state themselves."""

    OPTION: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "propertyNames": {"pattern": "^[1-5][0-9][0-9]$"},
        "additionalProperties": {"enum": list(_RUNGS)},
    }

    rungs: Mapping[int, State]

    @classmethod
    def from_option(cls, value: object) -> Self:
        """Return what a mapping says; raises Misfit."""
        if not isinstance(value, Mapping):
            raise Misfit("expected HTTP statuses and their rungs, such as {202: dreaming}")
        return cls(dict(_by_status(value)))


@dataclass(frozen=True, slots=True)
class Pause:
    """The least time between two looks, which may be none."""

    OPTION: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "pattern": rf"^(?:{DURATION})$|\$\{{",
    }

    span: timedelta

    @classmethod
    def from_option(cls, value: object) -> Self:
        """Return the pause that is written; raises Misfit."""
        text = value if isinstance(value, str) else ""
        if re.fullmatch(r"0(ms|s|m|h|d)", text, re.ASCII):
            return cls(timedelta())
        try:
            span = duration(text)
        except ValueError as error:
            raise Misfit(str(error)) from None
        if span is None or span > timedelta(days=1):
            raise Misfit(f"expected {EXAMPLE}" if span is None else "at most one day")
        return cls(span)


def _entries(value: object, example: str) -> list[Any]:
    if not isinstance(value, list):
        raise Misfit(f"expected a list, such as {example}")
    if len(value) > _MOST:
        raise Misfit(f"more than {_MOST} entries")
    return value


def _word(number: int, value: object) -> Listed:
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, int | float):
        hint = "let `state` find it as text, with to_string(…), and put the word in quotes"
        raise Misfit("a number is no state word", path=(number,), hint=hint)
    raise Misfit("expected a word", path=(number,))


def _code(number: int, value: object) -> str:
    text = as_text(value)
    if text is None:
        raise Misfit("expected a code: a text or a whole number", path=(number,))
    return folded(text)


def _by_status(value: Mapping[Any, Any]) -> Iterator[tuple[int, State]]:
    for key, word in value.items():
        if not _STATUS.fullmatch(str(key)):
            raise Misfit("expected an HTTP status such as 202", path=(key,), key=True)
        state = _RUNGS.get(word) if isinstance(word, str) else None
        if state is None:
            raise Misfit(
                f"expected one of {', '.join(_RUNGS)}",
                path=(key,),
                word=word if isinstance(word, str) else "",
                words=tuple(_RUNGS),
            )
        yield int(key), state
