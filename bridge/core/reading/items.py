"""The generations that a document speaks of, whatever holds them (PROVIDERS, rule 6)."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeAlias

from bridge.core.ladder import UNSEEN
from bridge.core.looking import Observation
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.ids import unfit
from bridge.core.reading.observing import observation, rank
from bridge.core.reading.places import as_text

NOTHING_KNOWN: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """What was found: per id the observation with the highest rank.

    `still` are the ids whose highest rank was known. `spoken`: some entry had a state word,
    whether it was asked about or not. `container`: there was a list that is the document,
    holds objects or is empty.
    """

    seen: Mapping[str, Observation] = field(default_factory=dict)
    still: Collection[str] = ()
    spoken: bool = False
    container: bool = False


def items(
    document: object,
    dialect: Dialect,
    observed_at: datetime,
    *,
    asked: Collection[str] | None,
    known: Mapping[str, int] = NOTHING_KNOWN,
) -> Items:
    """Return the observations of the asked ids, of all ids where `asked` is None.

    Of ids that still have the rank that is `known` no observation is made.
    Looked through, from the outside in: lists (their objects are entries), objects that are
    keyed by asked ids, an object that itself names an asked id. Nothing inside such an
    object counts.
    """
    seen: dict[str, Observation] = {}
    still: set[str] = set()
    spoken = container = False
    find_id = dialect.id
    for value, key in _entries(document, dialect, asked or ()):
        if value is None:
            container = True
            continue
        one = find_id(value) if key is None else key
        if not isinstance(one, str):
            one = as_text(one)
        if one and one in known and rank(value, dialect) == known[one]:
            still.add(one)
            continue
        found = observation(value, one or "", dialect, observed_at)
        spoken = spoken or found is not None
        if found is None or one is None or not _wanted(one, asked):
            continue
        other = seen.get(one)
        if other is None or _rank(found) > _rank(other):
            seen[one] = found
    for one in still.intersection(seen):
        if _rank(seen[one]) > known[one]:
            still.remove(one)
        else:
            del seen[one]
    return Items(seen=seen, still=still, spoken=spoken or bool(still), container=container)


def first_list(document: object) -> list[Any] | None:
    """Return the first list of objects or of nothing, from the outside in."""
    waiting: deque[Any] = deque([document])
    while waiting:
        value: list[Any] | dict[str, Any] = waiting.popleft()
        if isinstance(value, dict):
            waiting.extend(m for m in value.values() if isinstance(m, dict | list))
        elif not value or any(isinstance(entry, dict) for entry in value):
            return value
    return None


_Entry: TypeAlias = tuple[dict[str, Any] | None, str | None]
"""An object that may speak of a generation, and perhaps its key; no object: a list."""


def _entries(
    document: object, dialect: Dialect, asked: Collection[str]
) -> Iterator[_Entry]:
    waiting: deque[Any] = deque([document])
    while waiting:
        value = waiting.popleft()
        if isinstance(value, list):
            objects = [entry for entry in value if isinstance(entry, dict)]
            if objects or not value or value is document:
                yield None, None
            for entry in objects:
                yield entry, None
            if len(objects) < len(value):
                waiting.extend(entry for entry in value if isinstance(entry, list))
        elif as_text(dialect.id(value)) in asked and _speaks(value, dialect):
            yield value, None
        else:
            yield from _keyed(value, asked)
            waiting.extend(_within(value, asked))


def _keyed(value: dict[str, Any], asked: Collection[str]) -> Iterator[_Entry]:
    for key in asked:
        if isinstance(value.get(key), dict):
            yield value[key], key


def _within(value: dict[str, Any], asked: Collection[str]) -> Iterator[Any]:
    return (
        m for key, m in value.items() if isinstance(m, dict | list) and key not in asked
    )


def _speaks(value: object, dialect: Dialect) -> bool:
    return dialect.words.speaks(dialect.state(value))


def _wanted(one: str, asked: Collection[str] | None) -> bool:
    return unfit(one) is None if asked is None else one in asked


def _rank(found: Observation) -> int:
    return UNSEEN if found.state is None else found.state
