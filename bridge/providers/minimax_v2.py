"""MiniMax's second video API: real HTTP statuses, and the link in the task itself.

A task of more than seven days is `invalid task_id`: missing. A new GET renews the links. What a
list holds its tasks in is not known: the first list of objects is taken, with or without a
`task` around each.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call, Paging
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Complaints, Dialect
from bridge.core.reading.places import Find, at, first
from bridge.core.reading.wordform import Words

_WORDS = Words.of(
    {
        State.QUEUED: ["queued"],
        State.DREAMING: ["running"],
        State.COMPLETED: ["succeeded"],
        State.FAILED: ["failed", "cancelled", "expired"],
    }
)


def _dialect(*tasks: str) -> Dialect:
    def of(place: str) -> Find:
        return first(*(task + place for task in tasks))

    link = of("content.url")

    def outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
        return [{"type": "video", "url": link(document)}]

    return Dialect(
        words=_WORDS,
        state=of("status"),
        id=of("id"),
        outputs=outputs,
        code=of("error.code"),
        reason=of("error.message"),
        created_at=of("created_at"),
        model=of("model"),
        life=timedelta(hours=9),
        complaints=Complaints(status=at("error.http_code")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.minimax.io; in China it is https://api.minimaxi.com."""

    base_url: str = "https://api.minimax.io"

    api = Api(
        dialect=_dialect("task."),
        get=Call(url="/v2/query/video_generation/{id}"),
        listing=Paging(
            call=Call(
                url="/v2/query/video_generation",
                query=(("page_num", "{page}"), ("page_size", "100")),
            ),
            dialect=_dialect("task.", ""),
        ),
        rate=5.0,
        floor=timedelta(seconds=5),
        promises_outputs=True,
        renews_links=True,
    )
