"""luma-agents: its documents, and what it answers."""

from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account, Picture
from bridge.simulator.api import Api, create_reply, error_reply, single_reply
from bridge.simulator.exchange import Answering, Call, Document

_WORDS = {"dreaming": "processing"}
_MODELS = {"image": "uni-1", "video": "ray-3.2"}
_ENDINGS = {"image": "png", "video": "mp4"}


def document(picture: Picture) -> Document:
    """Return a generation; while it is queued nothing is said of failure or output."""
    job = picture.job
    shown = {
        "id": job.id,
        "created_at": rfc3339(job.created_at),
        "model": job.model or _MODELS[job.kind],
        "state": _WORDS.get(picture.word, picture.word),
        "type": job.kind,
    }
    if picture.word == "queued":
        return shown
    url = picture.link(_ENDINGS[job.kind]) if picture.has_output else None
    return {
        **shown,
        "failure_code": job.code if picture.failed else None,
        "failure_reason": job.reason if picture.failed else None,
        "output": url and [{"type": job.kind, "url": url}],
    }


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    return {"detail": message}


def answer(call: Call, account: Account) -> Answering:
    """Answer a call at once: this API cannot hold, list or batch."""
    yield from ()
    match call.method, call.segments:
        case "GET", ("v1", "generations", id):
            return single_reply(document, error, id, call, account)
        case "POST", ("v1", "generations"):
            return create_reply(document, error, call, account)
        case _:
            return error_reply(error, 404, "Not Found", call, account)


API = Api(base="/v1", error=error, answer=answer)
