"""openai-batch: its documents, and what it answers; the files of rows need the key."""

import json
from random import Random

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.keyed import keyed_reply
from bridge.simulator.picture import Picture
from bridge.simulator.vendors.openai_pages import error, page, seconds
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["validating"],
        State.DREAMING: ["in_progress", "finalizing", "cancelling"],
        State.COMPLETED: ["completed"],
        State.FAILED: ["failed", "expired", "cancelled"],
    },
    ends={"cancelled": "cancelled", "expired": "expired"},
)
_DAY = 86_400
_ROWS, _BAD_ROWS, _ROWS_IN_TIME = 100, 2, 40
_OUTPUT, _ERRORS = "file-out-", "file-err-"


def document(picture: Picture) -> Document:
    """Return a batch: a completed one may hold failed rows, an expired one those in time."""
    job = picture.job
    begun = seconds(job.created_at) or 0
    counts = _counts(picture)
    shown = {
        "id": job.id,
        "object": "batch",
        "endpoint": "/v1/responses",
        "input_file_id": "file-in",
        "completion_window": "24h",
        "status": picture.word,
        "created_at": begun,
        "expires_at": begun + _DAY,
        "request_counts": counts,
        "output_file_id": _file(_OUTPUT, picture, counts["completed"]),
        "error_file_id": _file(_ERRORS, picture, counts["failed"]),
        "errors": _errors(picture) if picture.word == "failed" else None,
    }
    if not picture.completed:
        return shown
    return {**shown, "completed_at": seconds(picture.ended)}


def _counts(picture: Picture) -> dict[str, int]:
    done = int((_ROWS - _BAD_ROWS) * picture.progress)
    if picture.failed:
        done = _ROWS_IN_TIME if picture.word == "expired" else 0
    bad = _BAD_ROWS if picture.completed else 0
    return {"total": _ROWS, "completed": done, "failed": bad}


def _file(prefix: str, picture: Picture, rows: int) -> str | None:
    there = picture.has_output or picture.word == "expired"
    return prefix + picture.id if there and rows else None


def _errors(picture: Picture) -> Document:
    code, message = picture.job.code, picture.job.reason
    item = {"code": code, "message": message, "line": 3, "param": None}
    return {"object": "list", "data": [item]}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once."""
    match call.method, call.segments:
        case "GET", ("v1", "batches"):
            return page(API, call, account)
        case "GET", ("v1", "batches", id):
            return single_reply(API, id, call, account)
        case "POST", ("v1", "batches"):
            return create_reply(API, call, account, status=200)
        case "GET", ("v1", "files", name, "content"):
            return _content(name, call, account)
        case _:
            return no_such_path(API, call, account)


def _content(name: str, call: Call, account: Account) -> Reply:
    def named(picture: Picture) -> bool:
        shown = document(picture)
        return name in (shown["output_file_id"], shown["error_file_id"])

    id_ = name.removeprefix(_OUTPUT).removeprefix(_ERRORS)
    return keyed_reply(API, id_, _rows(name), call, account, there=named)


def _rows(name: str) -> Reply:
    status = 200 if name.startswith(_OUTPUT) else 400
    row = {"custom_id": "row-1", "response": {"status_code": status, "body": {}}}
    body = f"{json.dumps(row)}\n".encode()
    return Reply(headers=(("content-type", "application/octet-stream"),), body=body)


def _id(chance: Random) -> str:
    return f"batch_{chance.getrandbits(128):032x}"


API = Api(
    creation=Creation(path="/batches"),
    base="/v1",
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    ids=_id,
    link_life=30 * 86_400.0,
)
