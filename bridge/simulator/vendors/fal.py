"""fal: a queue with a status and, apart from it, a result."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from bridge.core.ladder import State
from bridge.simulator.account import Account, uuid
from bridge.simulator.api import Api, Creation, error_reply, no_such_path, unknown_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.doors import scheme
from bridge.simulator.exchange import Call, Document, Reply, json_reply
from bridge.simulator.keyed import expiry
from bridge.simulator.picture import Job, Picture
from bridge.simulator.second import second_reply
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["IN_QUEUE"],
        State.DREAMING: ["IN_PROGRESS"],
        State.COMPLETED: ["COMPLETED"],
        # A failure has no word of its own: it is COMPLETED with an error.
        State.FAILED: ["COMPLETED"],
    }
)
_APP = "acme/clip"
_MODEL_ERROR = json_reply(
    {
        "detail": [
            {
                "loc": ["body", "prompt"],
                "msg": "The content could not be processed",
                "type": "content_policy_violation",
            }
        ]
    },
    422,
)


def document(picture: Picture) -> Document:
    """Return a status; the result has another URL, and a failure no result at all."""
    path = _path(picture.id)
    shown = {"status": picture.word, "request_id": path.rpartition("/")[2]}
    if picture.failed:
        return {**shown, "logs": None, "metrics": {}, **_failure(picture)}
    urls = _urls(path, picture.origin)
    shown |= {name: urls[name] for name in ("response_url", "status_url")}
    if picture.queued:
        return {**shown, "queue_position": 3}
    if picture.dreaming:
        return {**shown, "logs": None}
    return {**shown, "logs": None, "metrics": {"inference_time": 12.9}}


def _failure(picture: Picture) -> Document:
    code = "content_policy_violation" if picture.moderated else picture.job.code
    return {"error": picture.job.reason, "error_type": code}


def _urls(path: str, origin: str) -> dict[str, str]:
    url = f"{origin}/fal/{path}"
    return {
        "response_url": url,
        "status_url": f"{url}/status",
        "cancel_url": f"{url}/cancel",
    }


def _path(id: str) -> str:  # noqa: A002  (the domain's word)
    """Return OWNER/APP/requests/REQUEST for an id, which may be the last of them alone."""
    return id if "/" in id else f"{_APP}/requests/{id}"


def _result(picture: Picture) -> Document:
    video = {"url": picture.link("mp4"), "content_type": "video/mp4"}
    return {"video": video if picture.has_output else None, "seed": 7}


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    return {"detail": message}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once."""
    match call.method, call.segments:
        case "GET", (_, *_, "status") as path:
            return _status(_found(path[:-1], call, account), call, account)
        case "GET", (_, _, "requests", _) as path:
            return _response(_found(path, call, account), call, account)
        case "POST", (owner, app, *_):
            return _submit(f"{owner}/{app}", call, account)
        case _:
            return no_such_path(API, call, account)


def _found(path: Sequence[str], call: Call, account: Account) -> Job | None:
    """Return a job by its whole id, or by the request at the end of it."""
    return account.find("/".join(path), call.at) or account.find(path[-1], call.at)


def _submit(app: str, call: Call, account: Account) -> Reply:
    """Begin a request; a sub-path of the model is no part of its URLs."""

    def shown(picture: Picture) -> Document:
        return {**document(picture), **_urls(picture.id, picture.origin)}

    api = replace(API, ids=lambda chance: f"{app}/requests/{uuid(chance)}")
    return create_reply(api, call, account, status=200, shown=shown)


def _status(job: Job | None, call: Call, account: Account) -> Reply:
    if job is None:
        return unknown_reply(API, call, account)
    (picture,) = account.pictures([job], call.at)
    shown, logged = document(picture), call.value("logs") in ("1", "true")
    if logged and "logs" in shown:
        shown["logs"] = [{"message": "Generating", "level": "INFO"}]
    return json_reply(shown, 200 if picture.rank >= State.COMPLETED else 202)


def _response(job: Job | None, call: Call, account: Account) -> Reply:
    """Return the result, as long as it is kept; where there is none, the model's error."""
    if job is None:
        return unknown_reply(API, call, account)
    picture = account.picture(job, call.at, stale=False)
    ends = expiry(picture)
    if ends is None:
        return error_reply(API, 400, "Request is still in progress", call, account)
    if account.clock.now() >= ends:
        return unknown_reply(API, call, account)
    good = _MODEL_ERROR if picture.failed else json_reply(_result(picture))
    return second_reply(API, job.id, call, account, good=good, model_error=_MODEL_ERROR)


def _hooked(picture: Picture) -> Document:
    request = _path(picture.id).rpartition("/")[2]
    told = {"request_id": request, "gateway_request_id": request}
    if picture.failed:
        return {**told, "status": "ERROR", "error": picture.job.reason, "payload": None}
    return {**told, "status": "OK", "payload": _result(picture)}


def _id(chance: Random) -> str:
    return _path(uuid(chance))


API = Api(
    creation=Creation(path=f"/{_APP}", id="status_url", header="authorization: Key any"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    ids=_id,
    door=scheme("key"),
    hook=Hook(name="fal_webhook", document=_hooked, only_end=True),
)
