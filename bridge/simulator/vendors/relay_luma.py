"""relay-luma: Luma's path with another body, and what the gateway answers."""

from bridge.core.ladder import State
from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture
from bridge.simulator.words import Words

WORDS = Words(
    rungs={
        State.QUEUED: ["pending", "queued"],
        State.DREAMING: ["processing", "dreaming"],
        State.COMPLETED: ["completed"],
        State.FAILED: ["failed"],
    }
)
_SIZE = {"width": 752, "height": 1360}
_CODES = {
    400: "invalid_request",
    401: "invalid_api_key",
    404: "task_not_exist",
    429: "rate_limit_exceeded",
}


def document(picture: Picture) -> Document:
    """Return a generation; `video.url` is watermarked, the other links to the video are not."""
    job = picture.job
    shown = {
        "id": job.id,
        "liked": None,
        "state": picture.word,
        "video": None,
        "prompt": job.prompt,
        "created_at": rfc3339(job.created_at),
        "queue_state": None,
        "estimate_wait_seconds": None,
    }
    if picture.failed:
        return {**shown, "failure_reason": job.reason}
    return {**shown, **_made(picture)} if picture.has_output else shown


def _made(picture: Picture) -> Document:
    clean = picture.link("mp4")
    return {
        "video": {
            "url": picture.link("watermarked.mp4"),
            **_SIZE,
            "download_url": clean,
        },
        "video_raw": {"url": clean, **_SIZE},
        "thumbnail": {"url": picture.link("thumbnail.jpg"), **_SIZE},
        "last_frame": {"url": picture.link("last.jpg"), **_SIZE},
    }


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the gateway's envelope around an error."""
    code = _CODES.get(status, "upstream_error")
    return {"code": code, "message": message, "data": None}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once: the gateway cannot hold."""
    match call.method, call.segments:
        case "GET", ("dream-machine", "v1", "generations", id):
            return single_reply(API, id, call, account)
        case "POST", ("dream-machine", "v1", "generations"):
            return create_reply(API, call, account)
        case _:
            return no_such_path(API, call, account)


API = Api(
    creation=Creation(path="/dream-machine/v1/generations"),
    words=WORDS,
    document=document,
    error=error,
    answer=answer,
    hook=Hook(name="notify_hook"),
)
