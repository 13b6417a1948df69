"""Options: the fields of a plugin's dataclass, as further keys of a source or a webhook.

A field with `repr=False` holds a secret; one named `url` or `…_url` holds a URL; an `int` field
with the metadata `{"unit": "bytes"}` takes a size, a `str` field with `{"lines": "many"}` a text of
several lines, `{"about": …}` tells what it is, `{"template": True}` that a `url` is only a part of
one, and `{"check": …}` yields what is wrong with the value (`core/misfit.py`). A field whose type
is a dataclass holds keys of its own; `with_` is the key `with`. A type with `from_option` reads its
value itself, and `OPTION` is its schema; what it refuses it says with a `Misfit`. Options of a
shape that is not known here are handed over as JSON.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from functools import cache, partial
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
from bridge.config.metadata import json_value
from bridge.config.record import Record
from bridge.config.tree import ListNode, MapNode
from bridge.core.misfit import Misfit, refuse
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


def _extended(
    base: type[Record],
    options: Mapping[str, tuple[Hint, Any]],
    *,
    name: str = "",
    about: str | None = None,
) -> type[Record]:
    more: dict[str, Any] = {_PREFIX + name: option for name, option in options.items()}
    return create_model(
        name or base.__name__, __base__=base, __doc__=about or base.__doc__, **more
    )


def _field(option: "dataclasses.Field[Any]", hint: Hint) -> tuple[Hint, Any]:
    kind = _kind(hint, option)
    check = option.metadata.get("check")
    if check is not None:
        kind = Annotated[kind, AfterValidator(partial(_checked, check))]
    if (
        option.default is dataclasses.MISSING
        and option.default_factory is dataclasses.MISSING
    ):
        return kind, Field(alias=_key(option), description=option.metadata.get("about"))
    about = option.metadata.get("about")
    return kind | None, _optional(_key(option), option.default, about)


def _checked(check: Callable[[Any], Iterable[Misfit]], value: object) -> object:
    refuse(check(value))
    return value


def _key(option: "dataclasses.Field[Any]") -> str:
    return option.name.removesuffix("_")


def _optional(name: str, default: object = None, about: str | None = None) -> Any:  # noqa: ANN401
    plain = isinstance(default, str | int | float) and not isinstance(default, Enum)
    extra = {"default": default} if plain else None
    return Field(
        default=None, alias=name, description=about, json_schema_extra=cast("Any", extra)
    )


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
    simple = _words(hint, origin) or _SIMPLE.get(hint) or _own_kind(hint)
    return simple or _branch(hint, origin, option)


def _text(option: "dataclasses.Field[Any]") -> Hint:
    if option.metadata.get("lines") == "many":
        return fields.Lines
    if option.metadata.get("template"):
        return fields.Text
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


def _branch(hint: Hint, origin: Any, option: "dataclasses.Field[Any]") -> Hint:  # noqa: ANN401
    if origin not in {Mapping, dict} or (get_args(hint) or (Any,))[0] is not str:
        return fields.Anything
    each = get_args(hint)[1]
    kind = fields.Text if each is str else _kind(each, option)
    if kind is fields.Anything:
        return kind
    return Annotated[dict[str, kind], BeforeValidator(fields.mapped)]  # type: ignore[valid-type]  # known at run time only


def _own_kind(hint: Hint) -> Hint | None:
    """Return the field type of a class of the plugin's own; None: it is none."""
    if hasattr(hint, "from_option"):
        return _read_by_itself(hint)
    return _nested(cast("type", hint)) if dataclasses.is_dataclass(hint) else None


def _read_by_itself(kind: Any) -> Hint:  # noqa: ANN401
    """Return the field type that a class with `from_option` is."""

    def read(node: object) -> object:
        value = json_value(node) if isinstance(node, MapNode | ListNode) else node
        return kind.from_option(value)

    return Annotated[Any, PlainValidator(read), Schema(dict(kind.OPTION))]


@cache
def _nested(kind: type) -> Hint:
    """Return the field type of a mapping whose keys are the fields of a dataclass."""
    hints = get_type_hints(kind)
    options = {o.name: _field(o, hints[o.name]) for o in dataclasses.fields(kind) if o.init}
    record = _extended(Record, options, name=kind.__name__, about=kind.__doc__)
    if hasattr(kind, "SCHEMA"):
        more = {**record.model_config, "json_schema_extra": dict(kind.SCHEMA)}
        record.model_config = cast("Any", more)
        record.model_rebuild(force=True)
    return Annotated[record, AfterValidator(partial(_made, kind))]


def _made(kind: type, record: Record) -> object:
    names = (o.name for o in dataclasses.fields(kind) if o.init)
    there = record.model_fields_set
    return kind(**{n: getattr(record, _PREFIX + n) for n in names if _PREFIX + n in there})
