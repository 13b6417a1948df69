"""The server: a bound address, and an application that is served there."""

import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp

from bridge.errors import StartError

BACKLOG = 2048
_DRAIN = 0.5
"""Seconds that answers under way have left once the end has begun."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address, before anything is served there.

    Raises StartError, which names the address and what to do.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise StartError(f"cannot listen at {where}: no such address; {_ADVICE}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen at {where}: {_reason(error)}") from error
    return listener


@asynccontextmanager
async def listening(application: ASGIApp, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve the application inside the block, whose value is the URL; port 0: any that is free.

    At its end, connections at rest are closed at once and answers under way get half a second.
    The process's signals and log stay untouched. Raises StartError as `bind` does.
    """
    server = _Server(_config(application))
    with bind(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_told, server, listener)
            try:
                yield f"http://{name}:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True


async def _until_told(server: uvicorn.Server, listener: socket.socket) -> None:
    # Cancellation would tear connections apart; `should_exit` lets answers be finished.
    with anyio.CancelScope(shield=True):
        await server.serve([listener])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the daemon, which has more to end than this server."""
        yield


def _config(application: ASGIApp) -> uvicorn.Config:
    config = uvicorn.Config(
        application,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    # It is only ever handed to asyncio.wait_for, which takes fractions of a second.
    config.timeout_graceful_shutdown = _DRAIN  # type: ignore[assignment]
    return config


_ADVICE = "set `server.listen` to another address, or to `off`"
_REASONS = {
    errno.EADDRINUSE: "another program listens there already; end it, or",
    errno.EADDRNOTAVAIL: "this machine has no such address;",
    errno.EACCES: "ports below 1024 need a right that this process lacks;",
}


def _reason(error: OSError) -> str:
    known = _REASONS.get(error.errno or 0, f"{error.strerror};")
    return f"{known} {_ADVICE}"
