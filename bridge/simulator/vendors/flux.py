"""flux: a polling URL that is bound to a region, and an unknown task that is told in a status."""

import hmac
from collections.abc import Mapping

from bridge.core.ladder import State
from bridge.simulator.account import Account
from bridge.simulator.api import (
    Api,
    Creation,
    error_reply,
    no_such_path,
    single_reply,
    unknown_reply,
)
from bridge.simulator.callbacks import Hook
from bridge.simulator.creation import create_reply
from bridge.simulator.doors import header
from bridge.simulator.exchange import Call, Document, Reply, json_reply
from bridge.simulator.picture import Picture
from bridge.simulator.words import Words

_WORDS = Words(
    rungs={
        State.DREAMING: ["Pending"],
        State.COMPLETED: ["Ready"],
        State.FAILED: ["Error", "Request Moderated", "Content Moderated"],
    },
    ends={"moderated": "Request Moderated"},
)
REGIONS = ("eu", "us")
"""The regions: the first segment of a polling URL's path."""


def document(picture: Picture) -> Document:
    """Return a task; of what was moderated it says nothing more."""
    errs = picture.failed and picture.word == "Error"
    return {
        "id": picture.id,
        "status": picture.word,
        "result": _result(picture) if picture.has_output else None,
        "progress": None if picture.failed else picture.progress,
        "details": {"message": picture.job.reason} if errs else None,
        "preview": None,
    }


def _result(picture: Picture) -> Document:
    return {"sample": picture.link("png"), "prompt": picture.job.prompt, "seed": 7}


def not_found(id: str) -> Reply:  # noqa: A002  (the domain's word)
    """Return the answer about a task that this region does not have, or not yet."""
    return json_reply(
        {
            "id": id,
            "status": "Task not found",
            "result": None,
            "progress": None,
            "details": None,
            "preview": None,
        }
    )


def begun(picture: Picture) -> Document:
    """Return the answer to a creation."""
    path = f"{picture.job.place}/v1/get_result?id={picture.id}"
    return {"id": picture.id, "polling_url": f"{picture.origin}/flux/{path}"}


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document; a refusal for haste has one of its own."""
    if status == 429:
        return {"error": "rate_limit_exceeded", "message": message}
    return {"detail": message}


def signed(body: bytes, wish: Document) -> Mapping[str, str]:
    """Return the header that vouches for a callback, where the creation gave a secret."""
    secret = wish.get("webhook_secret")
    if not isinstance(secret, str):
        return {}
    digest = hmac.new(secret.encode(), body, "sha256").hexdigest()
    return {"x-bfl-signature": f"sha256={digest}"}


def answer(call: Call, account: Account) -> Reply:
    """Answer a call at once. A creation goes to one of the regions and can only be asked there."""
    place = call.segments[0] if call.segments[0] in REGIONS else ""
    match call.method, call.segments[1:] if place else call.segments:
        case "GET", ("v1", "get_result"):
            return _result_reply(place, call, account)
        case "POST", ("v1", _model):
            chosen = place or account.chance.choice(REGIONS)
            return create_reply(
                API, call, account, kind="image", place=chosen, status=200, shown=begun
            )
        case _:
            return no_such_path(API, call, account)


def _result_reply(place: str, call: Call, account: Account) -> Reply:
    id = call.value("id")  # noqa: A001  (the domain's word)
    if not id:
        return error_reply(API, 422, "id: field required", call, account)
    job = account.find(id, call.at)
    if job is not None and job.place != place:
        return unknown_reply(API, call, account, not_found(id))
    return single_reply(API, id, call, account, not_found(id))


API = Api(
    creation=Creation(path="/v1/flux-pro-1.1", id="polling_url", header="x-key: any"),
    words=_WORDS,
    document=document,
    error=error,
    answer=answer,
    door=header("x-key"),
    hook=Hook(name="webhook_url", sign=signed),
    link_life=600.0,
)
