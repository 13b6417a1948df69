"""dream-machine: its documents, and what it answers."""

from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, error_reply, no_such_path, single_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply, json_reply
from bridge.simulator.picture import Picture
from bridge.simulator.words import LADDER

_MODELS = {"image": "photon-1", "video": "ray-2"}
_ENDINGS = {"image": "jpg", "video": "mp4"}
_PAGE = 100


def document(picture: Picture) -> Document:
    """Return a generation; a video in the making has a progress video, which is no output."""
    job = picture.job
    model = job.model or _MODELS[job.kind]
    return {
        "id": job.id,
        "generation_type": job.kind,
        "state": picture.word,
        "failure_reason": job.reason if picture.failed else None,
        "created_at": rfc3339(job.created_at),
        "assets": _assets(picture),
        "model": model,
        "request": {
            "generation_type": job.kind,
            "prompt": job.prompt,
            "aspect_ratio": "16:9",
            "model": model,
        },
    }


def _assets(picture: Picture) -> Document | None:
    kind = picture.job.kind
    if picture.has_output:
        return {kind: picture.link(_ENDINGS[kind])}
    if picture.dreaming and kind == "video":
        return {"progress_video": picture.link("progress.mp4")}
    return None


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    return {"detail": message}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once: this API cannot hold."""
    match call.method, call.segments[2:]:
        case "GET", ("generations",):
            return _page(call, account)
        case "GET", ("generations", id):
            return single_reply(API, id, call, account)
        case "POST", ("generations",) | ("generations", "video"):
            return create_reply(API, call, account)
        case "POST", ("generations", "image"):
            return create_reply(API, call, account, kind="image")
        case _:
            return no_such_path(API, call, account)


def _page(call: Call, account: Account) -> Reply:
    """Return a page of all generations, the newest first."""
    limit, offset = call.number("limit", _PAGE), call.number("offset", 0)
    if limit is None or offset is None or not 1 <= limit <= _PAGE:
        return error_reply(API, 400, "Invalid limit or offset", call, account)
    jobs = account.newest(call.at)
    chosen = account.pictures(jobs[offset : offset + limit], call.at)
    return json_reply(
        {
            "generations": [document(picture) for picture in chosen],
            "count": len(chosen),
            "limit": limit,
            "offset": offset,
            "has_more": offset + limit < len(jobs),
        }
    )


API = Api(
    creation=Creation(path="/generations"),
    base="/dream-machine/v1",
    words=LADDER,
    document=document,
    error=error,
    answer=answer,
    hook=Hook(name="callback_url"),
)
