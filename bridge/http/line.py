"""One connection and the pool that keeps it: aiohttp's, and what we must know besides."""

import asyncio
import functools
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader

from bridge.http.failure import Chatty

_INTERIM = 16
"""Interim answers (1xx) that are read over before one request is given up."""
_HEAD_ENDS = b"\r\n\r\n"
_WINDOW = 1 << 16
"""Bytes of a body that wait for their reader before the other side is held up."""


class Line(ResponseHandler):
    """A connection; counts its requests and the bytes that answered the latest."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.requests = 0
        self.heard = 0

    @property
    def open(self) -> bool:
        """Whether a request may be written: no end was seen, and nothing came unasked."""
        return self.is_connected() and not self.should_close

    @property
    def reusable(self) -> bool:
        """Whether the answer was read to its end, and the request written to its own."""
        transport = self.transport
        if transport is None or self.should_close:
            return False
        # A receiver may answer before it has taken the whole request.
        return not transport.get_write_buffer_size()

    def ask(self, written: bytes, *, body_follows: bool) -> None:
        """Send one request whole; `body_follows` is False for the answer to a HEAD."""
        self.requests += 1
        self.heard = 0
        self.set_response_params(
            skip_payload=not body_follows,
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=_WINDOW,
        )
        if self.transport is not None:
            self.transport.write(written)

    async def answer(self) -> tuple[RawResponseMessage, StreamReader]:
        """Wait for the head that counts; raises whatever ended the connection instead."""
        for _ in range(_INTERIM):
            message, payload = await self.read()
            if message.code == 101 or not 100 <= message.code <= 199:
                return message, payload
        raise Chatty

    def data_received(self, data: bytes) -> None:
        """Take in what came, a head on its own.

        A body that breaks in the segment of its head would take the head with it.
        """
        first = not self.heard
        self.heard += len(data)
        if first and 0 < (end := data.find(_HEAD_ENDS) + 4) < len(data) and end > 3:
            super().data_received(data[:end])
            data = data[end:]
        super().data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """End the wait for a head and the wait for a body, whichever there is."""
        super().set_exception(exc, *cause)
        payload = self._payload
        if payload is not None and not payload.is_eof() and payload.exception() is None:
            payload.set_exception(exc, *cause)


class Lines(aiohttp.TCPConnector):
    """The pool: connections are Lines, without a limit for one host."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # aiohttp's own options
        super().__init__(**options)
        # The one thing taken over that aiohttp does not offer: its protocol counts nothing.
        self._factory = functools.partial(Line, loop=self._loop)  # type: ignore[assignment]  # a Line is one

    async def close(self, *, abort_ssl: bool = True) -> None:
        """End every connection at once: a peer that takes nothing must not hold up the end."""
        for line in tuple(self._acquired):
            line.abort()
        await super().close(abort_ssl=abort_ssl)
