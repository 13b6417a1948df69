"""What most providers ask, and the whole conversation of the plainest ones."""

from bridge.core.looking import Asking, Get, Hold, Look, Rejected
from bridge.core.network.exchange import Request
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.ids import address
from bridge.core.reading.reading import read_one


def bearer(url: str, key: str) -> Request:
    """Return a GET that shows the key as a Bearer token."""
    return Request(
        method="GET",
        url=url,
        headers=(("authorization", f"Bearer {key}"), ("accept", "application/json")),
    )


def refused(why: str) -> Asking:
    """Ask nothing: the API has no such question."""
    yield from ()
    return Rejected(why=why)


def ask_for_one(
    look: Look, dialect: Dialect, *, base_url: str, template: str, key: str
) -> Asking:
    """Ask an API that answers for one generation at a time; a hold is a plain look."""
    if not isinstance(look, Get | Hold):
        return Rejected(why="this API answers for one generation at a time")
    url = address(look.id, base_url=base_url, template=template)
    if isinstance(url, Rejected):
        return url
    response = yield bearer(url, key)
    return read_one(response, look.id, dialect, secret=key)
