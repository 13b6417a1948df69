"""Ideogram's generations that are not answered at once.

An image that was found unsafe has an empty link, and is no output. Polling is limited for an
organisation as a whole, with a Retry-After. Older keys ask `/v1/generations/ID`: there, an id is
that whole URL.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at, objects
from bridge.core.reading.wordform import Words

_images, _kind, _url = at("data"), at("object_type"), at("url")


def _outputs(document: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  (any document)
    for image in objects(_images(document)):
        yield {"type": _kind(image), "url": _url(image)}


_DIALECT = Dialect(
    words=Words.of(
        {
            State.DREAMING: ["pending"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["failed"],
        }
    ),
    state=at("status"),
    id=at("generation_id"),
    outputs=lambda document: tuple(_outputs(document)),
    reason=at("failure_reason"),
    created_at=at("created"),
    life=timedelta(hours=24),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.ideogram.ai."""

    base_url: str = "https://api.ideogram.ai"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/v2/generations/{id}"),
        headers=(("api-key", "{key}"),),
        rate=5.0,
        floor=timedelta(seconds=5),
        promises_outputs=True,
        makes="image",
    )
