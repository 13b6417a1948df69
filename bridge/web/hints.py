"""Hints: where a provider may post its own callbacks (`POST /hints/{source}/{token}`).

They need no Bearer token, for the path holds one, and nothing of them is believed: they are
answered at once, and bring a look forward at most.
"""

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.core.hints import BODY_LIMIT, PREFIX, right
from bridge.web.problem import Problem
from bridge.web.service import Service

PATIENCE = 10.0
"""Seconds that a body may take to come in."""


def hints(service: Service) -> ASGIApp:
    """Return the application behind `/hints/`."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await _answered(service, Request(scope, receive))
        except ClientDisconnect:
            return
        await answer(scope, receive, send)

    return application


async def _answered(service: Service, request: Request) -> Response:
    name, _, token = request.scope["path"].removeprefix(PREFIX).partition("/")
    source = service.settings.sources.get(name)
    # Compared in any case: what is wrong is not to be told by the time it takes either.
    known = right(token, None if source is None else source.hint_token)
    if source is None or not known:
        return Problem(404, "nothing is here")
    if request.method != "POST":
        return Problem(405, "hints are posted", headers={"allow": "POST"})
    body = await _body(request)
    if isinstance(body, Problem):
        return body
    service.hint(name, body)
    return Response(status_code=204)


async def _body(request: Request) -> bytes | Problem:
    """Return the body, or why it is not read to its end."""
    taken = bytearray()
    with anyio.move_on_after(PATIENCE):
        async for part in request.stream():
            taken += part
            if len(taken) > BODY_LIMIT:
                return Problem(413, "a hint has at most 256 KiB")
        return bytes(taken)
    return Problem(408, "the body did not come in time", headers={"connection": "close"})
