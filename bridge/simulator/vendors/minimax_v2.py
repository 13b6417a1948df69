"""minimax-v2: real statuses, a list, and tasks that are forgotten after a week."""

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import (
    Api,
    Creation,
    error_reply,
    no_such_path,
    single_reply,
    unknown_reply,
)
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply, json_reply
from bridge.simulator.picture import Job, Picture, seconds
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["queued"],
        State.DREAMING: ["running"],
        State.COMPLETED: ["succeeded"],
        State.FAILED: ["failed", "cancelled", "expired"],
    },
    ends={"cancelled": "cancelled", "expired": "expired"},
)
_FLAGGED = "1026"
_KINDS = {
    400: "bad_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_WEEK = 7 * 86_400.0
_MOST = 100


def document(picture: Picture) -> Document:
    """Return a task in its envelope."""
    return {"task": task(picture)}


def task(picture: Picture) -> Document:
    """Return a task as lists have it, too."""
    shown = {
        "id": picture.id,
        "model": picture.job.model or "MiniMax-H3",
        "status": picture.word,
        "created_at": seconds(picture.job.created_at),
    }
    if picture.failed:
        return {**shown, "error": {"code": _code(picture), "message": picture.job.reason}}
    return (
        {**shown, "content": {"url": picture.link("mp4")}} if picture.has_output else shown
    )


def _code(picture: Picture) -> str:
    code = picture.job.code
    return code if code.isdecimal() else _FLAGGED


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document, which tells the status as a text."""
    kind = _KINDS.get(status, "api_error")
    return {
        "type": "error",
        "error": {"type": kind, "message": message, "http_code": str(status)},
        "request_id": account.new_id(),
    }


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once."""
    match call.method, call.segments:
        case "GET", ("v2", "query", "video_generation", id):
            return _one(id, call, account)
        case "GET", ("v2", "query", "video_generation"):
            return _page(call, account)
        case "POST", ("v2", "video_generation"):
            return create_reply(API, call, account, status=200)
        case _:
            return no_such_path(API, call, account)


def _one(id: str, call: Call, account: Account) -> Reply:  # noqa: A002  (the domain's word)
    message = "invalid params, invalid task_id (2013)"
    unknown = error_reply(API, 400, message, call, account)
    job = account.find(id, call.at)
    if job is not None and _is_forgotten(job, call):
        return unknown_reply(API, call, account, unknown)
    return single_reply(API, id, call, account, unknown)


def _is_forgotten(job: Job, call: Call) -> bool:
    return call.at - job.started > _WEEK


def _page(call: Call, account: Account) -> Reply:
    """Return a page, the newest first; the name of its container is not documented."""
    page, size = call.number("page_num", 1), call.number("page_size", 20)
    if not page or size is None or not 1 <= size <= _MOST:
        return error_reply(API, 400, "invalid params (2013)", call, account)
    jobs = [job for job in account.newest(call.at) if not _is_forgotten(job, call)]
    pictures = account.pictures(jobs[(page - 1) * size : page * size], call.at)
    return json_reply(
        {"tasks": [task(picture) for picture in pictures], "total": len(jobs)}
    )


API = Api(
    creation=Creation(path="/v2/video_generation", id="task.id"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    link_life=9 * 3600.0,
)
