"""One connection: a request goes out, its reply comes in, one at a time."""

import asyncio
import select
from collections.abc import Callable

from bridge.core.network.exchange import Peer
from bridge.http.reply import Broken, Reply

_WINDOW = 1 << 16
"""Bytes that are taken from a socket at once."""

_FINEST = 0.001
"""Seconds between which the loop's timers do not tell apart: they may come so much too soon."""


class Lost(Exception):
    """The connection ended before the head of an answer was whole."""


class Late(Exception):
    """The deadline came before the head of an answer was whole."""


class Closed(Exception):
    """We ended the connection ourselves."""


def window() -> memoryview:
    """Return room for what comes in; the lines of one loop share it, for none keeps it."""
    return memoryview(bytearray(_WINDOW))


class Line(asyncio.BufferedProtocol):
    """A connection; `requests` counts those that were sent, `peer` is who is there."""

    __slots__ = (
        "_deadline",
        "_loop",
        "_lost",
        "_over",
        "_poll",
        "_reply",
        "_timer",
        "_window",
        "peer",
        "requests",
        "since",
        "transport",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        window: memoryview,
        lost: Callable[["Line"], None],
    ) -> None:
        self._loop = loop
        self._window = window
        self._lost = lost
        self._reply: Reply | None = None
        self._over: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._poll = select.poll()
        self.transport: asyncio.Transport | None = None
        self.peer: Peer | None = None
        self.requests = 0
        self.since = 0.0
        """When it was put by, on the loop's clock."""

    @property
    def open(self) -> bool:
        """Whether a request may be written: no end was seen."""
        return self.transport is not None and not self.transport.is_closing()

    @property
    def quiet(self) -> bool:
        """Whether it is open and nothing lies unread: an end, or an answer nobody asked for.

        What came since the loop last looked would be taken for the answer to the next request.
        """
        transport = self.transport
        return (
            transport is not None and not transport.is_closing() and not self._poll.poll(0)
        )

    @property
    def written(self) -> bool:
        """Whether it is open and has taken the request whole: an answer may come before."""
        transport = self.transport
        return (
            transport is not None
            and not transport.is_closing()
            and not transport.get_write_buffer_size()
        )

    async def ask(self, request: bytes, reply: Reply, deadline: float) -> None:
        """Send one request and wait until its reply is done.

        Raises Broken, Lost, Late or Closed where there is no whole head; the connection is
        over then. `deadline` is a moment on the loop's clock.
        """
        if self.transport is None:
            raise Lost
        self.requests += 1
        self._reply = reply
        self._over = self._loop.create_future()
        self._wake_at(deadline)
        try:
            self.transport.write(request)
            reply.sent()
            await self._over
        except BaseException:
            self.abort()
            raise
        finally:
            reply.close()
            self._reply = self._over = None

    def _wake_at(self, deadline: float) -> None:
        """See to it that `_be_late` is called then, or before: it looks again.

        One timer serves many requests, for most deadlines only move on (1.5 µs each, measured).
        """
        self._deadline = deadline
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._be_late)

    def abort(self) -> None:
        """End the connection at once: a goodbye, or bytes not yet taken, may wait for 30 s."""
        self._finish(Closed())
        if self.transport is not None:
            self.transport.abort()

    # --------------------------------------------------------------------- called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]  # a TCP connection's is one
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (the loop's word)
        """Return where the next bytes go."""
        return self._window

    def buffer_updated(self, nbytes: int) -> None:
        """Hand over what came; what comes unasked poisons the connection."""
        reply = self._reply
        if reply is None or reply.done:
            self.abort()
            return
        try:
            reply.feed(self._window[:nbytes])
        except Broken as error:
            self._finish(error)
        else:
            if reply.done:
                self._finish(None)

    def eof_received(self) -> None:
        """End the wait at once; the transport closes itself, but writes all there is first."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait for a reply with what there is."""
        self.transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end(exc)
        self._lost(self)

    def _end(self, exc: Exception | None) -> None:
        reply = self._reply
        if reply is None:
            return
        lost = Lost()
        lost.__cause__ = exc
        self._finish(None if reply.end() else lost)

    def _be_late(self) -> None:
        self._timer = None
        if self._reply is None:
            return
        if self._deadline - self._loop.time() > _FINEST:
            self._wake_at(self._deadline)
        else:
            self._finish(None if self._reply.late() else Late())

    def _finish(self, error: Exception | None) -> None:
        over = self._over
        if over is None or over.done():
            return
        if error is None:
            over.set_result(None)
        else:
            over.set_exception(error)
