"""relay-midjourney: tasks with ids of digits, previews while they run, and MODAL."""

from collections.abc import Sequence

from bridge.core.ladder import State
from bridge.simulator.account import Account, digits
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.doors import bearer, either, header
from bridge.simulator.exchange import Call, Document, Reply, json_reply
from bridge.simulator.picture import Picture, milliseconds
from bridge.simulator.vendors.relay_envelope import batch_reply
from bridge.simulator.words import Words

# MODAL waits for a person: a script that ends with it never ends.
_WORDS = Words(
    rungs={
        State.QUEUED: ["NOT_START", "SUBMITTED", ""],
        State.DREAMING: ["IN_PROGRESS", "MODAL"],
        State.COMPLETED: ["SUCCESS"],
        State.FAILED: ["FAILURE", "CANCEL"],
    },
    ends={"cancelled": "CANCEL"},
)
_UPSCALE = {"customId": "MJ::JOB::upsample::1::x", "label": "U1"}


def document(picture: Picture) -> Document:
    """Return a task; `imageUrl` is a preview until it succeeds."""
    job = picture.job
    is_video = picture.has_output and job.kind == "video"
    return {
        "id": job.id,
        "action": "VIDEO" if job.kind == "video" else "IMAGINE",
        "customId": "",
        "botType": "MID_JOURNEY",
        "prompt": job.prompt,
        "promptEn": job.prompt,
        "description": "ok",
        "state": "",
        "submitTime": milliseconds(job.created_at),
        "startTime": milliseconds(picture.began),
        "finishTime": milliseconds(picture.ended),
        "imageUrl": "" if is_video else _image(picture),
        "videoUrl": picture.link("mp4") if is_video else "",
        "videoUrls": None,
        "status": picture.word,
        "progress": picture.percent,
        "failReason": job.reason if picture.failed else "",
        "buttons": [_UPSCALE] if picture.has_output else [],
        "properties": {"finalPrompt": ""},
    }


def _image(picture: Picture) -> str:
    if picture.has_output:
        return picture.link("png")
    return picture.link("preview.webp") if picture.word == "IN_PROGRESS" else ""


def begun(picture: Picture) -> Document:
    """Return the answer to a creation."""
    return {
        "code": 1,
        "description": "Submit success",
        "properties": {},
        "result": picture.id,
    }


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document, as the new-api family has it."""
    return {"code": 4, "description": message, "type": "upstream_error"}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once; the list is that of the proxies that people run themselves."""
    match call.method, call.segments:
        case "GET", ("mj", "task", id, "fetch"):
            return single_reply(API, id, call, account)
        case "GET", ("mj", "task", "list"):
            pictures = account.pictures(account.newest(call.at), call.at)
            return json_reply([document(picture) for picture in pictures])
        case "POST", ("mj", "task", "list-by-condition"):
            return batch_reply(API, document, _bare, call, account)
        case "POST", ("mj", "submit", "imagine"):
            return create_reply(API, call, account, kind="image", status=200, shown=begun)
        case "POST", ("mj", "submit", "video"):
            return create_reply(API, call, account, status=200, shown=begun)
        case _:
            return no_such_path(API, call, account)


def _bare(items: Sequence[Document]) -> object:
    return items


API = Api(
    creation=Creation(path="/mj/submit/imagine", id="result"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    door=either(bearer, header("mj-api-secret")),
    hook=Hook(name="notifyHook"),
    ids=digits(16),
)
