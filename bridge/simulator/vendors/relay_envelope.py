"""The envelope that relays put around the tasks of other vendors."""

from collections.abc import Callable, Sequence

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import Api, error_reply
from bridge.simulator.exchange import Call, Document, Reply, json_reply, read_object
from bridge.simulator.picture import Picture, seconds
from bridge.simulator.words import Words

TASK_WORDS = Words(
    rungs={
        State.QUEUED: ["SUBMITTED", "NOT_START", "QUEUED"],
        State.DREAMING: ["IN_PROGRESS"],
        State.COMPLETED: ["SUCCESS"],
        State.FAILED: ["FAILURE"],
    }
)
_CODES = {
    400: "invalid_request",
    401: "invalid_api_key",
    404: "task_not_exist",
    429: "rate_limit_exceeded",
}


def wrapped(data: object) -> Document:
    """Return the envelope of a success."""
    return {"code": "success", "message": "", "data": data}


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the envelope of an error."""
    code = _CODES.get(status, "upstream_error")
    return {"code": code, "message": message, "data": None}


UNKNOWN = json_reply({"code": "task_not_exist", "message": "task_not_exist", "data": None})
"""The answer about a task that the relay does not have: within a 200."""


def task(picture: Picture, action: str, data: object) -> Document:
    """Return a task around what the vendor's part of it is."""
    return {
        "task_id": picture.id,
        "notify_hook": "",
        "action": action,
        "status": picture.word,
        "fail_reason": picture.job.reason if picture.failed else "",
        "submit_time": seconds(picture.job.created_at),
        "start_time": seconds(picture.began),
        "finish_time": seconds(picture.ended),
        "progress": picture.percent,
        "data": data,
    }


def begun(picture: Picture) -> Document:
    """Return the answer to a creation: the bare id in the envelope."""
    return wrapped(picture.id)


def asked_ids(call: Call) -> Sequence[str] | None:
    """Return the `ids` of a body; None: there is no list of texts or whole numbers."""
    ids = (read_object(call.body) or {}).get("ids")
    if not isinstance(ids, list) or not all(isinstance(one, str | int) for one in ids):
        return None
    return [str(one) for one in ids]


def batch_reply(
    api: Api,
    item: Callable[[Picture], Document],
    around: Callable[[Sequence[Document]], object],
    call: Call,
    account: Account,
) -> Reply:
    """Return the asked generations, one item each, in what is put around them."""
    ids = asked_ids(call)
    if not ids or len(ids) > account.switches.most_ids:
        message = f"ids must be a list of 1 to {account.switches.most_ids}"
        return error_reply(api, 400, message, call, account)
    pictures = account.pictures(account.found(dict.fromkeys(ids), call.at), call.at)
    return json_reply(around([item(picture) for picture in pictures]))
