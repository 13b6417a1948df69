"""Receivers on bare sockets that misbehave until they are healed."""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

Answering: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Hostile:
    """A receiver; `answering` writes the answers, `told` are the events that were well answered."""

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self.port = 0
        self.methods: list[str] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self._tasks: set[asyncio.Task[None] | None] = set()

    def heal(self) -> None:
        """Answer well from now on."""
        self.answering = saying(NO_CONTENT)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one connection's requests."""
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            # Cancelled by `end` alone, which waits for no more than this.
            with contextlib.suppress(
                OSError, asyncio.IncompleteReadError, asyncio.CancelledError
            ):
                while await self._one(reader, writer):
                    pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:-2])
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        self.methods.append(lines[0].split(" ")[0])
        well = getattr(self.answering, "well", False)
        if well:
            self.told.append((fields["webhook-id"], json.loads(body)["data"]))
        await self.answering(writer)
        await writer.drain()
        return well

    async def end(self) -> None:
        """End what is being answered."""
        tasks = [task for task in self._tasks if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Aborted transports close themselves in the next turns of the loop.
        await asyncio.sleep(0.01)


@asynccontextmanager
async def hostile(
    answering: Answering, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Hostile]:
    """Serve on a port of the loopback address."""
    receiver = Hostile(answering)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await receiver.end()


def saying(answer: bytes) -> Answering:
    """Answer these bytes; a 204 is the good answer."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    say.well = answer == NO_CONTENT  # type: ignore[attr-defined]  # what `Hostile` asks for
    return say


async def drip(writer: asyncio.StreamWriter) -> None:
    """Answer a byte every now and then, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.1)


async def endless(writer: asyncio.StreamWriter) -> None:
    """Fail, and explain it without end."""
    writer.write(b"HTTP/1.1 500 Oh\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def hang(_writer: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await asyncio.sleep(3600)


async def reset(writer: asyncio.StreamWriter) -> None:
    """Tear the connection apart."""
    plug = writer.get_extra_info("socket")
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
