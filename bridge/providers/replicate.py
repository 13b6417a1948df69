"""Replicate: one GET per prediction, and pages of all of them with a link to the next.

`output` is whatever JSON the model makes: every link in it counts. Outputs vanish an hour after
the end. How far a prediction is stands in its logs alone.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call, Paging
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.outputs import every
from bridge.core.reading.places import at
from bridge.core.reading.wordform import Words

_TAIL = 4_000
"""Characters at the end of the logs in which the newest percentage is looked for."""

_BAR = re.compile(r"(?<![0-9.])[0-9]{1,3}%(?=\s*\|)", re.ASCII)
"""A progress bar, such as ` 42%|####2     | 21/50`."""

_logs = at("logs")


def _progress(document: Any) -> str | None:  # noqa: ANN401  (any document)
    logs = _logs(document)
    shares = _BAR.findall(logs[-_TAIL:]) if isinstance(logs, str) else ()
    return shares[-1] if shares else None


_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["starting"],
            State.DREAMING: ["processing"],
            State.COMPLETED: ["succeeded"],
            # The vendor's own client does not know `aborted`.
            State.FAILED: ["failed", "canceled", "aborted"],
        }
    ),
    state=at("status"),
    outputs=every(at("output")),
    reason=at("error"),
    progress=_progress,
    created_at=at("created_at"),
    model=at("model"),
    life=timedelta(hours=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.replicate.com, which documents a limit of 3,000 reads a minute."""

    base_url: str = "https://api.replicate.com"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/v1/predictions/{id}"),
        listing=Paging(
            call=Call(url="/v1/predictions"), items=at("results"), next=at("next")
        ),
        rate=40.0,
        floor=timedelta(milliseconds=500),
        makes="image",
    )
