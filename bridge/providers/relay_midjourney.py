"""Midjourney through a relay: ids of digits, times in milliseconds, previews on the way."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from bridge.core.ladder import State
from bridge.core.reading.api import BEARER, Api, Batching, Call, Paging, Pairs
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

_image, _video, _videos = at("imageUrl"), at("videoUrl"), at("videoUrls")
_url = at("url")


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    several = _videos(document)
    return [
        {"type": "image", "url": _image(document)},
        {"type": "video", "url": _video(document)},
        *(
            {"type": "video", "url": _url(entry)}
            for entry in (several if isinstance(several, list) else ())
        ),
    ]


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["", "NOT_START", "SUBMITTED"],
            # MODAL waits for a person, who may never come.
            State.DREAMING: ["IN_PROGRESS", "MODAL"],
            State.COMPLETED: ["SUCCESS"],
            State.FAILED: ["FAILURE", "CANCEL"],
        }
    ),
    state=at("status"),
    outputs=_outputs,
    reason=at("failReason"),
    progress=at("progress"),
    created_at=at("submitTime"),
)


def _api(headers: Pairs, *, listing: Paging | None = None) -> Api:
    return Api(
        dialect=_DIALECT,
        get=Call(url="/mj/task/{id}/fetch"),
        batch=Batching(
            call=Call(
                url="/mj/task/list-by-condition", method="POST", json={"ids": "{ids}"}
            ),
            most=50,
        ),
        listing=listing,
        headers=headers,
        rate=5.0,
        floor=timedelta(seconds=3),
        makes="image",
    )


_APIS = {
    "bearer": _api(BEARER),
    "mj-api-secret": _api(
        (("mj-api-secret", "{key}"),),
        listing=Paging(call=Call(url="/mj/task/list"), items=lambda document: document),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks a relay; `auth: mj-api-secret` is the proxy that one runs oneself, with a list."""

    auth: Literal["bearer", "mj-api-secret"] = "bearer"

    @property
    def api(self) -> Api:
        """The API that is asked."""
        return _APIS[self.auth]
