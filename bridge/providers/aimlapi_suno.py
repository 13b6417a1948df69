"""Suno as AI/ML API sold it: the other API that holds an answer until a state is reached.

While a clip is `streaming` its link is a live stream, and after an error it is a `None.mp3`:
links count only once it is complete. The vendor has taken the page down.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call, Holding
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

_audio, _video = at("audio_url"), at("video_url")


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    return [
        {"type": "audio", "url": _audio(document)},
        {"type": "video", "url": _video(document)},
    ]


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["submitted", "queued"],
            State.DREAMING: ["streaming"],
            # One page of the documents has the one word, another page the other.
            State.COMPLETED: ["complete", "completed"],
            State.FAILED: ["error"],
        }
    ),
    state=at("status"),
    outputs=_outputs,
    code=at("metadata.error_type"),
    reason=at("metadata.error_message"),
    created_at=at("created_at"),
    model=at("model_name"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.aimlapi.com."""

    base_url: str = "https://api.aimlapi.com"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/v2/generate/audio/suno-ai/clip", query=(("clip_id", "{id}"),)),
        hold=Holding(
            query=(("status", "{until}"),),
            limit=timedelta(seconds=120),
            words={State.DREAMING: "streaming"},
        ),
        rate=5.0,
        floor=timedelta(),
        makes="music",
    )
