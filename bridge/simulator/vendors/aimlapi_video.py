"""aimlapi-video: videos and audio, which its SDK looks for at the root."""

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, error_reply, no_such_path, single_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture
from bridge.simulator.vendors.aimlapi_documents import error
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["queued", "waiting"],
        State.DREAMING: ["generating", "active", "processing"],
        State.COMPLETED: ["completed"],
        State.FAILED: ["error"],
    }
)
_KINDS = {"/v2/video/generations": "video", "/v2/generate/audio": "audio"}


def document(picture: Picture) -> Document:
    """Return a generation; a video that is not there is null, a sound is left out."""
    return {
        "id": picture.id,
        "status": picture.word,
        **_file(picture),
        "error": _failure(picture) if picture.failed else None,
        "meta": {"usage": {"credits_used": 120_000}} if picture.completed else None,
    }


def _file(picture: Picture) -> Document:
    if picture.job.kind == "audio":
        return {"audio_file": {"url": picture.link("mp3")}} if picture.has_output else {}
    video = {"url": picture.link("mp4")} if picture.has_output else None
    model = picture.job.model or "luma/ray-3.2"
    return {"video": video, **({"model": model} if picture.completed else {})}


def _failure(picture: Picture) -> Document:
    name = "ModerationError" if picture.moderated else picture.job.code
    return {"name": name, "message": picture.job.reason}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once: this API cannot hold."""
    kind = _KINDS.get(call.path)
    if kind is None:
        return no_such_path(API, call, account)
    match call.method, call.value("generation_id"):
        case "POST", _:
            return create_reply(API, call, account, kind=kind)
        case "GET", str(id):
            return single_reply(API, id, call, account)
        case _:
            return error_reply(API, 400, "generation_id is required", call, account)


API = Api(
    creation=Creation(path="/v2/video/generations"),
    at_root="/v2/video/",
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
)
