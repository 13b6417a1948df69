"""Templates of questions: `{id}` and its like, filled for a URL, a query, a header, a body.

`{name}` is percent-encoded whole in a URL, `{+name}` segment by segment (`/` and `:` stay).
In a query, a header and a body both are the plain text. A parameter whose template names
what is not known yet (`{last}` on a first page) is left out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from bridge.core.reading.ids import by_segment, whole, wholes
from bridge.core.text.jsontext import encode

Value: TypeAlias = str | int | tuple[str, ...]
Values: TypeAlias = Mapping[str, Value]

_HOLE = re.compile(r"\{(\+?)([A-Za-z_][A-Za-z0-9_]*)\}")


class UnknownValueError(Exception):
    """A template names what nobody knows; its text is the name."""


def names(template: str) -> frozenset[str]:
    """Return what a template wants to know."""
    return frozenset(name for _, name in _HOLE.findall(template))


def alone(template: str) -> str | None:
    """Return the name that is all of a template, None where there is more or less."""
    match = _HOLE.fullmatch(template)
    return match and match[2]


def with_plain(template: str, texts: Mapping[str, str]) -> str:
    """Return a template in which some names stand for text that is a URL already."""
    return _HOLE.sub(lambda match: texts.get(match[2], match[0]), template)


def filled_url(template: str, values: Values) -> str:
    """Return a piece of a URL; raises UnknownValueError."""

    def encoded(match: re.Match[str]) -> str:
        return (by_segment if match[1] else whole)(_text(match[2], values))

    return _HOLE.sub(encoded, template)


def filled_text(template: str, values: Values) -> str:
    """Return a plain text; raises UnknownValueError."""
    return _HOLE.sub(lambda match: _text(match[2], values), template)


def filled_query(pairs: Sequence[tuple[str, str]], values: Values) -> str:
    """Return a query without `?`; of several values, one parameter for each."""
    told = []
    for name, template in pairs:
        begin = whole(name) + "="
        told += [begin + text for text in wholes(_texts(template, values))]
    return "&".join(told)


def filled_body(value: object, values: Values) -> bytes:
    """Return a JSON body; raises UnknownValueError.

    A text that is one name alone becomes that value itself: a number, an array of ids.
    """
    return encode(_filled(value, values))


def _texts(template: str, values: Values) -> Iterator[str]:
    name = alone(template)
    several = values.get(name) if name else None
    if isinstance(several, tuple):
        yield from several
    elif all(known in values for known in names(template)):
        yield filled_text(template, values)


def _filled(value: object, values: Values) -> Any:  # noqa: ANN401  (any JSON)
    if isinstance(value, dict):
        return {name: _filled(member, values) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(entry, values) for entry in value]
    if not isinstance(value, str):
        return value
    name = alone(value)
    return values[name] if name and name in values else filled_text(value, values)


def _text(name: str, values: Values) -> str:
    value = values.get(name)
    if value is None or isinstance(value, tuple):
        raise UnknownValueError(name)
    return str(value)
