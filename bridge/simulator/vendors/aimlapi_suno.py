"""aimlapi-suno: clips, and the second hold that really holds."""

from bridge.core.ladder import State
from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, error_reply, no_such_path, unknown_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Answering, Call, Document, Reply, json_reply
from bridge.simulator.holding import held
from bridge.simulator.links import FOLDER
from bridge.simulator.picture import Picture
from bridge.simulator.switches import OddWait
from bridge.simulator.vendors.aimlapi_documents import error
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["queued", "submitted"],
        State.DREAMING: ["streaming"],
        State.COMPLETED: ["complete", "completed"],
        State.FAILED: ["error"],
    }
)
_WAITABLE = {
    "queued": State.QUEUED,
    "streaming": State.DREAMING,
    "completed": State.COMPLETED,
}
_PATH = "/v2/generate/audio/suno-ai/clip"
_HOLD = 120.0


def document(picture: Picture) -> Document:
    """Return a clip: it has a live link while it streams, and a dead one where it failed."""
    job = picture.job
    return {
        "id": job.id,
        "title": "Paper Boat",
        "status": picture.word,
        "audio_url": _audio(picture),
        "image_url": "",
        "video_url": picture.link("mp4") if picture.has_output else "",
        "model_name": job.model or "chirp-v3",
        "created_at": rfc3339(job.created_at),
        "metadata": _metadata(picture),
    }


def _audio(picture: Picture) -> str:
    if picture.failed:
        return f"{picture.origin}/{FOLDER}/None.mp3"
    if picture.dreaming:
        return picture.link("live.mp3")
    return picture.link("mp3") if picture.has_output else ""


def _metadata(picture: Picture) -> Document:
    if picture.failed:
        kind = "moderation" if picture.moderated else picture.job.code
        return {"error_type": kind, "error_message": picture.job.reason}
    return {"duration": None, "prompt": picture.job.prompt, "tags": "folk", "task": None}


def answer(call: Call, account: Account) -> Answering | Reply:
    """Answer a call; a look can hold."""
    match call.method, call.path:
        case "GET", path if path == _PATH:
            return _look(call, account)
        case "POST", path if path == _PATH:
            return create_reply(API, call, account, kind="audio")
        case _:
            return no_such_path(API, call, account)


def _look(call: Call, account: Account) -> Answering:
    word, id_ = call.value("status"), call.value("clip_id")
    if not id_ or _is_refused(word, account):
        message = "clip_id must be a string, status one that can be awaited"
        return error_reply(API, 400, message, call, account)
    job = account.find(id_, call.at)
    if job is None:
        return unknown_reply(API, call, account)
    wanted = _WAITABLE.get(word or "")
    until = call.at if wanted is None else account.reaches(job, wanted)
    now = yield from held(API, until, _HOLD, call, account)
    if isinstance(now, Reply):
        return now
    (picture,) = account.pictures([job], now)
    return json_reply(document(picture))


def _is_refused(word: str | None, account: Account) -> bool:
    odd = word is not None and word not in _WAITABLE
    return odd and account.switches.odd_wait is OddWait.REFUSED


API = Api(
    creation=Creation(path=_PATH),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
)
