"""Luma as AI/ML API sells it: the one API that holds an answer until a state is reached."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Batching, Call, Holding
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.links import is_link
from bridge.core.reading.places import at, first
from bridge.core.reading.wordform import Words

_PATH = "/v2/generate/video/luma-ai/generation"

_WORDS = Words.of(
    {
        State.QUEUED: ["queued"],
        State.DREAMING: ["dreaming"],
        State.COMPLETED: ["completed"],
        State.FAILED: ["failed"],
    }
)

# The object's shape is documented nowhere; each of these was seen by somebody, the
# likeliest first.
_VIDEO = first("assets.video", "video.url", "video_url", "data.videoUrl", that=is_link)
_image = at("assets.image")


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    return [
        {"type": "video", "url": _VIDEO(document)},
        {"type": "image", "url": _image(document)},
    ]


_DIALECT = Dialect(
    words=_WORDS,
    state=first("state", "data.state", "status", "data.status", that=_WORDS.speaks),
    id=first("id", "generation_id", "data.id", "data.jobId"),
    outputs=_outputs,
    reason=first("failure_reason", "error.message", "data.failure_reason"),
    created_at=first("created_at", "data.created_at"),
    model=first("model", "data.model"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.aimlapi.com, or its white label api.umamiai.xyz."""

    base_url: str = "https://api.aimlapi.com"

    api = Api(
        dialect=_DIALECT,
        get=Call(url=_PATH, query=(("generation_id", "{id}"),)),
        # The vendor's pages call it `state` here and `status` there, and who sends the name
        # that is not meant gets an answer at once without noticing: both are sent.
        hold=Holding(
            query=(("state", "{until}"), ("status", "{until}")),
            limit=timedelta(seconds=30),
        ),
        batch=Batching(
            call=Call(url=f"{_PATH}s", query=(("generation_ids[]", "{ids}"),)), most=50
        ),
        rate=10.0,
        floor=timedelta(),
    )
