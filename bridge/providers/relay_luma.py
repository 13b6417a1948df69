"""A relay of the new-api family on Luma's path: the same words, another body."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.looking import Abilities, Asking, Look
from bridge.core.reading.asking import ask_for_one
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.links import is_link
from bridge.core.reading.places import at, first
from bridge.core.reading.wordform import Words

_ABILITIES = Abilities(rate=5.0, floor=timedelta(seconds=5))

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
    life=timedelta(hours=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Asks a relay; whose it is only the user knows, so `base_url` is required."""

    api_key: str = field(repr=False)
    base_url: str

    @property
    def abilities(self) -> Abilities:
        """What this API can do."""
        return _ABILITIES

    def ask(self, look: Look) -> Asking:
        """Ask about one generation."""
        return ask_for_one(
            look,
            _DIALECT,
            base_url=self.base_url,
            template="/dream-machine/v1/generations/{id}",
            key=self.api_key,
        )
