"""relay-udio: tasks with songs; much of it is inferred from its sister, relay-suno."""

from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture
from bridge.simulator.vendors.relay_envelope import (
    TASK_WORDS,
    UNKNOWN,
    begun,
    error,
    task,
    wrapped,
)


def item(picture: Picture) -> Document:
    """Return a task with its songs."""
    return task(picture, "UDIO", _songs(picture))


def document(picture: Picture) -> Document:
    """Return a task in its envelope."""
    return wrapped(item(picture))


def _songs(picture: Picture) -> Document | None:
    if picture.has_output:
        song = {
            "id": f"{picture.id}-1",
            "title": "Paper Boat",
            "song_path": picture.link("mp3"),
            "finished": True,
        }
        return {"songs": [song]}
    return {"songs": []} if picture.dreaming or picture.completed else None


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once; the submit path is inferred."""
    match call.method, call.segments:
        case "GET", ("udio", "fetch", id):
            return single_reply(API, id, call, account, UNKNOWN)
        case "POST", ("udio", "submit", "music"):
            return create_reply(API, call, account, kind="music", status=200, shown=begun)
        case _:
            return no_such_path(API, call, account)


API = Api(
    creation=Creation(path="/udio/submit/music", id="data"),
    words=TASK_WORDS,
    document=document,
    error=error,
    answer=answer,
    hook=Hook(name="notify_hook", document=item),
)
