"""OpenAI's videos, and what keeps their shape: relays, Azure.

No document has a link: it follows from the id, and opens only with the key. A header says when
to look again. OpenAI itself has closed this API; another `base_url` is what to watch now.
"""

from dataclasses import dataclass
from datetime import timedelta

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call, LinkTemplate, Paging
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["queued"],
            State.DREAMING: ["in_progress"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["failed"],
        }
    ),
    state=at("status"),
    code=at("error.code"),
    reason=at("error.message"),
    progress=at("progress"),
    full=lambda _: 100,
    created_at=at("created_at"),
    model=at("model"),
    needs_key=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.openai.com, or whoever has the same API."""

    base_url: str = "https://api.openai.com/v1"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/videos/{id}"),
        listing=Paging(
            call=Call(url="/videos", query=(("limit", "100"), ("after", "{last}"))),
            items=at("data"),
            more=at("has_more"),
        ),
        link=LinkTemplate(template="{base_url}/videos/{id}/content", type="video"),
        hint="openai-poll-after-ms",
        rate=10.0,
        floor=timedelta(seconds=2),
    )
