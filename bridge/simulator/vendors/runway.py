"""runway: its tasks, and what it answers."""

from bridge.core.ladder import State
from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply, unknown_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture
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
_CREDITS = {"credits": 25}
_KINDS = {
    "text_to_video": "video",
    "image_to_video": "video",
    "video_to_video": "video",
    "text_to_image": "image",
}
_ENDINGS = {"image": "png", "video": "mp4"}


def document(picture: Picture) -> Document:
    """Return a task: each of its words comes with other members."""
    job = picture.job
    shown = {"id": job.id, "status": picture.word, "createdAt": rfc3339(job.created_at)}
    if picture.rank < State.COMPLETED:
        return {**shown, "estimatedCost": _CREDITS, **_progress(picture)}
    return {**shown, "cost": _CREDITS, **_end(picture)}


def _progress(picture: Picture) -> Document:
    return {"progress": round(picture.progress, 4)} if picture.dreaming else {}


def _end(picture: Picture) -> Document:
    if picture.completed:
        ending = _ENDINGS[picture.job.kind]
        return {"output": [picture.link(ending)] if picture.has_output else []}
    if picture.word == "CANCELLED":
        return {}
    code = "SAFETY.INPUT.TEXT" if picture.moderated else picture.job.code
    return {"failure": picture.job.reason, "failureCode": code}


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    return {"error": message}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once: this API cannot hold, list or batch."""
    match call.method, call.segments:
        case "GET", ("v1", "tasks", id):
            return single_reply(API, id, call, account)
        case "DELETE", ("v1", "tasks", id):
            return _delete(id, call, account)
        case "POST", ("v1", what) if what in _KINDS:
            return create_reply(
                API, call, account, kind=_KINDS[what], status=200, shown=_begun
            )
        case _:
            return no_such_path(API, call, account)


def _begun(picture: Picture) -> Document:
    return {"id": picture.id, "estimatedCost": _CREDITS}


def _delete(id: str, call: Call, account: Account) -> Reply:  # noqa: A002  (the domain's word)
    """Forget a task: the vendor does not show those that were aborted or deleted."""
    if account.find(id, call.at) is None:
        return unknown_reply(API, call, account)
    del account.jobs[id]
    return Reply(status=204, headers=())


API = Api(
    creation=Creation(path="/v1/text_to_video"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    link_life=86_400.0,
)
