"""relay-luma-own: Luma's object on the relay's path, and batches of tasks around it."""

from zlib import crc32

from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture, seconds
from bridge.simulator.vendors.relay_envelope import UNKNOWN, batch_reply, error, wrapped
from bridge.simulator.vendors.relay_luma import WORDS, document

_STATUS = ("SUBMITTED", "IN_PROGRESS", "SUCCESS", "FAILURE")


def item(picture: Picture) -> Document:
    """Return a task of a batch; Luma's object is absent until the start."""
    job = picture.job
    return {
        "id": crc32(job.id.encode()),
        "created_at": rfc3339(job.created_at),
        "updated_at": rfc3339(picture.updated),
        "task_id": job.id,
        "platform": "luma",
        "action": "LUMA_VIDEO",
        "status": _STATUS[picture.rank],
        "fail_reason": job.reason if picture.failed else "",
        "submit_time": seconds(job.created_at),
        "start_time": seconds(picture.began),
        "finish_time": seconds(picture.ended),
        "data": None if picture.queued else document(picture),
    }


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once."""
    match call.method, call.segments:
        case "GET", ("luma", "generations", id):
            return single_reply(API, id, call, account, UNKNOWN)
        case "POST", ("luma", "tasks"):
            return batch_reply(API, item, wrapped, call, account)
        case "POST", ("luma", "generations"):
            return create_reply(API, call, account, status=200)
        case _:
            return no_such_path(API, call, account)


API = Api(
    creation=Creation(path="/luma/generations"),
    words=WORDS,
    document=document,
    error=error,
    answer=answer,
    hook=Hook(name="notify_hook"),
)
