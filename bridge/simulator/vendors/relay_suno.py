"""relay-suno: tasks of two clips each; a clip streams while its task is in progress."""

from collections.abc import Sequence

from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.picture import Picture
from bridge.simulator.vendors.relay_envelope import (
    TASK_WORDS,
    UNKNOWN,
    batch_reply,
    begun,
    error,
    task,
    wrapped,
)


def item(picture: Picture) -> Document:
    """Return a task with its clips."""
    return task(picture, "MUSIC", _clips(picture))


def document(picture: Picture) -> Document:
    """Return a task in its envelope."""
    return wrapped(item(picture))


def _clips(picture: Picture) -> Sequence[Document] | None:
    if picture.dreaming:
        streaming = _clip(picture, 1, "streaming", audio=picture.link("1.mp3"))
        return [streaming, _clip(picture, 2, "submitted")]
    if picture.completed:
        return [_finished(picture, number) for number in (1, 2)]
    return None


def _finished(picture: Picture, number: int) -> Document:
    audio = picture.link(f"{number}.mp3") if picture.has_output else ""
    video = picture.link(f"{number}.mp4") if picture.has_output else ""
    return _clip(picture, number, "complete", audio=audio, video=video, duration=121.4)


def _clip(
    picture: Picture,
    number: int,
    status: str,
    *,
    audio: str = "",
    video: str = "",
    duration: float | None = None,
) -> Document:
    return {
        "id": f"{picture.id}-{number}",
        "title": "Paper Boat",
        "status": status,
        "audio_url": audio,
        "video_url": video,
        "image_url": picture.link(f"{number}.jpg"),
        "metadata": {
            "tags": "folk",
            "duration": duration,
            "error_type": None,
            "error_message": None,
        },
    }


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once; the submit paths are those of the new-api family."""
    match call.method, call.segments:
        case "GET", ("suno", "fetch", id):
            return single_reply(API, id, call, account, UNKNOWN)
        case "POST", ("suno", "fetch"):
            return batch_reply(API, item, wrapped, call, account)
        case "POST", ("suno", "submit", "music" | "lyrics"):
            return create_reply(API, call, account, kind="music", status=200, shown=begun)
        case _:
            return no_such_path(API, call, account)


API = Api(
    creation=Creation(path="/suno/submit/music", id="data"),
    words=TASK_WORDS,
    document=document,
    error=error,
    answer=answer,
    hook=Hook(name="notify_hook", document=item),
)
