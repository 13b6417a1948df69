"""Files that open with the key alone: no link of theirs is signed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from operator import attrgetter

from bridge.simulator.account import Account
from bridge.simulator.api import Api, error_reply, unknown_reply
from bridge.simulator.exchange import Call, Reply
from bridge.simulator.picture import Picture


def keyed_reply(
    api: Api,
    id: str,  # noqa: A002  (the domain's word)
    file: Reply,
    call: Call,
    account: Account,
    *,
    there: Callable[[Picture], bool] = attrgetter("has_output"),
) -> Reply:
    """Return the file of a generation: 404 while it is not there, and after its life."""
    job = account.find(id, call.at)
    if job is None:
        return unknown_reply(api, call, account)
    picture = account.picture(job, call.at, stale=False)
    ends = expiry(picture)
    if not there(picture) or ends is None or account.clock.now() >= ends:
        return error_reply(api, 404, "There is no such file", call, account)
    return file


def expiry(picture: Picture) -> datetime | None:
    """Return when the file of a generation that has come to its end goes."""
    return picture.ended and picture.ended + timedelta(seconds=picture.life)
