"""aimlapi-luma as a server: looks, batches and creations, and holds that really hold."""

from collections.abc import Generator, Sequence
from functools import partial
from math import inf

from bridge.core.ladder import State
from bridge.simulator.account import Account, Job
from bridge.simulator.aimlapi_luma import batch, document, error
from bridge.simulator.aimlapi_questions import Complaint, about_many, about_one
from bridge.simulator.api import Api, create_reply, error_reply, unknown_reply
from bridge.simulator.exchange import Answering, Call, Manner, Reply, json_reply
from bridge.simulator.switches import BatchWait, Holding

_FOLDER = "/v2/generate/video/luma-ai"


def answer(call: Call, account: Account) -> Answering:
    """Answer a call; a hold waits."""
    show = partial(document, link_at=account.switches.link_at)
    match call.method, call.path.removeprefix(_FOLDER):
        case "GET", "/generation":
            return (yield from _one(call, account))
        case "GET", "/generations":
            return (yield from _many(call, account))
        case "POST", "/generation":
            return create_reply(show, error, call, account, kind="video")
        case _:
            message = f"Cannot {call.method} {call.path}"
            return error_reply(error, 404, message, call, account)


def _one(call: Call, account: Account) -> Answering:
    question = about_one(call, account.switches)
    if isinstance(question, Complaint):
        return error_reply(error, 400, question.message, call, account)
    job = account.find(question.ids[0], call.at)
    if job is None:
        return unknown_reply(error, call, account)
    until = call.at if question.until is None else job.reaches(question.until)
    now = yield from _hold(until, call, account)
    if isinstance(now, Reply):
        return now
    picture = account.picture(job, now, stale=account.is_stale())
    return json_reply(document(picture, account.switches.link_at))


def _many(call: Call, account: Account) -> Answering:
    question = about_many(call, account.switches)
    if isinstance(question, Complaint):
        return error_reply(error, 400, question.message, call, account)
    found = [job for one in question.ids if (job := account.find(one, call.at))]
    until = _awaited(found, question.until, account.switches.batch_wait, call.at)
    now = yield from _hold(until, call, account)
    if isinstance(now, Reply):
        return now
    return _batch_reply(found, now, account)


def _batch_reply(jobs: Sequence[Job], now: float, account: Account) -> Reply:
    stale, switches = account.is_stale(), account.switches
    documents = {
        job.id: document(account.picture(job, now, stale=stale), switches.link_at)
        for job in (reversed(jobs) if stale else jobs)
    }
    return json_reply(batch(documents, switches.container))


def _awaited(
    jobs: Sequence[Job], until: State | None, wait: BatchWait, now: float
) -> float:
    """Return the moment from which a batch need not wait any more."""
    if until is None or not jobs or wait is BatchWait.NOBODY:
        return now
    moments = [job.reaches(until) for job in jobs]
    return max(moments) if wait is BatchWait.ALL else min(moments)


def _hold(
    until: float, call: Call, account: Account
) -> Generator[float, float, float | Reply]:
    """Wait until the moment or the limit; return the moment it is, or the reply that ends it."""
    switches = account.switches
    if until <= call.at or switches.holding is Holding.IGNORED:
        return call.at
    limit = call.at + switches.hold_limit
    # Timers may wake a little early: the transition is what was waited for, so it has happened.
    now = max(until if until <= limit else -inf, (yield min(until, limit)))
    if now >= until or switches.holding is Holding.HONOURED:
        return now
    if switches.holding is Holding.CUT:
        return Reply(manner=Manner.CLOSED)
    return error_reply(error, 504, "Gateway timeout", call, account)


API = Api(base="", error=error, answer=answer)
