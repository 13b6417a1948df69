"""The envelope in which relays of the new-api family put a task (PROVIDERS, section 4)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from bridge.core.ladder import State
from bridge.core.reading.dialect import Complaints, Dialect
from bridge.core.reading.links import is_link
from bridge.core.reading.places import as_text, at
from bridge.core.reading.wordform import Words, folded

Links: TypeAlias = Callable[[Any], Sequence[Mapping[str, Any]]]
"""Finds objects with `type` and `url`."""

# `UNKNOWN` is not among them: with it the gateway says that it does not know, either.
TASK_WORDS: Mapping[State, Sequence[str]] = {
    State.QUEUED: ["NOT_START", "SUBMITTED", "QUEUED"],
    State.DREAMING: ["IN_PROGRESS"],
    State.COMPLETED: ["SUCCESS"],
    State.FAILED: ["FAILURE"],
}

_code = at("code")

ENVELOPE = Complaints(
    ok=lambda document: folded(as_text(_code(document)) or "") == "success"
)
"""HTTP says 200 while `code` tells otherwise; `task_not_exist` is missing."""


def task_dialect(task: str, made: Links) -> Dialect:
    """Return how a task speaks that stands behind `task` (`data.`, or nothing at all).

    `made` looks from where the task's own fields are.
    """
    return Dialect(
        words=Words.of(TASK_WORDS),
        state=at(f"{task}status"),
        id=at(f"{task}task_id"),
        outputs=or_left_over(made, f"{task}fail_reason"),
        reason=at(f"{task}fail_reason"),
        progress=at(f"{task}progress"),
        created_at=at(f"{task}submit_time"),
        complaints=ENVELOPE,
    )


def or_left_over(made: Links, place: str) -> Links:
    """Return a finder of links that, where there are none, takes the one at a place.

    Old rows of a gateway keep the link of the result in `fail_reason`.
    """
    left_over = at(place)

    def found(document: Any) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401  (any document)
        links = made(document)
        if any(is_link(one.get("url")) for one in links):
            return links
        return [{"url": left_over(document)}]

    return found
