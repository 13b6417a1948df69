"""What a simulated API consists of, and what several of them share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from bridge.simulator.account import PROMPT, Account, Job, Picture
from bridge.simulator.exchange import (
    Answering,
    Call,
    Document,
    Reply,
    json_reply,
    read_object,
)
from bridge.simulator.switches import Unknown
from bridge.simulator.timeline import Timeline, failing

Errors: TypeAlias = Callable[[int, str, Call, Account], Document]
"""Makes the vendor's error document of a status and a message."""
Documents: TypeAlias = Callable[[Picture], Document]
"""Makes the vendor's document of a generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A simulated API; `base` is the path of its base URL, beneath the provider's prefix."""

    base: str
    error: Errors
    answer: Callable[[Call, Account], Answering]


def error_reply(
    error: Errors, status: int, message: str, call: Call, account: Account
) -> Reply:
    """Return an error in the vendor's envelope."""
    return json_reply(error(status, message, call, account), status)


def unknown_reply(error: Errors, call: Call, account: Account) -> Reply:
    """Return what an id that is not known is answered with."""
    match account.switches.unknown:
        case Unknown.NOT_FOUND:
            return error_reply(error, 404, "Generation not found", call, account)
        case Unknown.BAD_REQUEST:
            return error_reply(error, 400, "Invalid generation id", call, account)
        case Unknown.OK_WITH_ERROR:
            reply = error_reply(error, 404, "Generation not found", call, account)
            return replace(reply, status=200)


def single_reply(
    document: Documents,
    error: Errors,
    id: str,  # noqa: A002  (the domain's word)
    call: Call,
    account: Account,
) -> Reply:
    """Return the document of one generation as it is now."""
    job = account.find(id, call.at)
    if job is None:
        return unknown_reply(error, call, account)
    stale = account.is_stale()
    return json_reply(document(account.picture(job, call.at, stale=stale)))


def create(call: Call, account: Account, *, kind: str | None) -> Job | None:
    """Begin a generation as a request asks for it; None: its body is no object with a prompt.

    A prompt with the word `fail` makes a generation that fails.
    """
    wish = read_object(call.body)
    prompt = wish and wish.get("prompt", wish.get("user_prompt", PROMPT))
    if wish is None or not isinstance(prompt, str):
        return None
    script = account.switches.script
    job = Job(
        id=account.new_id(),
        timeline=Timeline.of(failing(script) if "fail" in prompt else script),
        started=call.at,
        created_at=account.clock.now(),
        kind=kind or ("video" if "video" in str(wish.get("type")) else "image"),
        model=str(wish.get("model") or ""),
        prompt=prompt,
    )
    account.add(job)
    return job


def create_reply(
    document: Documents,
    error: Errors,
    call: Call,
    account: Account,
    *,
    kind: str | None = None,
) -> Reply:
    """Begin a generation and return its document; `kind` None: the body's `type` says it."""
    job = create(call, account, kind=kind)
    if job is None:
        message = "The body must be a JSON object with a prompt"
        return error_reply(error, 400, message, call, account)
    picture = account.picture(job, call.at, stale=False)
    return json_reply(document(picture), 201)
