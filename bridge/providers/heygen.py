"""HeyGen: a video inside an envelope whose code for good is 100.

All of it is known from others; the newer path `/v2/videos/ID`, whose failure has fields of its
own, is understood where the id is that whole URL. What the codes of errors mean, and the limits,
are not known.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Complaints, Dialect
from bridge.core.reading.places import as_text, at, first
from bridge.core.reading.wordform import Words

_code, _video = at("code"), at("data.video_url")


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    return [{"type": "video", "url": _video(document)}]


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["pending", "waiting"],
            State.DREAMING: ["processing"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["failed"],
        }
    ),
    state=at("data.status"),
    id=at("data.id"),
    outputs=_outputs,
    code=first("data.error.code", "data.failure_code"),
    reason=first("data.error", "data.failure_message"),
    created_at=at("data.created_at"),
    life=timedelta(days=7),
    complaints=Complaints(ok=lambda document: as_text(_code(document)) in ("100", None)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.heygen.com."""

    base_url: str = "https://api.heygen.com"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/v1/video_status.get", query=(("video_id", "{id}"),)),
        headers=(("x-api-key", "{key}"),),
        rate=5.0,
        floor=timedelta(seconds=5),
    )
