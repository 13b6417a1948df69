"""Which expression found what: for people who write a description."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from bridge.core.reading.declared.answers import Complaining, Reading, Result
from bridge.core.reading.declared.expression import Expression, Full, Links


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A key of the description, its expression, and what that finds in the document."""

    key: str
    text: str
    value: Any


@runtime_checkable
class Traceable(Protocol):
    """A provider that can say how it read an answer."""

    def trace(self, documents: Sequence[Any]) -> Iterable[Found]:
        """Yield what each expression finds in the documents of a look's answers."""
        ...


def of_reading(read: Reading, document: object) -> Iterator[Found]:
    """Yield what each expression of `read` finds."""
    singles = (
        "id",
        "state",
        "failed_if",
        "outputs",
        "progress",
        "of",
        "created_at",
        "model",
    )
    for name in singles[:4]:
        yield from _found(f"read.{name}", getattr(read, name), document)
    if read.failure is not None:
        for name in ("code", "reason"):
            key, expression = f"read.failure.{name}", getattr(read.failure, name)
            yield from _found(key, expression, document)
    for name in singles[4:]:
        yield from _found(f"read.{name}", getattr(read, name), document)


def of_trouble(told: Complaining, document: object) -> Iterator[Found]:
    """Yield what each expression of `trouble` finds."""
    for name in ("ok", "code", "missing_if", "status", "retry_after"):
        yield from _found(f"trouble.{name}", getattr(told, name), document)


def of_names(result: Result, document: object) -> Iterator[Found]:
    """Yield what the second call is to know of the first document."""
    for name, expression in result.with_.items():
        yield from _found(f"result.with.{name}", expression, document)


def of_result(result: Result, document: object) -> Iterator[Found]:
    """Yield what is found in the second document."""
    yield from _found("result.outputs", result.outputs, document)


def _found(
    key: str, told: Expression | Links | Full | None, document: object
) -> Iterator[Found]:
    if told is not None:
        yield Found(key=key, text=told.text, value=told.find(document))
