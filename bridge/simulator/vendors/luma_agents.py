"""luma-agents: its documents, and what it answers."""

from bridge.core.ladder import State
from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply, read_object
from bridge.simulator.picture import Picture
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["queued"],
        State.DREAMING: ["processing"],
        State.COMPLETED: ["completed"],
        State.FAILED: ["failed"],
    }
)
_MODELS = {"image": "uni-1", "video": "ray-3.2"}
_ENDINGS = {"image": "png", "video": "mp4"}


def document(picture: Picture) -> Document:
    """Return a generation; while it is queued nothing is said of failure or output."""
    job = picture.job
    shown = {
        "id": job.id,
        "created_at": rfc3339(job.created_at),
        "model": job.model or _MODELS[job.kind],
        "state": picture.word,
        "type": job.kind,
    }
    if picture.queued:
        return shown
    url = picture.link(_ENDINGS[job.kind]) if picture.has_output else None
    return {
        **shown,
        "failure_code": _code(picture) if picture.failed else None,
        "failure_reason": job.reason if picture.failed else None,
        "output": url and [{"type": job.kind, "url": url}],
    }


def _code(picture: Picture) -> str:
    return "content_moderated" if picture.moderated else picture.job.code


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    return {"detail": message}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once: this API cannot hold, list or batch."""
    match call.method, call.segments:
        case "GET", ("v1", "generations", id):
            return single_reply(API, id, call, account)
        case "POST", ("v1", "generations"):
            return create_reply(API, call, account, kind=_kind(call))
        case _:
            return no_such_path(API, call, account)


def _kind(call: Call) -> str:
    wish = read_object(call.body) or {}
    return "video" if "video" in str(wish.get("type")) else "image"


API = Api(
    creation=Creation(path="/generations"),
    base="/v1",
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
)
