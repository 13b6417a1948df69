"""pika: the shape of its documents is all that is known of it."""

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.QUEUED: ["queued"],
        State.DREAMING: ["started"],
        State.COMPLETED: ["finished"],
        State.FAILED: ["failed"],
    }
)


def document(picture: Picture) -> Document:
    """Return a video; a failed one keeps how far it was, and says no reason."""
    return {
        "id": picture.id,
        "status": picture.word,
        "progress": 40 if picture.failed else int(100 * picture.progress),
        "url": picture.link("mp4") if picture.has_output else None,
    }


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return an error document; the vendor's is not known."""
    return {"error": message}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once."""
    match call.method, call.segments:
        case "GET", ("videos", id):
            return single_reply(API, id, call, account)
        case "POST", ("videos",):
            return create_reply(API, call, account)
        case _:
            return no_such_path(API, call, account)


API = Api(
    creation=Creation(path="/videos"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
)
