"""Options: the fields of a plugin's dataclass, as further keys of a source or a webhook.

A field with `repr=False` holds a secret; one named `url` or `…_url` holds a URL; an `int`
field with the metadata `{"unit": "bytes"}` takes a size, a `str` field with `{"lines": "many"}`
a text of several lines. Options of a shape that is not
known here are handed over as JSON.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeAlias,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, create_model
from pydantic import WithJsonSchema as Schema

from bridge.config import fields, references, scalars
from bridge.config.record import Record
from bridge.core.settings import Rate

Hint: TypeAlias = Any
"""A type as it is written at a field."""

_PREFIX = "option_"
_SIMPLE: Mapping[Hint, Hint] = {
    int: fields.Whole,
    float: fields.Number,
    bool: fields.Truth,
    timedelta: fields.Duration,
    Rate: fields.RateField,
}
_SEVERAL: Mapping[Any, Any] = {
    tuple: tuple,
    list: list,
    Sequence: tuple,
    frozenset: frozenset,
}


def with_options(base: type[Record], plugin: type) -> type[Record]:
    """Return the record with the fields of a plugin as further keys."""
    hints = get_type_hints(plugin)
    return _extended(base, {o.name: _field(o, hints[o.name]) for o in _own(base, plugin)})


def with_any_of(base: type[Record], plugins: Iterable[type]) -> type[Record]:
    """Return the record with the keys of all plugins, each taking anything.

    It stands in where the plugin's name is wrong: what can be told then is told.
    """
    names = {option.name for plugin in plugins for option in _own(base, plugin)}
    loose = (fields.Anything | None, None)
    return _extended(base, {name: (loose[0], _optional(name)) for name in sorted(names)})


def given(record: Record, plugin: type) -> dict[str, Any]:
    """Return the options that were given, by the names of the plugin's fields."""
    names = (o.name for o in _own(type(record), plugin))
    there = record.model_fields_set
    return {n: getattr(record, _PREFIX + n) for n in names if _PREFIX + n in there}


def hidden(plugin: type) -> frozenset[str]:
    """Return the names of the options that hold secrets."""
    if not dataclasses.is_dataclass(plugin):
        return frozenset()
    return frozenset(o.name for o in dataclasses.fields(plugin) if not o.repr)


def _own(base: type[Record], plugin: type) -> list["dataclasses.Field[Any]"]:
    """Return the fields that are options: what the record has itself comes first."""
    if not dataclasses.is_dataclass(plugin):
        return []
    return [
        option
        for option in dataclasses.fields(plugin)
        if option.init and option.name not in base.model_fields
    ]


def _extended(base: type[Record], options: Mapping[str, tuple[Hint, Any]]) -> type[Record]:
    more: dict[str, Any] = {_PREFIX + name: option for name, option in options.items()}
    return cast("type[Record]", create_model(base.__name__, __base__=base, **more))


def _field(option: "dataclasses.Field[Any]", hint: Hint) -> tuple[Hint, Any]:
    kind = _kind(hint, option)
    if (
        option.default is dataclasses.MISSING
        and option.default_factory is dataclasses.MISSING
    ):
        return kind, Field(alias=option.name)
    return kind | None, _optional(option.name, option.default)


def _optional(name: str, default: object = None) -> Any:  # noqa: ANN401
    plain = isinstance(default, str | int | float) and not isinstance(default, Enum)
    extra = {"default": default} if plain else None
    return Field(default=None, alias=name, json_schema_extra=cast("Any", extra))


def _kind(hint: Hint, option: "dataclasses.Field[Any]") -> Hint:
    """Return the field type that reads what the hint asks for."""
    origin: Any = get_origin(hint)
    if hint is str:
        return _text(option)
    if hint is int and option.metadata.get("unit") == "bytes":
        return fields.Size
    if origin in {Union, UnionType}:
        return _either(hint, option)
    if origin in _SEVERAL:
        return _several(hint, option)
    return _words(hint, origin) or _SIMPLE.get(hint) or _branch(hint, origin)


def _text(option: "dataclasses.Field[Any]") -> Hint:
    if option.metadata.get("lines") == "many":
        return fields.Lines
    if option.name == "url" or option.name.endswith("_url"):
        return references.Url
    return fields.Text if option.repr else fields.Hidden


def _either(hint: Hint, option: "dataclasses.Field[Any]") -> Hint:
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return _kind(kinds[0], option) if len(kinds) == 1 else fields.Anything


def _words(hint: Hint, origin: Any) -> Hint | None:  # noqa: ANN401
    """Return the field type of a choice among words; None: the hint is no choice."""
    if origin is Literal:
        words = {str(word): word for word in get_args(hint)}
    elif isinstance(hint, type) and issubclass(hint, Enum):
        words = {str(member.value): member for member in hint}
    else:
        return None

    def read(value: object) -> object:
        return words[scalars.choice(value, tuple(words))]

    return Annotated[Any, PlainValidator(read), Schema({"enum": list(words)})]


def _several(hint: Hint, option: "dataclasses.Field[Any]") -> Hint:
    container: Any = _SEVERAL[get_origin(hint)]
    each = _kind((get_args(hint) or (Any,))[0], option)
    return Annotated[
        list[each],  # type: ignore[valid-type]  # a type that is known at run time only
        BeforeValidator(fields.listed_or_empty),
        AfterValidator(container),
    ]


def _branch(hint: Hint, origin: Any) -> Hint:  # noqa: ANN401
    if origin in {Mapping, dict} and get_args(hint) == (str, str):
        return Annotated[dict[str, fields.Text], BeforeValidator(fields.mapped)]
    return fields.Anything
