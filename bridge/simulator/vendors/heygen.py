"""heygen: its documents, the older ones and the newer ones, and what it answers."""

from dataclasses import replace
from random import Random

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, error_reply, no_such_path, single_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.doors import header
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["pending", "waiting"],
        State.DREAMING: ["processing"],
        State.COMPLETED: ["completed"],
        State.FAILED: ["failed"],
    }
)
_LENGTH = 12.3


def document(picture: Picture) -> Document:
    """Return a video in the older envelope."""
    failure = {"code": 40119, "message": picture.job.reason, "detail": "limit reached"}
    data = {**_video(picture), "error": failure if picture.failed else None}
    return {"code": 100, "message": "Success", "data": data}


def _newer(picture: Picture) -> Document:
    """Return a video in the newer envelope."""
    failed, job = picture.failed, picture.job
    failure = {
        "failure_code": job.code if failed else None,
        "failure_message": job.reason if failed else None,
    }
    return {"error": None, "data": {**_video(picture), **failure}}


def _video(picture: Picture) -> Document:
    there = picture.has_output
    return {
        "id": picture.id,
        "status": picture.word,
        "video_url": picture.link("mp4") if there else None,
        "thumbnail_url": picture.link("jpg") if there else None,
        "duration": _LENGTH if there else None,
    }


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    return {"code": 400_000 + status, "message": message, "data": None}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once."""
    match call.method, call.segments:
        case "GET", ("v1", "video_status.get"):
            id_ = call.value("video_id")
            if not id_:
                return error_reply(API, 400, "video_id is required", call, account)
            return single_reply(API, id_, call, account)
        case "GET", ("v2", "videos", id):
            return single_reply(replace(API, document=_newer), id, call, account)
        case "POST", ("v2", "video", "generate"):
            return create_reply(API, call, account, status=200, shown=_begun)
        case _:
            return no_such_path(API, call, account)


def _begun(picture: Picture) -> Document:
    return {"error": None, "data": {"video_id": picture.id}}


def _id(chance: Random) -> str:
    return f"{chance.getrandbits(128):032x}"


API = Api(
    creation=Creation(
        path="/v2/video/generate", id="data.video_id", header="x-api-key: any"
    ),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    ids=_id,
    door=header("x-api-key"),
    link_life=7 * 86_400.0,
)
