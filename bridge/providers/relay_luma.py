"""A relay of the new-api family on Luma's path: the same words, another body."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.links import is_link
from bridge.core.reading.places import at, first
from bridge.core.reading.wordform import Words

# `video.url` is watermarked; the relay adds the clean `download_url`, VIP accounts have
# `video_raw`.
_VIDEO = first(
    "video.download_url", "video_raw.url", "video.url", "assets.video", that=is_link
)


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    return [{"type": "video", "url": _VIDEO(document)}]


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["pending", "queued"],
            State.DREAMING: ["processing", "dreaming"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["failed"],
        }
    ),
    state=at("state"),
    outputs=_outputs,
    reason=at("failure_reason"),
    created_at=at("created_at"),
    model=at("model"),
    life=timedelta(hours=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks a relay; whose it is only the user knows, so `base_url` is required."""

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/dream-machine/v1/generations/{id}"),
        rate=5.0,
        floor=timedelta(seconds=5),
    )
