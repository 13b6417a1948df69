"""Luma's platform for agents: one GET per generation, links that a new GET renews."""

from dataclasses import dataclass
from datetime import timedelta

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

# The vendor's own sample shows a queued generation with a failure and an output filled in.
_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["queued"],
            State.DREAMING: ["processing"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["failed"],
        }
    ),
    state=at("state"),
    outputs=at("output"),
    code=at("failure_code"),
    reason=at("failure_reason"),
    created_at=at("created_at"),
    model=at("model"),
    life=timedelta(hours=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks agents.lumalabs.ai, which has neither batch, list, hold nor webhook."""

    base_url: str = "https://agents.lumalabs.ai/v1"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/generations/{id}"),
        rate=10.0,
        floor=timedelta(seconds=2),
        promises_outputs=True,
        renews_links=True,
    )
