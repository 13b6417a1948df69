"""What videos and batches have in common: errors, pages, moments."""

from datetime import datetime

from bridge.simulator.account import Account
from bridge.simulator.api import Api, error_reply
from bridge.simulator.exchange import Call, Document, Reply, json_reply

_TYPES = {401: "authentication_error", 429: "rate_limit_error", 500: "server_error"}
_MOST = 100
_USUAL = 20


def error(status: int, message: str, call: Call, account: Account) -> Document:  # noqa: ARG001  (every vendor's signature)
    """Return the error document."""
    kind = _TYPES.get(status, "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def page(api: Api, call: Call, account: Account) -> Reply:
    """Return a page, the newest first, of what comes after the id that `after` names."""
    limit = _limit(call.value("limit"))
    jobs, after = list(account.newest(call.at)), call.value("after")
    if call.value("order") == "asc":
        jobs.reverse()
    start = next((i + 1 for i, job in enumerate(jobs) if job.id == after), None)
    if limit is None or (after and start is None):
        return error_reply(api, 400, "Invalid limit or after", call, account)
    rest = jobs[start or 0 :]
    shown = [api.document(p) for p in account.pictures(rest[:limit], call.at)]
    return json_reply(
        {
            "object": "list",
            "data": shown,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
            "has_more": len(rest) > limit,
        }
    )


def _limit(text: str | None) -> int | None:
    if text is None:
        return _USUAL
    good = text.isdecimal() and len(text) < 4 and 1 <= int(text) <= _MOST
    return int(text) if good else None


def seconds(moment: datetime | None) -> int | None:
    """Return a moment as this vendor writes it."""
    return None if moment is None else int(moment.timestamp())
