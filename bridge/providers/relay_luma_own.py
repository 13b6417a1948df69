"""Luma on a relay's own path: one task is Luma's object, many are tasks around such objects.

The object inside a task of a batch is absent before the start: until then the task's own word
counts. Links are as on Luma's path: the clean ones first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Batching, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.links import is_link
from bridge.core.reading.places import at, first
from bridge.core.reading.wordform import Words
from bridge.providers._relay_task import ENVELOPE, TASK_WORDS, Links, or_left_over

_WORDS = Words.of(
    {
        State.QUEUED: ["pending", "queued", *TASK_WORDS[State.QUEUED]],
        State.DREAMING: ["processing", "dreaming", *TASK_WORDS[State.DREAMING]],
        State.COMPLETED: ["completed", *TASK_WORDS[State.COMPLETED]],
        State.FAILED: ["failed", *TASK_WORDS[State.FAILED]],
    }
)
_LIFE = timedelta(hours=1)


def _video(luma: str) -> Links:
    places = ("video.download_url", "video_raw.url", "video.url")
    link = first(*(luma + place for place in places), that=is_link)

    def found(document: Any) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401  (any document)
        return [{"type": "video", "url": link(document)}]

    return found


_DIALECT = Dialect(
    words=_WORDS,
    state=at("state"),
    outputs=_video(""),
    reason=at("failure_reason"),
    created_at=at("created_at"),
    model=at("model"),
    life=_LIFE,
    complaints=ENVELOPE,
)
_TASK = Dialect(
    words=_WORDS,
    state=first("data.state", "status"),
    id=at("task_id"),
    outputs=or_left_over(_video("data."), "fail_reason"),
    reason=first("data.failure_reason", "fail_reason"),
    created_at=first("submit_time", "created_at"),
    model=at("data.model"),
    life=_LIFE,
    complaints=ENVELOPE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks a relay; whose it is only the user knows, so `base_url` is required."""

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/luma/generations/{id}"),
        batch=Batching(
            call=Call(url="/luma/tasks", method="POST", json={"ids": "{ids}"}),
            most=50,
            items=at("data"),
            dialect=_TASK,
        ),
        rate=5.0,
        floor=timedelta(seconds=5),
    )
