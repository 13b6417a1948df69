"""OpenAI's batches: up to a day for many requests at once, and one file of answers.

A batch that is completed may hold rows that failed, and one that expired has those that were
done: the counts, and the ids of both files, stand in `raw`. The link opens only with the key.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call, LinkTemplate, Paging
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.places import Find, at, objects
from bridge.core.reading.wordform import Words

_errors = at("errors.data")


def _of_the_first_error(name: str) -> Find:
    place = at(name)

    def found(document: Any) -> Any:  # noqa: ANN401  (any document)
        return next((place(error) for error in objects(_errors(document))), None)

    return found


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["validating"],
            State.DREAMING: ["in_progress", "finalizing", "cancelling"],
            State.COMPLETED: ["completed"],
            State.FAILED: ["failed", "expired", "cancelled"],
        }
    ),
    state=at("status"),
    code=_of_the_first_error("code"),
    reason=_of_the_first_error("message"),
    progress=at("request_counts.completed"),
    full=at("request_counts.total"),
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
        get=Call(url="/batches/{id}"),
        listing=Paging(
            call=Call(url="/batches", query=(("limit", "100"), ("after", "{last}"))),
            items=at("data"),
            more=at("has_more"),
        ),
        link=LinkTemplate(
            template="{base_url}/files/{output_file_id}/content",
            type="file",
            values={"output_file_id": at("output_file_id")},
        ),
        rate=10.0,
        floor=timedelta(seconds=30),
        makes="batch",
    )
