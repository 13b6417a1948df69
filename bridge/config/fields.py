"""Fields: the types of a record that need nothing but the value, each with its schema.

Editors hold the schema against YAML as *they* read it, where `24` is a number: so a
number's schema takes the text form too, and everything takes a reference `${…}`.
"""

import re
from collections.abc import Collection
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema

from bridge.config import scalars
from bridge.config.metadata import Json, json_value, metadata
from bridge.config.scalars import Unfit
from bridge.config.tree import ListNode, MapNode
from bridge.core.ladder import State
from bridge.core.settings import Order, Rate, shared
from bridge.core.text.durations import DURATION

T = TypeVar("T", bound=Any)

STATES = ("queued", "dreaming", "completed", "failed")
UNTIL = ("queued", "dreaming", "completed")
_ALIASES = ("processing",)
_MOST_ITEMS = 1000
"""Entries of a short list (states, networks, waits …); only ids come in crowds."""


def text_schema(pattern: str, **more: object) -> WithJsonSchema:
    """Return the schema of a text that looks like the pattern, or holds a reference."""
    return WithJsonSchema({"type": "string", "pattern": rf"^(?:{pattern})$|\$\{{"} | more)


def _choice_schema(words: Collection[str]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"enum": list(words)}, _REFERENCE]})


_REFERENCE = {"type": "string", "pattern": r"\$\{"}
LINE = r"[^\x00-\x1f\x7f]+"
SECRET = {"writeOnly": True}


# ------------------------------------------------------------------------ texts and numbers

Text: TypeAlias = Annotated[
    str, PlainValidator(scalars.one_line), text_schema(LINE, minLength=1)
]
Lines: TypeAlias = Annotated[
    str,
    PlainValidator(scalars.many_lines),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
Hidden: TypeAlias = Annotated[
    str, PlainValidator(scalars.visible), text_schema(r"[\x20-\x7e]+", **SECRET)
]
Duration: TypeAlias = Annotated[
    timedelta, PlainValidator(scalars.duration), text_schema(DURATION)
]
RateField: TypeAlias = Annotated[
    Rate, PlainValidator(scalars.rate), text_schema(scalars.RATE)
]
Size: TypeAlias = Annotated[int, PlainValidator(scalars.size), text_schema(scalars.SIZE)]
Whole: TypeAlias = Annotated[
    int,
    PlainValidator(scalars.whole_number),
    WithJsonSchema(
        {
            "type": ["integer", "string"],
            "minimum": 0,
            "pattern": rf"^{scalars.WHOLE}$|\$\{{",
        }
    ),
]
Number: TypeAlias = Annotated[
    float,
    PlainValidator(scalars.number),
    WithJsonSchema(
        {
            "type": ["number", "string"],
            "minimum": 0,
            "pattern": rf"^{scalars.NUMBER}$|\$\{{",
        }
    ),
]
Truth: TypeAlias = Annotated[
    bool,
    PlainValidator(scalars.truth),
    WithJsonSchema({"anyOf": [{"enum": [True, False, "true", "false"]}, _REFERENCE]}),
]


def between(least: T, most: T, said: str) -> AfterValidator:
    """Return the check that a value lies within bounds, which `said` names."""

    def check(value: T) -> T:
        if not least <= value <= most:
            raise Unfit(f"expected {said}", got=", not {}")
        return value

    return AfterValidator(check)


Share: TypeAlias = Annotated[Number, between(0, 1, "a share from 0 to 1")]
Connections: TypeAlias = Annotated[Whole, between(1, 10_000, "a number from 1 to 10000")]
Looks: TypeAlias = Annotated[Whole, between(1, 1_000, "a number from 1 to 1000")]
Concurrency: TypeAlias = Annotated[Whole, between(1, 4_096, "a number from 1 to 4096")]
Interval: TypeAlias = Annotated[
    Duration, between(timedelta(seconds=1), timedelta(days=1), "a pause from 1s to 1d")
]
Timeout: TypeAlias = Annotated[
    Duration, between(timedelta(seconds=0.1), timedelta(minutes=10), "100ms to 10m")
]
Deadline: TypeAlias = Annotated[
    Duration,
    between(timedelta(seconds=1), timedelta(days=365), "a deadline from 1s to 365d"),
]


# ----------------------------------------------------------------------- lists and mappings


def listed(value: object) -> object:
    """Return the entries of a list that is neither empty nor endless."""
    if not isinstance(value, ListNode):
        raise Unfit("expected a list, such as [a, b]", hint=_bracketed(value))
    if not value.items:
        raise Unfit("the list is empty")
    if len(value.items) > _MOST_ITEMS:
        raise Unfit(f"more than {_MOST_ITEMS} entries")
    return value.items


def listed_or_empty(value: object) -> object:
    """Return the entries of a list that may be empty."""
    return [] if isinstance(value, ListNode) and not value.items else listed(value)


def _bracketed(value: object) -> str:
    return "put it in [ ]" if isinstance(value, str) and value else ""


def mapped(value: object) -> object:
    """Return the entries of a mapping that is not endless."""
    if not isinstance(value, MapNode):
        raise Unfit("expected keys and values")
    if len(value.items) > _MOST_ITEMS:
        raise Unfit(f"more than {_MOST_ITEMS} entries")
    return value.items


def each_once(values: list[T]) -> list[T]:
    """Return the values; raises Unfit where one comes twice."""
    if len(set(values)) < len(values):
        raise Unfit("the list names something twice")
    return values


# ------------------------------------------------------------- words with a meaning of ours


def _state(value: object) -> State:
    return State.of(scalars.choice(value, (*STATES, *_ALIASES)))


def _until(value: object) -> State:
    if value == "failed":
        raise Unfit(
            "one cannot wait for a failure, for it may never come",
            hint="`completed`, the default, ends with a failure too",
        )
    return State.of(scalars.choice(value, (*UNTIL, *_ALIASES)))


def _order(value: object) -> Order:
    return Order(scalars.choice(value, tuple(Order)))


StateField: TypeAlias = Annotated[
    State, PlainValidator(_state), _choice_schema((*STATES, *_ALIASES))
]
States: TypeAlias = Annotated[
    list[StateField], BeforeValidator(listed), AfterValidator(each_once)
]
Until: TypeAlias = Annotated[
    State, PlainValidator(_until), _choice_schema((*UNTIL, *_ALIASES))
]
OrderField: TypeAlias = Annotated[
    Order, PlainValidator(_order), _choice_schema(tuple(map(str, Order)))
]
Listen: TypeAlias = Annotated[
    tuple[str | None, int],
    PlainValidator(scalars.listen),
    text_schema(r"off|(\[[0-9A-Fa-f:.]+\]|[0-9.]+|localhost):[0-9]{1,5}"),
]
Networks: TypeAlias = Annotated[
    list[
        Annotated[
            IPv4Network | IPv6Network,
            PlainValidator(scalars.network),
            text_schema(r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?"),
        ]
    ],
    BeforeValidator(listed_or_empty),
]
Schedule: TypeAlias = Annotated[list[Duration], BeforeValidator(listed)]
Metadata: TypeAlias = Annotated[
    dict[str, Any], PlainValidator(metadata), WithJsonSchema({"type": "object"})
]


# ----------------------------------------------------------------------------- the database


def _database(value: object) -> str:
    text = scalars.one_line(value, "the path of a file")
    if re.match(r"postgres(ql)?(\+\w+)?:", text, re.IGNORECASE):
        return _postgresql(text)
    if "://" in text or text.lower().startswith((":memory:", "file:", "sqlite:")):
        raise Unfit("expected the path of a file", hint="such as genbridge.db")
    return text


def _postgresql(value: object) -> str:
    """Return a URL of PostgreSQL; what is wrong is said without the value: it has a password."""
    text = scalars.one_line(value, "a URL")
    if not shared(text):
        raise Unfit("expected a URL", hint="postgresql://user@host/database")
    try:
        named = urlsplit(text).path.strip("/") and urlsplit(text).port != 0
    except ValueError as error:
        raise Unfit("expected a URL with a host and a port") from error
    if not named:
        raise Unfit("the name of the database is missing", hint="…/genbridge")
    return text


Database: TypeAlias = Annotated[str, PlainValidator(_database), text_schema(LINE)]
SessionUrl: TypeAlias = Annotated[str, PlainValidator(_postgresql), text_schema(LINE)]


def _anything(value: object) -> Json:
    if isinstance(value, MapNode | ListNode):
        return json_value(value)
    return scalars.one_line(value)


Anything: TypeAlias = Annotated[Any, PlainValidator(_anything), WithJsonSchema({})]
"""A plugin's option of a shape that only the plugin knows: JSON, as metadata is read."""
