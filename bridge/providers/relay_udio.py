"""Udio through a relay: a task, and songs one level deeper than Suno's clips.

Only the path and the place of the songs are known from others; that a song's link is
`song_path`, and everything else here, is inferred from the relay's other tasks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.links import is_link
from bridge.core.reading.places import at, first, objects
from bridge.providers._relay_task import task_dialect

_songs = at("data.data.songs")
_SONG = first("song_path", "audio_url", that=is_link)


def _outputs(document: Any) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401  (any document)
    return [{"type": "audio", "url": _SONG(song)} for song in objects(_songs(document))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks a relay; whose it is only the user knows, so `base_url` is required."""

    api = Api(
        dialect=task_dialect("data.", _outputs),
        get=Call(url="/udio/fetch/{id}"),
        rate=5.0,
        floor=timedelta(seconds=5),
        makes="music",
    )
