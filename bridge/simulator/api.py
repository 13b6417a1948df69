"""What a simulated API consists of, and the replies that all of them give."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from bridge.simulator.account import Account, Ids, uuid
from bridge.simulator.callbacks import Hook
from bridge.simulator.doors import Door, bearer
from bridge.simulator.exchange import Answering, Call, Document, Reply, json_reply
from bridge.simulator.picture import Picture
from bridge.simulator.switches import Unknown
from bridge.simulator.words import Words

Errors: TypeAlias = Callable[[int, str, Call, Account], Document | Reply]
"""Makes the vendor's error document of a status and a message.

A whole Reply, where the vendor tells this one otherwise: within a 200, say.
"""
Documents: TypeAlias = Callable[[Picture], Document]
"""Makes the vendor's document of a generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """How people begin a generation: by a POST of a prompt at `path`, beneath the base URL.

    Its id stands at `id` in the answer; `before` is put before it where it is watched. `header` is
    how the API wants a key.
    """

    path: str
    id: str = "id"
    before: str = ""
    header: str = "authorization: Bearer any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A simulated API; `base` is the path of its base URL, beneath the provider's prefix.

    `at_root` begins paths that are served without the prefix, too. `link_life` is in seconds.
    """

    creation: Creation
    base: str = ""
    at_root: str | None = None
    words: Words
    document: Documents
    error: Errors
    answer: Callable[[Call, Account], Answering | Reply]
    door: Door = bearer
    hook: Hook | None = None
    ids: Ids = uuid
    link_life: float = 3600.0


def error_reply(api: Api, status: int, message: str, call: Call, account: Account) -> Reply:
    """Return an error in the vendor's envelope."""
    told = api.error(status, message, call, account)
    return told if isinstance(told, Reply) else json_reply(told, status)


def unknown_reply(
    api: Api, call: Call, account: Account, usual: Reply | None = None
) -> Reply:
    """Return what an id that is not known is answered with; `usual`: the vendor's own way."""
    match account.switches.unknown:
        case Unknown.NOT_FOUND:
            return usual or error_reply(api, 404, "Generation not found", call, account)
        case Unknown.BAD_REQUEST:
            return error_reply(api, 400, "Invalid generation id", call, account)
        case Unknown.OK_WITH_ERROR:
            reply = error_reply(api, 404, "Generation not found", call, account)
            return replace(reply, status=200)


def no_such_path(api: Api, call: Call, account: Account) -> Reply:
    """Return what a path that the vendor does not have is answered with."""
    message = f"Cannot {call.method} {call.path}"
    return error_reply(api, 404, message, call, account)


def single_reply(
    api: Api,
    id: str,  # noqa: A002  (the domain's word)
    call: Call,
    account: Account,
    unknown: Reply | None = None,
) -> Reply:
    """Return the document of one generation as it is now; `unknown`: see `unknown_reply`."""
    job = account.find(id, call.at)
    if job is None:
        return unknown_reply(api, call, account, unknown)
    (picture,) = account.pictures([job], call.at)
    return json_reply(api.document(picture))
