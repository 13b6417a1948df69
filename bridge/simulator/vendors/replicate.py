"""replicate: its predictions, and what it answers."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from bridge.core.ladder import State
from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, error_reply, no_such_path, single_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Answering, Call, Document, Reply, json_reply
from bridge.simulator.holding import held
from bridge.simulator.picture import Job, Picture
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["starting"],
        State.DREAMING: ["processing"],
        State.COMPLETED: ["succeeded"],
        State.FAILED: ["failed", "canceled", "aborted"],
    },
    ends={"cancelled": "canceled"},
)
_PAGE = 100
_LONGEST_WAIT = 60.0
_STEPS = 50


def document(picture: Picture) -> Document:
    """Return a prediction; how far it is can only be read in its logs."""
    job = picture.job
    url = f"{picture.origin}/replicate/v1/predictions/{quote(job.id, safe='')}"
    started = _started(picture)
    return {
        "id": job.id,
        "model": job.model or job.place or "acme/clip-maker",
        "version": "5c7d5dc6dd8bf75c1acaa8565735e798",
        "status": picture.word,
        "input": {"prompt": job.prompt},
        "output": _output(picture) if picture.has_output else None,
        "error": job.reason if picture.word == "failed" else None,
        "logs": _logs(picture.progress) if started else "",
        "metrics": _metrics(picture),
        "created_at": rfc3339(job.created_at),
        "started_at": rfc3339(started),
        "completed_at": rfc3339(picture.ended),
        "urls": {"get": url, "cancel": f"{url}/cancel"},
    }


def _started(picture: Picture) -> datetime | None:
    """Return when it began; what failed at that very moment never did."""
    return None if picture.failed and picture.began == picture.ended else picture.began


def _output(picture: Picture) -> str | Sequence[str]:
    """Return what a model gives: any JSON, and this one a list of videos or one image."""
    if picture.job.kind == "image":
        return picture.link("png")
    return [picture.link("mp4")]


def _logs(progress: float) -> str:
    """Return a log whose last line has the percentage."""
    return "".join(_bar(share) for share in sorted({0.0, progress}))


def _bar(share: float) -> str:
    bar = ("#" * int(10 * share)).ljust(10)
    done = int(_STEPS * share)
    return f"{int(100 * share):3}%|{bar}| {done}/{_STEPS} [00:05<00:07]\n"


def _metrics(picture: Picture) -> Document:
    if not picture.completed or picture.began is None or picture.ended is None:
        return {}
    return {"predict_time": (picture.ended - picture.began).total_seconds()}


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document; that of a limit says in words when to come back."""
    if status == 429:
        return {
            "detail": "Request was throttled. Your rate limit resets in ~1s.",
            "status": status,
        }
    return {"detail": message, "status": status}


def answer(call: Call, account: Account) -> Answering | Reply:
    """Answer a call; only a creation can wait."""
    match call.method, call.segments:
        case "GET", ("v1", "predictions"):
            return _page(call, account)
        case "GET", ("v1", "predictions", id):
            return single_reply(API, id, call, account)
        case "POST", ("v1", "predictions"):
            return _create("", call, account)
        case "POST", ("v1", "models", owner, name, "predictions"):
            return _create(f"{owner}/{name}", call, account)
        case _:
            return no_such_path(API, call, account)


def _create(model: str, call: Call, account: Account) -> Answering:
    """Begin a prediction and, where the client prefers to, wait for its end."""
    reply = create_reply(API, call, account, place=model)
    patience = _patience(call.headers.get("prefer", ""))
    if reply.status != 201 or patience is None:
        return reply
    job = next(reversed(account.jobs.values()))
    until = account.reaches(job, State.COMPLETED)
    now = yield from held(API, until, patience, call, account)
    if isinstance(now, Reply):
        return now
    return json_reply(document(account.picture(job, now, stale=False)), 201)


def _patience(prefer: str) -> float | None:
    """Return the seconds that a `Prefer` header asks to wait, None where it does not."""
    found = re.fullmatch(r"wait(?:=(\d{1,3}))?", prefer.strip())
    if found is None:
        return None
    return min(_LONGEST_WAIT, float(found[1] or _LONGEST_WAIT))


def _page(call: Call, account: Account) -> Reply:
    """Return a page of all predictions, the newest first, with links to its neighbours."""
    jobs = account.newest(call.at)
    start = _start(call.value("cursor"), jobs)
    if start is None:
        return error_reply(API, 404, "Invalid cursor", call, account)
    chosen, end = jobs[start : start + _PAGE], start + _PAGE
    url = f"{account.origin}/replicate/v1/predictions?cursor="
    return json_reply(
        {
            "previous": url + _cursor("before", jobs[start].id) if start else None,
            "next": url + _cursor("after", jobs[end - 1].id) if end < len(jobs) else None,
            "results": [document(p) for p in account.pictures(chosen, call.at)],
        }
    )


def _cursor(where: str, id: str) -> str:  # noqa: A002  (the domain's word)
    return urlsafe_b64encode(f"{where} {id}".encode()).decode().rstrip("=")


def _start(cursor: str | None, jobs: Sequence[Job]) -> int | None:
    """Return where the page of a cursor begins, None where there is no such cursor."""
    if cursor is None:
        return 0
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        return None
    where, _, id_ = text.partition(" ")
    at = next((i for i, job in enumerate(jobs) if job.id == id_), None)
    if at is None:
        return None
    return at + 1 if where == "after" else max(0, at - _PAGE)


API = Api(
    creation=Creation(path="/v1/predictions"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    hook=Hook(name="webhook"),
)
