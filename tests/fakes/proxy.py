"""Proxies on loopback sockets: HTTP (CONNECT and absolute form) and SOCKS5."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeAlias

Serve: TypeAlias = Callable[
    [asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]
]


class FakeProxy:
    """Leads every host to `127.0.0.1`; `asked` is what it was asked for, in its own words.

    `refuses` is what an HTTP proxy answers instead, or the reply of a SOCKS proxy.
    """

    def __init__(self, *, refuses: bytes | int | None = None) -> None:
        self.refuses = refuses
        self.asked: list[str] = []
        self.shown: list[str] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def http(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Speak HTTP: tunnel for CONNECT, pass everything else on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n")[0].split(" ")
        self.asked.append(f"{method} {target}")
        self.shown += [
            line for line in head.split("\r\n") if line.startswith("proxy-authorization")
        ]
        if isinstance(self.refuses, bytes):
            writer.write(self.refuses)
        elif method == "CONNECT":
            await self._joined(reader, writer, target, greeting=b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            length = int(
                head.lower().partition("content-length: ")[2].split("\r\n")[0] or 0
            )
            body = await reader.readexactly(length)
            host = target.removeprefix("http://").split("/")[0]
            await self._joined(reader, writer, host, first=head.encode() + body)

    async def socks(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Speak SOCKS5, with a password if one is offered."""
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        writer.write(b"\x05\x02" if 2 in methods else b"\x05\x00")
        if 2 in methods:
            _, size = await reader.readexactly(2)
            name = (await reader.readexactly(size)).decode()
            (size,) = await reader.readexactly(1)
            self.shown.append(f"{name}:{(await reader.readexactly(size)).decode()}")
            writer.write(b"\x01\x00")
        _, _, _, kind = await reader.readexactly(4)
        if kind == 1:
            host = ".".join(map(str, await reader.readexactly(4)))
        else:
            (size,) = await reader.readexactly(1)
            host = (await reader.readexactly(size)).decode()
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        self.asked.append(f"{host}:{port}")
        reply = self.refuses if isinstance(self.refuses, int) else 0
        said = bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
        if reply:
            writer.write(said)
        else:
            await self._joined(reader, writer, f"x:{port}", greeting=said)

    async def _joined(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        target: str,
        *,
        greeting: bytes = b"",
        first: bytes = b"",
    ) -> None:
        port = int(target.rpartition(":")[2])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(greeting)
        far_writer.write(first)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_copy(reader, far_writer))
                tasks.create_task(_copy(far_reader, writer))
        finally:
            far_writer.transport.abort()

    async def serve(
        self,
        speak: Serve,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await speak(reader, writer)
                await writer.drain()
                writer.close()
        except* OSError:
            pass
        finally:
            if writer.transport.is_closing():
                await asyncio.sleep(0)
            else:
                writer.transport.abort()
            self._tasks.discard(task)

    async def end(self) -> None:
        """End every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.01)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    raise ConnectionResetError


@contextlib.asynccontextmanager
async def proxying(
    *,
    socks: bool = False,
    refuses: bytes | int | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[FakeProxy]:
    """Run a proxy until the end of the block."""
    proxy = FakeProxy(refuses=refuses)
    speak: Serve = proxy.socks if socks else proxy.http

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await proxy.serve(speak, reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
