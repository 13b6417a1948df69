"""ideogram: its generations, and what it answers."""

from base64 import b64encode
from random import Random

from bridge.core.ladder import State
from bridge.core.text.clocktext import rfc3339
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.doors import header
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.DREAMING: ["pending"],
        State.COMPLETED: ["completed"],
        State.FAILED: ["failed"],
    }
)


def document(picture: Picture) -> Document:
    """Return a generation."""
    shown = {
        "generation_id": picture.id,
        "status": picture.word,
        "created": rfc3339(picture.job.created_at),
    }
    if picture.failed:
        reason = "safety" if picture.moderated else picture.job.reason
        return {**shown, "failure_reason": reason}
    if not picture.completed:
        return shown
    item = {"url": picture.link("png"), "object_type": "image"}
    data = [item] if picture.has_output else []
    return {**shown, "response_type": "url", "data": data}


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    return {"detail": message}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once; older keys use the older path."""
    match call.method, call.segments:
        case "GET", ("v1" | "v2", "generations", id):
            return single_reply(API, id, call, account)
        case "POST", ("v1" | "v2", "generations"):
            return create_reply(API, call, account, kind="image")
        case _:
            return no_such_path(API, call, account)


def _id(chance: Random) -> str:
    return b64encode(chance.randbytes(12)).decode()


API = Api(
    creation=Creation(path="/v2/generations", id="generation_id", header="api-key: any"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    ids=_id,
    door=header("api-key"),
    hook=Hook(name="webhook_url"),
    link_life=86_400.0,
)
