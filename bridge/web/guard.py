"""The guard at the door of the API: who may come in, and with how much.

It stands before anything is parsed. Without a token only this machine is served; then a page
in a browser must not be able to speak for its user, be it across sites or under a name that
was made to mean this machine.
"""

import hmac
from collections.abc import Mapping
from ipaddress import ip_address

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.web.health import ALIVE, READY
from bridge.web.problem import Problem

BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body."""

PAGES = frozenset({"/docs", "/openapi.json", "/.well-known/genbridge/keys.json"})
"""Pages that need no token.

The description says the same to everybody, and a browser that opens it sends no token. Public
keys are for receivers, who have none.
"""

OPEN = PAGES | {ALIVE, READY}
"""Paths that need no token: whoever watches over processes has none either."""


class Guard:
    """Lets a request through to the application, or answers it."""

    def __init__(self, application: ASGIApp, *, token: str | None) -> None:
        self._application = application
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        refusal = self._refusal(scope["path"], headers)
        if refusal is None:
            if scope["method"] == "HEAD":
                # What GET answers; the server leaves out the body by its own scope.
                scope = {**scope, "method": "GET"}
            await self._application(scope, _measured(receive), send)
        else:
            await refusal(scope, receive, send)

    def _refusal(self, path: str, headers: Mapping[bytes, bytes]) -> Problem | None:
        if b"webhook-id" in headers:
            detail = (
                "this is a webhook's delivery; the API takes none, lest it calls itself"
            )
            return Problem(403, detail)
        if self._token is None:
            return _foreign(headers) or _too_large(headers)
        if path not in OPEN and not self._knows(headers.get(b"authorization", b"")):
            detail = "this needs the header `Authorization: Bearer …` with `server.token`"
            challenge = {"www-authenticate": 'Bearer realm="genbridge"'}
            return Problem(401, detail, headers=challenge)
        return _too_large(headers)

    def _knows(self, credentials: bytes) -> bool:
        scheme, _, given = credentials.partition(b" ")
        token = self._token or b""
        return hmac.compare_digest(given.strip(), token) and scheme.lower() == b"bearer"


def _foreign(headers: Mapping[bytes, bytes]) -> Problem | None:
    if headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site"):
        return Problem(403, "another site's page may not use this API")
    if not _is_local(headers.get(b"host", b"").decode("latin-1")):
        detail = (
            "without `server.token` only requests to localhost are answered; "
            "set a token to be reached under other names"
        )
        return Problem(403, detail)
    return None


def _is_local(host: str) -> bool:
    """Whether a Host header names this machine: a name could be made to mean it."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _too_large(headers: Mapping[bytes, bytes]) -> Problem | None:
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length[:20]) > BODY_LIMIT:
        return Problem(413, _TOO_LARGE)
    return None


def _measured(receive: Receive) -> Receive:
    """Return `receive` as it is, but for bodies that turn out to be too large."""
    taken = 0

    async def measured() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return measured


_TOO_LARGE = "a body has at most 1 MiB; divide it into several calls"
