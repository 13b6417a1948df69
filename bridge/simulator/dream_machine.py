"""dream-machine: its documents, and what it answers."""

from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account, Picture
from bridge.simulator.api import Api, create_reply, error_reply, single_reply
from bridge.simulator.exchange import Answering, Call, Document, Reply, json_reply

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
    if picture.word == "dreaming" and kind == "video":
        return {"progress_video": picture.link("progress.mp4")}
    return None


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    return {"detail": message}


def answer(call: Call, account: Account) -> Answering:
    """Answer a call at once: this API cannot hold."""
    yield from ()
    match call.method, call.segments[2:]:
        case "GET", ("generations",):
            return _page(call, account)
        case "GET", ("generations", id):
            return single_reply(document, error, id, call, account)
        case "POST", ("generations",) | ("generations", "video"):
            return create_reply(document, error, call, account, kind="video")
        case "POST", ("generations", "image"):
            return create_reply(document, error, call, account, kind="image")
        case _:
            return error_reply(error, 404, "Not Found", call, account)


def _page(call: Call, account: Account) -> Reply:
    """Return a page of all generations, the newest first."""
    limit, offset = _number(call, "limit", _PAGE), _number(call, "offset", 0)
    if limit is None or offset is None or not 1 <= limit <= _PAGE:
        return error_reply(error, 400, "Invalid limit or offset", call, account)
    jobs = [job for one in reversed(account.jobs) if (job := account.find(one, call.at))]
    stale, chosen = account.is_stale(), jobs[offset : offset + limit]
    if stale:
        chosen.reverse()
    return json_reply(
        {
            "generations": [
                document(account.picture(job, call.at, stale=stale)) for job in chosen
            ],
            "count": len(chosen),
            "limit": limit,
            "offset": offset,
            "has_more": offset + limit < len(jobs),
        }
    )


def _number(call: Call, name: str, default: int) -> int | None:
    text = call.value(name)
    if text is None:
        return default
    return int(text) if text.isdecimal() and len(text) < 10 else None


API = Api(base="/dream-machine/v1", error=error, answer=answer)
