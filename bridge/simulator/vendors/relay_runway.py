"""relay-runway: Runway's words in a body of the relay's; only its envelope is documented."""

from bridge.core.ladder import State
from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture
from bridge.simulator.vendors.relay_envelope import UNKNOWN, error
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["PENDING", "THROTTLED"],
        State.DREAMING: ["RUNNING"],
        State.COMPLETED: ["SUCCEEDED"],
        State.FAILED: ["FAILED", "CANCELLED"],
    },
    ends={"cancelled": "CANCELLED"},
)


def document(picture: Picture) -> Document:
    """Return a task; its progress is a text."""
    shown = {
        "id": picture.id,
        "createdAt": rfc3339(picture.job.created_at),
        "updatedAt": rfc3339(picture.updated),
        "taskType": picture.job.model or "gen3a",
        "status": picture.word,
        "progressRatio": f"{picture.progress:g}",
        "artifacts": [{"url": picture.link("mp4")}] if picture.has_output else [],
    }
    if picture.failed:
        return {"task": {**shown, "error": {"reason": picture.job.reason}}}
    return {"task": shown if picture.completed else {**shown, "name": "Gen-3"}}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once; the path of creations is inferred."""
    match call.method, call.segments:
        case "GET", ("runway", "tasks", id):
            return single_reply(API, id, call, account, UNKNOWN)
        case "POST", ("runway", "tasks"):
            return create_reply(API, call, account, status=200)
        case _:
            return no_such_path(API, call, account)


API = Api(
    creation=Creation(path="/runway/tasks", id="task.id"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
)
