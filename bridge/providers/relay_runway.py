"""Runway through a relay: Runway's words, inside an envelope of the relay's own.

That there is an envelope is documented; what is in it is inferred. How long links live, and
whether a failure has a code, is not known.
"""

from dataclasses import dataclass
from datetime import timedelta

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at, first
from bridge.core.reading.wordform import Words

_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["PENDING", "THROTTLED"],
            State.DREAMING: ["RUNNING"],
            State.COMPLETED: ["SUCCEEDED"],
            State.FAILED: ["FAILED", "CANCELLED"],
        }
    ),
    state=at("task.status"),
    id=at("task.id"),
    outputs=at("task.artifacts"),
    reason=first("task.error.reason", "task.error"),
    progress=at("task.progressRatio"),
    created_at=at("task.createdAt"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks a relay; whose it is only the user knows, so `base_url` is required."""

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/runway/tasks/{id}"),
        rate=5.0,
        floor=timedelta(seconds=5),
    )
