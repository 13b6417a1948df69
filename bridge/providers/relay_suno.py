"""Suno through a relay: a task, and inside it clips with words of their own.

A clip streams while its task is in progress, and may fail inside a task that succeeds: the
task's word alone counts. How long the links live is not known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from bridge.core.reading.api import Api, Batching, Call
from bridge.core.reading.described import Described
from bridge.core.reading.places import at, objects
from bridge.core.reading.wordform import folded
from bridge.providers._relay_task import Links, task_dialect

_audio, _video, _status = at("audio_url"), at("video_url"), at("status")


def _failed(clip: object) -> bool:
    # The link of such a clip leads to a file called `None.mp3`.
    word = _status(clip)
    return isinstance(word, str) and folded(word) in ("error", "failed")


def _of_clips(place: str) -> Links:
    clips = at(place)

    def links(document: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401  (any document)
        for clip in objects(clips(document)):
            if not _failed(clip):
                yield {"type": "audio", "url": _audio(clip)}
                yield {"type": "video", "url": _video(clip)}

    def found(document: Any) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401  (any document)
        return tuple(links(document))

    return found


def _api(action: str) -> Api:
    body = {"ids": "{ids}", "action": action}
    return Api(
        dialect=task_dialect("data.", _of_clips("data.data")),
        get=Call(url="/suno/fetch/{id}"),
        batch=Batching(
            call=Call(url="/suno/fetch", method="POST", json=body),
            most=50,
            items=at("data"),
            dialect=task_dialect("", _of_clips("data")),
        ),
        rate=5.0,
        floor=timedelta(seconds=5),
        makes="music",
    )


_APIS = {action: _api(action) for action in ("MUSIC", "LYRICS")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks a relay; `action` is what is watched: a batch has tasks of one kind only."""

    action: Literal["MUSIC", "LYRICS"] = "MUSIC"

    @property
    def api(self) -> Api:
        """The API that is asked."""
        return _APIS[self.action]
