"""Luma's Dream Machine: one GET per generation, and pages of all of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call, Paging
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

_video, _image = at("assets.video"), at("assets.image")


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    # assets.progress_video shows up while it is dreaming and stays: it is no output.
    return [
        {"type": "video", "url": _video(document)},
        {"type": "image", "url": _image(document)},
    ]


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["queued"],
            State.DREAMING: ["dreaming"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["failed"],
        }
    ),
    state=at("state"),
    outputs=_outputs,
    reason=at("failure_reason"),
    created_at=at("created_at"),
    model=at("model"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.lumalabs.ai."""

    base_url: str = "https://api.lumalabs.ai/dream-machine/v1"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/generations/{id}"),
        listing=Paging(
            call=Call(url="/generations", query=(("limit", "100"), ("offset", "{seen}"))),
            items=at("generations"),
            more=at("has_more"),
        ),
        rate=5.0,
        floor=timedelta(seconds=3),
        promises_outputs=True,
    )
