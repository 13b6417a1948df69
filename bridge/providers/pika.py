"""Pika, of which only the shape of its answers is known, and that from others.

Who serves it is not known: `base_url` is required. Nor are its errors, and how long its links
live.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

_url = at("url")


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    return [{"type": "video", "url": _url(document)}]


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["queued"],
            State.DREAMING: ["started"],
            State.COMPLETED: ["finished"],
            State.FAILED: ["failed"],
        }
    ),
    state=at("status"),
    outputs=_outputs,
    reason=at("error"),
    progress=at("progress"),
    full=lambda _: 100,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks whoever serves Pika's API."""

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/videos/{id}"),
        rate=5.0,
        floor=timedelta(seconds=5),
    )
