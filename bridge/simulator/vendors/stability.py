"""stability: results, whose state is the HTTP status."""

from base64 import b64encode
from random import Random

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, unknown_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply, json_reply
from bridge.simulator.keyed import expiry
from bridge.simulator.links import file_of
from bridge.simulator.picture import Picture
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.DREAMING: ["in-progress"],
        State.COMPLETED: ["SUCCESS"],
        State.FAILED: ["CONTENT_FILTERED"],
    },
    ends={"moderated": "CONTENT_FILTERED"},
)
_ENDINGS = {"image": "png", "video": "mp4"}


def document(picture: Picture) -> Document:
    """Return a result for who accepts JSON; a filtered one has no file."""
    if picture.rank < State.COMPLETED:
        return {"id": picture.id, "status": picture.word}
    shown: Document = {"finish_reason": picture.word, "seed": 343940597}
    if not picture.has_output:
        return shown
    return {"result": b64encode(_file(picture).body).decode(), **shown}


def _file(picture: Picture) -> Reply:
    return file_of(_ENDINGS[picture.job.kind])


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    name = {401: "unauthorized", 404: "not_found", 429: "rate_limit_exceeded"}
    return {
        "id": account.new_id(),
        "name": name.get(status, "bad_request"),
        "errors": [message],
    }


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once."""
    match call.method, call.segments:
        case "GET", ("v2beta", "results", id) | ("v2beta", _, "result", id):
            return _result(id, call, account)
        case "POST", ("v2beta", "image-to-video"):
            return create_reply(API, call, account, status=200, shown=_begun)
        case "POST", ("v2beta", *_):
            return create_reply(API, call, account, kind="image", status=202, shown=_begun)
        case _:
            return no_such_path(API, call, account)


def _begun(picture: Picture) -> Document:
    return {"id": picture.id}


def _result(id: str, call: Call, account: Account) -> Reply:  # noqa: A002  (the domain's word)
    job = account.find(id, call.at)
    if job is None:
        return unknown_reply(API, call, account)
    (picture,) = account.pictures([job], call.at)
    ends = expiry(picture)
    if ends and account.clock.now() >= ends:
        return unknown_reply(API, call, account)
    if picture.has_output and "json" not in call.headers.get("accept", ""):
        return _file(picture)
    return json_reply(document(picture), 200 if picture.ended else 202)


def _id(chance: Random) -> str:
    return f"{chance.getrandbits(256):064x}"


API = Api(
    creation=Creation(path="/v2beta/image-to-video"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    ids=_id,
    link_life=86_400.0,
)
