"""minimax: errors within a 200, and a second call for the file."""

from zlib import crc32

from bridge.core.ladder import State
from bridge.simulator.account import Account, digits
from bridge.simulator.api import Api, Creation, no_such_path, single_reply, unknown_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply, json_reply
from bridge.simulator.picture import Picture, seconds
from bridge.simulator.second import second_reply
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["Queueing", "Preparing"],
        State.DREAMING: ["Processing"],
        State.COMPLETED: ["Success"],
        State.FAILED: ["Fail"],
    }
)
_FLAGGED = 1027
# Told within a 200; 2013 (invalid parameters) is that of the newer API.
_CODES = {400: 2013, 401: 1004, 429: 1002}


def document(picture: Picture) -> Document:
    """Return a task; what failed says why in the envelope."""
    shown = {
        "task_id": picture.id,
        "status": picture.word,
        "file_id": str(file_id(picture.id)) if picture.has_output else "",
        "base_resp": _flagged(picture) if picture.failed else _base(0, "success"),
    }
    size = {"video_width": 1280, "video_height": 720}
    return {**shown, **size} if picture.has_output else shown


def file_id(id: str) -> int:  # noqa: A002  (the domain's word)
    """Return the id of a generation's file: a text in the task, a number with the file."""
    return 241_000_000_000_000 + crc32(id.encode())


def _file(picture: Picture) -> Document:
    file = {
        "file_id": file_id(picture.id),
        "bytes": 5_896_337,
        "created_at": seconds(picture.ended),
        "filename": "output_aigc.mp4",
        "purpose": "video_generation",
        "download_url": picture.link("mp4"),
    }
    return {"file": file, "base_resp": _base(0, "success")}


def _base(code: int, message: str) -> Document:
    return {"status_code": code, "status_msg": message}


def _flagged(picture: Picture) -> Document:
    code = picture.job.code
    return _base(int(code) if code.isdecimal() else _FLAGGED, picture.job.reason)


def begun(picture: Picture) -> Document:
    """Return the answer to a creation."""
    return {"task_id": picture.id, "base_resp": _base(0, "success")}


def error(status: int, message: str, call: Call, account: Account) -> Document | Reply:  # noqa: ARG001  (every vendor's signature)
    """Return the error: within a 200, but where the path or the server is to blame."""
    if status in _CODES:
        return json_reply({"base_resp": _base(_CODES[status], message)})
    return {"base_resp": _base(1000, message)}


_UNKNOWN = json_reply({"base_resp": _base(_CODES[400], "invalid params")})


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once."""
    match call.method, call.segments:
        case "GET", ("v1", "query", "video_generation"):
            id_ = call.value("task_id") or ""
            return single_reply(API, id_, call, account, _UNKNOWN)
        case "GET", ("v1", "files", "retrieve"):
            return _file_reply(call, account)
        case "POST", ("v1", "video_generation"):
            return create_reply(API, call, account, status=200, shown=begun)
        case _:
            return no_such_path(API, call, account)


def _file_reply(call: Call, account: Account) -> Reply:
    wanted = call.value("file_id")
    ids = (id_ for id_ in account.jobs if str(file_id(id_)) == wanted)
    pictures = account.pictures(account.found(ids, call.at), call.at)
    picture = next((picture for picture in pictures if picture.has_output), None)
    if picture is None:
        return unknown_reply(API, call, account, _UNKNOWN)
    return second_reply(
        API,
        picture.id,
        call,
        account,
        good=json_reply(_file(picture)),
        model_error=json_reply({"base_resp": _base(1000, "unknown error")}),
    )


API = Api(
    creation=Creation(path="/v1/video_generation", id="task_id"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    hook=Hook(name="callback_url"),
    ids=digits(15),
    link_life=9 * 3600.0,
)
