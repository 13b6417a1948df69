"""How one API speaks: its state words, and where things stand in its documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.places import Find, at, nothing
from bridge.core.reading.wordform import Words


def _invalid_task(value: Any) -> bool:  # noqa: ANN401  (any document)
    said = first_text(value)
    return said is not None and "invalid task_id" in said.lower()


def first_text(value: object) -> str | None:
    """Return what an error document says, from the first usual place that holds text."""
    for find in _SAYING:
        said = find(value)
        if isinstance(said, list):
            said = next((line for line in said if isinstance(line, str)), None)
        if isinstance(said, str) and said.strip():
            return said
    return None


_SAYING = tuple(
    map(at, ("message", "detail", "error.message", "error", "msg", "title", "reason"))
)


_ID, _CODE, _STATUS, _RETRY_AFTER = map(at, ("id", "code", "statusCode", "retry_after"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints:
    """How an API says inside a document that it cannot answer.

    `status` finds an HTTP status, `code` a business code; `missing`, `busy` and `refused`
    list the business codes with that meaning (compared as state words are), `missing_if`
    finds anything true where the document says that the generation is not known.
    `retry_after` finds seconds. `ok` finds anything true where nothing is the matter; None:
    the API does not say it.
    """

    status: Find = _STATUS
    code: Find = _CODE
    missing: frozenset[str] = frozenset({"task_not_exist"})
    busy: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    missing_if: Find = _invalid_task
    retry_after: Find = _RETRY_AFTER
    ok: Find | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Where an API's documents hold what we want to know of a generation.

    `state` alone decides about the rung, unless the HTTP status is one of `by_status`: then
    that does, and the body may be anything. `failed_if` turns a known word into failed
    where it finds anything true. `outputs` is asked only of completed generations, `code` and
    `reason` only of failed ones. `full` finds what full progress is. `life` is how long
    links live that do not say so themselves; `needs_key`: they open only with the source's
    key.
    """

    words: Words
    state: Find
    id: Find = _ID
    by_status: Mapping[int, State] = field(default_factory=dict)
    failed_if: Find = nothing
    outputs: Find = nothing
    code: Find = nothing
    reason: Find = nothing
    progress: Find = nothing
    full: Find = field(default=lambda _: 1)
    created_at: Find = nothing
    model: Find = nothing
    life: timedelta | None = None
    needs_key: bool = False
    complaints: Complaints = Complaints()
