"""Stability: the HTTP status is the state, and the answer may be the file itself.

202 is dreaming and 200 completed, unless the document says that the content was filtered. The
link is the asked URL, which opens only with the key. An id with slashes is asked as a path of
its own, such as `image-to-video/result/ID`. Limits are not known.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import BEARER, Api, Call, LinkTemplate
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at, first
from bridge.core.reading.wordform import Words, folded

_reason = at("finish_reason")


def _filtered(document: Any) -> bool:  # noqa: ANN401  (any document)
    reason = _reason(document)
    return isinstance(reason, str) and folded(reason) == "content_filtered"


def _place(one: str) -> str:
    return "/v2beta/{+id}" if "/" in one else "/v2beta/results/{id}"


_DIALECT = Dialect(
    words=Words.of({}),
    state=first("finish_reason", "status"),
    by_status={202: State.DREAMING, 200: State.COMPLETED},
    failed_if=_filtered,
    code=_reason,
    life=timedelta(hours=24),
    needs_key=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.stability.ai."""

    base_url: str = "https://api.stability.ai"

    api = Api(
        dialect=_DIALECT,
        get=Call(url=_place),
        headers=(*BEARER, ("accept", "application/json")),
        link=LinkTemplate(template="{asked}", type="file"),
        rate=5.0,
        floor=timedelta(seconds=10),
        makes="image",
    )
