"""Video and audio as AI/ML API sells them now: one path for all models.

The sample of the documents has an `error` beside `completed`: only the status counts. Its ids
may hold a colon, as in `UUID:stable-audio`. How long the links live is not known.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

_video, _audio = at("video.url"), at("audio_file.url")


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    return [
        {"type": "video", "url": _video(document)},
        {"type": "audio", "url": _audio(document)},
    ]


_DIALECT = Dialect(
    words=Words.of(
        {
            # The second word, and those after the first below, are said of audio.
            State.QUEUED: ["queued", "waiting"],
            State.DREAMING: ["generating", "active", "processing"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["error"],
        }
    ),
    state=at("status"),
    outputs=_outputs,
    code=at("error.name"),
    reason=at("error.message"),
    model=at("model"),
)


def _api(path: str, makes: str) -> Api:
    return Api(
        dialect=_DIALECT,
        get=Call(url=path, query=(("generation_id", "{id}"),)),
        rate=5.0,
        floor=timedelta(seconds=10),
        makes=makes,
    )


_APIS = {
    "video": _api("/v2/video/generations", "video"),
    "audio": _api("/v2/generate/audio", "music"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.aimlapi.com about what `media` says: the two have a path each."""

    base_url: str = "https://api.aimlapi.com"
    media: Literal["video", "audio"] = "video"

    @property
    def api(self) -> Api:
        """The API that is asked."""
        return _APIS[self.media]
