"""The answer to one request, as its bytes come in: bounded, and no word of it believed.

llhttp reads it (by httptools); what it does not bound is bounded here.
"""

from collections.abc import Callable
from typing import TypeAlias

import httptools

Headers: TypeAlias = list[tuple[bytes, bytes]]

_INTERIM = 16
"""Interim answers (1xx) that are read over before one request is given up."""
_LONGEST_LINE = 8190
_MOST_LINES = 128
_LARGEST_HEAD = 1 << 16


class Broken(Exception):
    """There is no whole head, and there will be none."""


class Malformed(Broken):
    """What came is no answer in HTTP; the message says which rule it breaks."""


class Chatty(Broken):
    """Interim answers came without end."""


class Reply:
    """What came so far; `done` once nothing more is wanted.

    `limit` bounds the body, which stays as it came; `cut` says that there was more or that it
    broke off. `sent_at` is the moment at which the request was written, `head_at` that at which
    the head was whole, None before.
    """

    __slots__ = (
        "_bodiless",
        "_body",
        "_doubtful",
        "_framed",
        "_head",
        "_interim",
        "_line",
        "_now",
        "_parser",
        "_room",
        "_trouble",
        "_waste",
        "cut",
        "done",
        "head_at",
        "headers",
        "heard",
        "keep",
        "sent_at",
        "status",
    )

    def __init__(self, limit: int, now: Callable[[], float], *, bodiless: bool) -> None:
        self.status = 0
        self.headers: Headers = []
        self.heard = 0
        self.sent_at = 0.0
        self.head_at: float | None = None
        self.cut = False
        self.done = False
        self.keep = False
        self._body: bytearray | None = None
        self._room = limit
        self._now = now
        self._bodiless = bodiless
        self._framed = False
        self._doubtful = False
        self._interim = 0
        self._line = 0
        self._head = 0
        self._waste = 0
        self._trouble: Broken | None = None
        parser = httptools.HttpResponseParser(self)
        # Old servers end lines with a line feed alone, and pad the sizes of chunks; an interim
        # answer may say `close` of the connection, or be of HTTP/1.0, and the answer follows.
        parser.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
            lenient_keep_alive=True,
        )
        self._parser = parser

    def close(self) -> None:
        """Let the parser go: it and its reply hold each other, and would wait for a collection."""
        del self._parser

    def sent(self) -> None:
        """Note that the request was written."""
        self.sent_at = self._now()

    @property
    def body(self) -> bytes:
        """The raw body, as much of it as was wanted and came."""
        return b"" if self._body is None else bytes(self._body)

    def feed(self, part: memoryview) -> None:
        """Take in what came; raises Broken where no whole head can come of it."""
        self.heard += len(part)
        while part and self.head_at is None:
            part = self._head_fed(part)
        if part:
            self._rest_fed(part)

    def end(self) -> bool:
        """Say that the connection ended; whether there is an answer."""
        if self.head_at is None:
            return False
        self.cut = self.cut or (self._framed and not self.done)
        self.done, self.keep = True, False
        return True

    def late(self) -> bool:
        """Say that time is over; whether there is an answer."""
        if self.head_at is None:
            return False
        self.cut = self.cut or not self.done
        self.done, self.keep = True, False
        return True

    # -------------------------------------------------------------------- called by the parser

    def on_message_begin(self) -> None:
        """Begin an answer; one that follows the last one was not asked for."""
        if self.done:
            self.keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a line of the head; after the body it is a trailer, which nobody asked for."""
        if self.head_at is not None:
            return
        self._head += len(name) + len(value)
        if len(self.headers) >= _MOST_LINES:
            self._trouble = Malformed("the head has more than 128 header lines")
        elif self._head > _LARGEST_HEAD:
            self._trouble = Malformed("the head is larger than 64 KiB")
        else:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the head if it counts: interim answers are read over."""
        if self.head_at is not None or self._trouble is not None:
            return
        status = self._parser.get_status_code()
        if 100 <= status <= 199 and status != 101:
            self._interim += 1
            self.headers = []
            if self._interim > _INTERIM:
                self._trouble = Chatty()
            return
        self.status = status
        self.head_at = self._now()
        self._judge_framing()
        # Only the head: a chunk of `3`, CR LF, `ab`, CR LF has one byte too few.
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=False)
        if self._bodiless or status == 101:
            self._finish()

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body, as far as there is room."""
        if self.done:
            return
        if self._body is None:
            self._body = bytearray()
        if len(part) > self._room:
            self._body += part[: self._room]
            self.cut = True
            self._finish()
        else:
            self._body += part
            self._room -= len(part)

    def on_message_complete(self) -> None:
        """Note the end of the body; interim answers have none."""
        if self.head_at is not None and not self.done:
            self.done = True
            self.keep = self._parser.should_keep_alive() and not self._doubtful

    # ----------------------------------------------------------------------------------------

    def _finish(self) -> None:
        self.done, self.keep = True, False

    def _break(self, error: Exception) -> None:
        """Note that the rest cannot be read: a head that is whole counts all the same."""
        self.keep = False
        if self.head_at is None:
            self._trouble = self._trouble or Malformed("the answer is malformed")
            self._trouble.__cause__ = error
        elif not self.done:
            self.cut = True
            self.done = True

    def _head_fed(self, part: memoryview) -> memoryview:
        """Read on in the head, as far as one line may go; return what is left."""
        piece = part[: _LONGEST_LINE + 1 - self._line]
        self._parse(piece)
        if self.head_at is None:
            at = bytes(piece).rfind(b"\n")
            self._line = self._line + len(piece) if at < 0 else len(piece) - at - 1
            if self._trouble is None and self._line > _LONGEST_LINE:
                self._trouble = Malformed("a line of the head is longer than 8190 bytes")
            if self._trouble is not None:
                raise self._trouble
        return part[len(piece) :]

    def _rest_fed(self, part: memoryview) -> None:
        """Read on behind the head; what is no body there (trailers) is bounded as a head is."""
        if self.done:
            self.keep = False
            return
        room = self._room
        self._parse(part)
        self._waste = self._waste + len(part) if self._room == room else 0
        if self._waste > _LARGEST_HEAD and not self.done:
            self.cut = True
            self._finish()

    def _parse(self, part: memoryview) -> None:
        try:
            self._parser.feed_data(part)
        except httptools.HttpParserUpgrade:
            self._finish()
        except httptools.HttpParserError as error:
            self._break(error)

    def _judge_framing(self) -> None:
        """Note whether the end of the body is said, and whether others might see another."""
        lengths, codings, closing = [], [], False
        for name, value in self.headers:
            match name.lower():
                case b"content-length":
                    lengths.append(value)
                case b"transfer-encoding":
                    codings.append(value.lower())
                case b"connection":
                    closing = closing or b"close" in value.lower()
                case _:
                    pass
        self._framed = bool(lengths or codings)
        if self.status == 204:
            # It has no body, but who announces one may send it: as the next answer.
            plain = not codings and lengths in ([], [b"0"])
        else:
            plain = not (lengths and codings) and codings in ([], [b"chunked"])
        self._doubtful = closing or not plain
