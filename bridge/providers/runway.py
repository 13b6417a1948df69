"""Runway: one GET per task, links that a new GET renews."""

from dataclasses import dataclass
from datetime import timedelta

from bridge.core.ladder import State
from bridge.core.reading.api import BEARER, Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
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
    state=at("status"),
    outputs=at("output"),
    code=at("failureCode"),
    reason=at("failure"),
    progress=at("progress"),
    created_at=at("createdAt"),
    model=at("model"),
    life=timedelta(hours=24),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.dev.runwayml.com; a task that was deleted or aborted is not found any more."""

    base_url: str = "https://api.dev.runwayml.com"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/v1/tasks/{id}"),
        headers=(*BEARER, ("x-runway-version", "2024-11-06")),
        rate=10.0,
        # Nothing changes faster, says the vendor's own client.
        floor=timedelta(seconds=5),
        promises_outputs=True,
        renews_links=True,
        gone_is_final=True,
    )
