"""aimlapi-luma as a server: looks, batches and creations, and holds that really hold."""

from collections.abc import Sequence

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, error_reply, no_such_path, unknown_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Answering, Call, Reply, json_reply
from bridge.simulator.holding import held
from bridge.simulator.picture import Job
from bridge.simulator.switches import BatchWait
from bridge.simulator.vendors.aimlapi_documents import batch, document, error
from bridge.simulator.vendors.aimlapi_questions import Complaint, about_many, about_one
from bridge.simulator.words import LADDER

_FOLDER = "/v2/generate/video/luma-ai"
_HOLD = 30.0


def answer(call: Call, account: Account) -> Answering:
    """Answer a call; a hold waits."""
    match call.method, call.path.removeprefix(_FOLDER):
        case "GET", "/generation":
            return (yield from _one(call, account))
        case "GET", "/generations":
            return (yield from _many(call, account))
        case "POST", "/generation":
            return create_reply(API, call, account)
        case _:
            return no_such_path(API, call, account)


def _one(call: Call, account: Account) -> Answering:
    question = about_one(call, account.switches)
    if isinstance(question, Complaint):
        return error_reply(API, 400, question.message, call, account)
    job = account.find(question.ids[0], call.at)
    if job is None:
        return unknown_reply(API, call, account)
    until = call.at if question.until is None else account.reaches(job, question.until)
    now = yield from held(API, until, _HOLD, call, account)
    if isinstance(now, Reply):
        return now
    (picture,) = account.pictures([job], now)
    return json_reply(document(picture))


def _many(call: Call, account: Account) -> Answering:
    question = about_many(call, account.switches)
    if isinstance(question, Complaint):
        return error_reply(API, 400, question.message, call, account)
    found = account.found(question.ids, call.at)
    until = _until(found, question.until, call.at, account)
    now = yield from held(API, until, _HOLD, call, account)
    if isinstance(now, Reply):
        return now
    return _batch_reply(found, now, account)


def _batch_reply(jobs: Sequence[Job], now: float, account: Account) -> Reply:
    documents = {p.id: document(p) for p in account.pictures(jobs, now)}
    return json_reply(batch(documents, account.switches.container))


def _until(
    jobs: Sequence[Job], wanted: State | None, now: float, account: Account
) -> float:
    """Return the moment from which a batch need not wait any more."""
    wait = account.switches.batch_wait
    if wanted is None or not jobs or wait is BatchWait.NOBODY:
        return now
    moments = [account.reaches(job, wanted) for job in jobs]
    return max(moments) if wait is BatchWait.ALL else min(moments)


API = Api(
    creation=Creation(path=f"{_FOLDER}/generation"),
    words=LADDER,
    document=document,
    error=error,
    answer=answer,
)
