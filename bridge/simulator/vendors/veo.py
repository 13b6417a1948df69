"""veo: operations, whose names have slashes, and which are done or not."""

from dataclasses import replace
from random import Random

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import Api, Creation, no_such_path, single_reply
from bridge.simulator.creation import create_reply
from bridge.simulator.doors import header
from bridge.simulator.exchange import Call, Document, Reply
from bridge.simulator.keyed import keyed_reply
from bridge.simulator.links import file_of
from bridge.simulator.picture import Picture
from bridge.simulator.words import Words

# A boolean is all the API has, so no word of it can be odd; a running one need not even say false.
_RUNNING, _DONE = "running", "done"
_WORDS = Words(
    rungs={
        State.DREAMING: [_RUNNING, "false"],
        State.COMPLETED: [_DONE],
        State.FAILED: [_DONE],
    }
)
_MODEL = "veo-3.1-generate-preview"
_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse"
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def document(picture: Picture) -> Document:
    """Return an operation: done with a response or with an error; what is filtered is no error."""
    shown: Document = {"name": picture.id}
    match picture.word:
        case "false":
            return {**shown, "done": False}
        case "done":
            return {**shown, "done": True, **_end(picture)}
        case _:
            return shown


def _end(picture: Picture) -> Document:
    if picture.failed and not picture.moderated:
        return {"error": {"code": 13, "message": picture.job.reason}}
    return {"response": {"@type": _TYPE, "generateVideoResponse": _made(picture)}}


def _made(picture: Picture) -> Document:
    if picture.moderated:
        reasons = [picture.job.reason]
        return {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": reasons}
    if not picture.has_output:
        return {}
    name = picture.id.rpartition("/")[2]
    uri = f"{picture.origin}/veo/v1beta/files/{name}:download?alt=media"
    return {"generatedSamples": [{"video": {"uri": uri}}]}


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    name = _STATUSES.get(status, "UNKNOWN")
    return {"error": {"code": status, "message": message, "status": name}}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once, under both versions: the vendor's own client asks the shorter one."""
    match call.method, call.segments:
        case "GET", ("v1beta" | "v1", "files", file):
            return _file(file.removesuffix(":download"), call, account)
        case "GET", ("v1beta" | "v1", *name):
            return single_reply(API, "/".join(name), call, account)
        case "POST", ("v1beta" | "v1", "models", verb) if verb.endswith(
            ":predictLongRunning"
        ):
            return _create(verb.partition(":")[0], call, account)
        case _:
            return no_such_path(API, call, account)


def _file(name: str, call: Call, account: Account) -> Reply:
    found = (id_ for id_ in account.jobs if id_.rpartition("/")[2] == name)
    return keyed_reply(API, next(found, name), file_of("mp4"), call, account)


def _create(model: str, call: Call, account: Account) -> Reply:
    api = replace(API, ids=lambda chance: _name(model, chance))
    return create_reply(api, call, account, status=200)


def _name(model: str, chance: Random) -> str:
    return f"models/{model}/operations/{chance.getrandbits(60):012x}"


API = Api(
    creation=Creation(
        path="/v1beta/models/veo-3.1-generate-preview:predictLongRunning",
        id="name",
        header="x-goog-api-key: any",
    ),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    door=header("x-goog-api-key"),
    ids=lambda chance: _name(_MODEL, chance),
    link_life=48 * 3600.0,
)
