"""openai-videos: its documents, and what it answers; the video itself needs the key."""

import json
from dataclasses import replace
from email.parser import BytesParser
from email.policy import HTTP
from random import Random

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.keyed import expiry, keyed_reply
from bridge.simulator.links import file_of
from bridge.simulator.picture import Picture
from bridge.simulator.vendors.openai_pages import error, page, seconds
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["queued"],
        State.DREAMING: ["in_progress"],
        State.COMPLETED: ["completed"],
        State.FAILED: ["failed"],
    }
)
_ENDINGS = {"thumbnail": "webp", "spritesheet": "jpg"}


def document(picture: Picture) -> Document:
    """Return a video job; there is no link in it."""
    job = picture.job
    return {
        "id": job.id,
        "object": "video",
        "model": job.model or "sora-2",
        "status": picture.word,
        "progress": 12 if picture.failed else int(100 * picture.progress),
        "created_at": seconds(job.created_at),
        "completed_at": seconds(picture.ended) if picture.completed else None,
        "expires_at": seconds(expiry(picture)) if picture.completed else None,
        "error": _failure(picture) if picture.failed else None,
        "seconds": "4",
        "size": "720x1280",
    }


def _failure(picture: Picture) -> Document:
    code = "moderation_blocked" if picture.moderated else picture.job.code
    return {"code": code, "message": picture.job.reason}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once; who looks at a video is told when to look again."""
    match call.method, call.segments:
        case "GET", ("v1", "videos"):
            return page(API, call, account)
        case "GET", ("v1", "videos", id):
            return _looked(id, call, account)
        case "GET", ("v1", "videos", id, "content"):
            file = file_of(_ENDINGS.get(call.value("variant") or "video", "mp4"))
            return keyed_reply(API, id, file, call, account)
        case "POST", ("v1", "videos"):
            return create_reply(API, _as_json(call), account, status=200)
        case _:
            return no_such_path(API, call, account)


def _looked(id: str, call: Call, account: Account) -> Reply:  # noqa: A002  (the domain's word)
    reply, job = single_reply(API, id, call, account), account.find(id, call.at)
    if job is None or call.at >= account.reaches(job, State.COMPLETED):
        return reply
    pause = str(round(1000 * account.switches.poll_after))
    return replace(reply, headers=(*reply.headers, ("openai-poll-after-ms", pause)))


def _as_json(call: Call) -> Call:
    """Return the call with its form as a JSON body: the vendor's client posts no JSON here."""
    kind = call.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return call
    head = f"content-type: {kind}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + call.body)
    texts = {
        str(part.get_param("name", header="content-disposition")): part.get_content()
        for part in form.iter_parts()
        if part.get_content_type() == "text/plain"
    }
    return replace(call, body=json.dumps(texts).encode())


def _id(chance: Random) -> str:
    return f"video_{chance.getrandbits(128):032x}"


API = Api(
    creation=Creation(path="/videos"),
    base="/v1",
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    ids=_id,
    link_life=86_400.0,
)
