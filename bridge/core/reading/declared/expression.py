"""An expression: JMESPath that finds a value in a document, whatever the document is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from bridge.core.misfit import Misfit
from bridge.core.reading.declared.evaluation import evaluated, making
from bridge.core.reading.declared.parsing import LONGEST, Tree, parsed
from bridge.core.reading.outputs import every
from bridge.core.reading.places import Find

_SCHEMA = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST,
    "description": "JMESPath, such as data.status.",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """JMESPath; `find` never raises, and finds nothing where it would take too long."""

    OPTION: ClassVar[Mapping[str, Any]] = _SCHEMA

    text: str
    find: Find = field(repr=False, compare=False)

    @classmethod
    def from_option(cls, value: object) -> Self:
        """Return the expression that is written; raises Misfit."""
        if not isinstance(value, str):
            raise Misfit("expected a JMESPath expression, such as data.status")
        return cls(value, _finder(parsed(value)))


@dataclass(frozen=True, slots=True)
class Links:
    """Where outputs are: an expression, or `{every: EXPRESSION}`."""

    OPTION: ClassVar[Mapping[str, Any]] = {
        "anyOf": [
            _SCHEMA,
            {
                "type": "object",
                "properties": {"every": _SCHEMA},
                "required": ["every"],
                "additionalProperties": False,
            },
        ]
    }

    expression: Expression
    every: bool = False

    @property
    def find(self) -> Find:
        """The finder of what `outputs` makes outputs of."""
        return every(self.expression.find) if self.every else self.expression.find

    @property
    def text(self) -> str:
        """The expression, and how it is used."""
        return f"every: {self.expression.text}" if self.every else self.expression.text

    @classmethod
    def from_option(cls, value: object) -> Self:
        """Return what is written; raises Misfit."""
        if not isinstance(value, Mapping):
            return cls(Expression.from_option(value))
        for key in value:
            if key != "every":
                raise Misfit(
                    "unknown key", path=(key,), key=True, word=key, words=["every"]
                )
        if "every" not in value:
            raise Misfit("expected an expression, or {every: EXPRESSION}")
        try:
            return cls(Expression.from_option(value["every"]), every=True)
        except Misfit as wrong:
            raise wrong.below("every") from None


@dataclass(frozen=True, slots=True)
class Full:
    """What full progress is: a number, or an expression that finds one."""

    OPTION: ClassVar[Mapping[str, Any]] = {"anyOf": [_SCHEMA, {"type": "number"}]}

    text: str
    find: Find = field(repr=False, compare=False)

    @classmethod
    def from_option(cls, value: object) -> Self:
        """Return what is written; raises Misfit."""
        number = _number(value)
        if number is None:
            expression = Expression.from_option(value)
            return cls(expression.text, expression.find)
        if not number > 0:
            raise Misfit("full progress is above zero")
        return cls(str(value), lambda _: number)


def _number(value: object) -> float | None:
    text = value if isinstance(value, str) and len(value) <= 12 else ""
    return float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else None


def _finder(tree: Tree) -> Find:
    keys = _path(tree)
    if keys is not None:
        return _along(keys)
    made = making(tree)
    return lambda document: evaluated(tree, document, made=made)


def _path(tree: Tree) -> tuple[str, ...] | None:
    """Return the keys of an expression that is nothing but a path: these are nearly all."""
    if tree["type"] == "field":
        return (tree["value"],)
    steps = tree["children"]
    if tree["type"] != "subexpression" or any(one["type"] != "field" for one in steps):
        return None
    return tuple(one["value"] for one in steps)


def _along(keys: tuple[str, ...]) -> Find:
    def find(value: Any) -> Any:  # noqa: ANN401  (any document)
        for key in keys:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    return find
