"""fal's queue: a status, and apart from it a result that is not kept for long.

An id is OWNER/APP/requests/REQUEST, or the whole status_url of the submission: a model's
sub-path is in neither. The result is fetched at once; what is wrong with it (a 4xx) is the
model's own failure. A failure has no word: it is COMPLETED with an `error`.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call, SecondCall
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.ids import is_url
from bridge.core.reading.outputs import every
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

_status, _error = at("status"), at("error")

_WORDS = Words.of(
    {
        State.QUEUED: ["IN_QUEUE"],
        State.DREAMING: ["IN_PROGRESS"],
        State.COMPLETED: ["COMPLETED"],
    }
)


def _failed(document: Any) -> bool:  # noqa: ANN401  (any document)
    spoken = _WORDS.read(_status(document))
    ended = spoken is not None and spoken.state is State.COMPLETED
    return ended and bool(_error(document))


def _result(one: str) -> str:
    """Return where the result is, should the status not tell."""
    return one.partition("?")[0].removesuffix("/status") if is_url(one) else "/{+id}"


_DIALECT = Dialect(
    words=_WORDS,
    state=_status,
    id=at("request_id"),
    failed_if=_failed,
    code=at("error_type"),
    reason=_error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks queue.fal.run; a key is ID:SECRET."""

    base_url: str = "https://queue.fal.run"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/{+id}/status", query=(("logs", "0"),)),
        headers=(("authorization", "Key {key}"),),
        hosts=("queue.fal.run",),
        result=SecondCall(
            link=at("response_url"),
            call=Call(url=_result),
            outputs=every(lambda document: document),
            judges=True,
        ),
        rate=10.0,
        floor=timedelta(milliseconds=500),
        makes="image",
    )
