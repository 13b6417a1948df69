"""Veo, and whatever else Google's API makes in long-running operations.

There is no state but the boolean `done`: `running` and `done` are our words for it. Done may
mean that nothing is left, for all was filtered: failed then. An id is the operation's name,
slashes and all. Links open only with the key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Complaints, Dialect
from bridge.core.reading.places import at, first, objects
from bridge.core.reading.wordform import Words

_done, _name, _error = at("done"), at("name"), at("error")
_samples = at("response.generateVideoResponse.generatedSamples")
_filters = at("response.generateVideoResponse.raiMediaFilteredReasons")
_code, _message, _uri = at("error.code"), first("error.message", "error"), at("video.uri")


def _state(document: Any) -> str | float | None:  # noqa: ANN401  (any document)
    done = _done(document)
    if done is True:
        return "done"
    if done is False or (done is None and isinstance(_name(document), str)):
        # An operation that runs leaves `done` out. An error document has no name, either.
        return "running"
    return done if isinstance(done, int | float) else None


def _failed(document: Any) -> bool:  # noqa: ANN401  (any document)
    left = _samples(document) and not _error(document)
    return _done(document) is True and not left


def _outputs(document: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  (any document)
    for sample in objects(_samples(document)):
        yield {"type": "video", "url": _uri(sample)}


def _why(document: Any) -> Any:  # noqa: ANN401  (any document)
    if _error(document):
        return _message(document)
    reasons = _filters(document)
    return reasons[0] if isinstance(reasons, list) and reasons else None


_DIALECT = Dialect(
    words=Words.of({State.DREAMING: ["running"], State.COMPLETED: ["done"]}),
    state=_state,
    id=_name,
    failed_if=_failed,
    outputs=lambda document: tuple(_outputs(document)),
    code=lambda document: _code(document) if _error(document) else "filtered",
    reason=_why,
    life=timedelta(hours=48),
    needs_key=True,
    complaints=Complaints(status=_code),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks generativelanguage.googleapis.com."""

    base_url: str = "https://generativelanguage.googleapis.com"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/v1beta/{+id}"),
        headers=(("x-goog-api-key", "{key}"),),
        rate=5.0,
        floor=timedelta(seconds=10),
    )
