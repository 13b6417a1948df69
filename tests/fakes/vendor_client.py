"""A FakeUpstream as an ASGI application: vendors' clients can look at it on virtual time."""

from collections.abc import Awaitable, Callable, MutableMapping
from datetime import timedelta
from typing import Any

from bridge.core.network.exchange import Request, Response
from tests.fakes.upstream import FakeUpstream

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class UpstreamApp:
    """Answers HTTP requests, whatever their host, as the simulated APIs do.

    Raises AssertionError where they do not answer at all.
    """

    def __init__(self, upstream: FakeUpstream) -> None:
        self._upstream = upstream

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        request = Request(
            method=scope["method"],
            url=f"{self._upstream.apis.origin}{_target(scope)}",
            headers=tuple((n.decode(), v.decode()) for n, v in scope["headers"]),
            body=await _body(receive),
        )
        hour = timedelta(hours=1)
        answer = await self._upstream.send(request, timeout=hour, limit=1 << 20)
        assert isinstance(answer, Response), answer
        headers = [(n.encode(), v.encode()) for n, v in answer.headers.items()]
        await send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": answer.body})


def _target(scope: _Message) -> str:
    path, query = scope["raw_path"].decode(), scope["query_string"].decode()
    return f"{path}?{query}" if query else path


async def _body(receive: _Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
