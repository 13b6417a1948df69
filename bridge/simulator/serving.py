"""A small HTTP server on the IPv4 loopback address, with the transport within reach."""

import errno
import struct
from collections.abc import Awaitable, Callable
from socket import SO_LINGER, SOL_SOCKET
from types import TracebackType
from typing import NoReturn, Self, TypeAlias

import anyio
from aiohttp import web

from bridge.errors import StartError

HOST = "127.0.0.1"

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

# 10,000 clients may knock at once; the kernel cuts this to net.core.somaxconn.
_BACKLOG = 16_384
# What is held when the server closes is cut off: aiohttp waits twice as long at most.
_GRACE = 0.1


class LoopbackServer:
    """Serves while its block is open; port 0 takes a free one. `origin` tells which.

    A handler is cancelled when its client leaves or the block ends.
    Raises StartError where the port cannot be had.
    """

    def __init__(self, handler: Handler, *, port: int = 0) -> None:
        # aiohttp keeps idle connections for an hour: it is the client's pool that closes them.
        server = web.Server(handler, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=_GRACE)
        self._port = port

    @property
    def origin(self) -> str:
        """The scheme, the address and the port."""
        return f"http://{HOST}:{self._port}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port, backlog=_BACKLOG)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise StartError(_why(error, self._port)) from error
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self._runner.cleanup()


_REASONS = {
    errno.EADDRINUSE: "another program listens there already; end it, or ",
    errno.EACCES: "ports below 1024 need a right that this process lacks; ",
}


def _why(error: OSError, port: int) -> str:
    """Say what is wrong with a port and what to do: the library's own words are for programmers."""
    known = _REASONS.get(error.errno or 0, "")
    advice = "choose another port with --port (0: any that is free)"
    return f"cannot listen on {HOST}:{port}: {known}{advice}"


async def close(request: web.BaseRequest) -> NoReturn:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.close()
    await silence()


async def reset(request: web.BaseRequest) -> NoReturn:
    """Reset the connection: the client sees no orderly end."""
    if request.transport is not None:
        # Linger 0 makes the kernel send RST instead of FIN.
        socket = request.transport.get_extra_info("socket")
        socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    await silence()


async def silence() -> NoReturn:
    """Say nothing until the client leaves, which cancels the handler."""
    while True:
        await anyio.sleep_forever()


async def drip(request: web.BaseRequest, response: web.Response, pause: float) -> NoReturn:
    """Send an answer byte by byte, head included, `pause` seconds after each, and close."""
    for byte in _wire(response):
        if request.transport is None:
            break
        request.transport.write(bytes((byte,)))
        await anyio.sleep(pause)
    await close(request)


def _wire(response: web.Response) -> bytes:
    body = response.body if isinstance(response.body, bytes) else b""
    head = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    status = f"HTTP/1.1 {response.status} {response.reason}\r\n"
    return f"{status}{head}connection: close\r\n\r\n".encode("latin-1") + body
