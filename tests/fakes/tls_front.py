"""A TLS name in front of a plain server: every connection is passed on byte for byte."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import anyio
import trustme
from anyio.abc import ByteReceiveStream, ByteSendStream, ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener


@asynccontextmanager
async def tls_front(origin: str, authority: trustme.CA) -> AsyncIterator[str]:
    """Serve what is at `origin` at the https origin that the block is given."""
    where = urlsplit(origin)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    listener = TLSListener(plain, context, standard_compatible=False)
    port = plain.listeners[0].extra(SocketAttribute.local_port)  # noqa: S610  (no Django here)

    async def passed_on(client: ByteStream) -> None:
        server = await anyio.connect_tcp(where.hostname or "", where.port or 0)
        async with client, server, anyio.create_task_group() as tasks:
            tasks.start_soon(_pipe, client, server, tasks.cancel_scope)
            tasks.start_soon(_pipe, server, client, tasks.cancel_scope)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, passed_on)
        yield f"https://localhost:{port}"
        tasks.cancel_scope.cancel()


async def _pipe(
    source: ByteReceiveStream, sink: ByteSendStream, both: anyio.CancelScope
) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async for piece in source:
            await sink.send(piece)
    both.cancel()
