"""FLUX of Black Forest Labs: one GET, whose status may also say that there is no such task.

The `polling_url` of the creation is bound to a region: given as the id, it is asked as it is.
`Task not found` is what the API says shortly after a creation, too: missing, never failed.
"""

from dataclasses import dataclass
from datetime import timedelta

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Complaints, Dialect
from bridge.core.reading.places import at, first
from bridge.core.reading.wordform import Words

_status = at("status")

_DIALECT = Dialect(
    words=Words.of(
        {
            State.DREAMING: ["Pending"],
            State.COMPLETED: ["Ready"],
            State.FAILED: ["Request Moderated", "Content Moderated", "Error"],
        }
    ),
    state=_status,
    outputs=at("result.sample"),
    reason=first("message", "details"),
    progress=at("progress"),
    life=timedelta(minutes=10),
    complaints=Complaints(code=_status, missing=frozenset({"task_not_found"})),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.bfl.ai, and its regions where an id is a whole polling_url."""

    base_url: str = "https://api.bfl.ai"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/v1/get_result", query=(("id", "{id}"),)),
        headers=(("x-key", "{key}"),),
        hosts=("*.bfl.ai",),
        rate=10.0,
        floor=timedelta(milliseconds=500),
        promises_outputs=True,
        makes="image",
    )
