"""MiniMax's video API: a completed task names a file, whose link takes a second call."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.core.ladder import State
from bridge.core.reading.api import Api, Call, SecondCall
from bridge.core.reading.described import Described
from bridge.core.reading.dialect import Complaints, Dialect
from bridge.core.reading.links import is_link
from bridge.core.reading.places import at, first
from bridge.core.reading.wordform import Words

_code = at("base_resp.status_code")
_FILE = first("file.download_url", "file.backup_download_url", that=is_link)


def _outputs(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any document)
    return [{"type": "video", "url": _FILE(document)}]


# A `base_resp` with a number inside a 200 is the error of the request; with the word `Fail`
# it says why the generation failed.
_DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["Preparing", "Queueing"],
            State.DREAMING: ["Processing"],
            State.COMPLETED: ["Success"],
            State.FAILED: ["Fail"],
        }
    ),
    state=at("status"),
    id=at("task_id"),
    code=_code,
    reason=at("base_resp.status_msg"),
    life=timedelta(hours=9),
    complaints=Complaints(
        ok=lambda document: str(_code(document)).strip() == "0",
        code=_code,
        busy=frozenset({"1002"}),
        refused=frozenset({"1004", "1008"}),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Described):
    """Asks api.minimax.io; in China it is https://api.minimaxi.com."""

    base_url: str = "https://api.minimax.io"

    api = Api(
        dialect=_DIALECT,
        get=Call(url="/v1/query/video_generation", query=(("task_id", "{id}"),)),
        result=SecondCall(
            call=Call(url="/v1/files/retrieve", query=(("file_id", "{file_id}"),)),
            values={"file_id": at("file_id")},
            outputs=_outputs,
        ),
        rate=5.0,
        floor=timedelta(seconds=10),
    )
