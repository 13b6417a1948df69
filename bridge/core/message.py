"""A message: one event as it is stored, before any format has dressed it."""

import re
from typing import ClassVar
from uuid import UUID

import msgspec

from bridge.core.record import Record
from bridge.core.text.jsontext import RAW_LIMIT, encode

_WHOLE_CHARACTERS = re.compile(rb'(?:[^"\\]|\\[^u]|\\u[0-9a-f]{4})*')


class Message(Record, frozen=True, kw_only=True):
    """What happened, as stored text.

    `id` is the `webhook-id`: equal on every attempt and replay. `body` is the standard envelope
    as ASCII JSON without its `raw`: an object whose last key, `data`, is an object that is not
    empty. `raw` is the provider's document as ASCII JSON, None where there is none.
    """

    unshown: ClassVar[frozenset[str]] = frozenset({"body", "raw"})

    id: UUID
    body: bytes
    raw: bytes | None = None

    @property
    def webhook_id(self) -> str:
        """The `id` as it is sent and stored."""
        # As `str`, in a quarter of its time.
        text: str = msgspec.to_builtins(self.id)
        return text

    def whole(self) -> bytes:
        """Return the envelope with `raw` as the last key of `data`.

        A document above `RAW_LIMIT` bytes becomes a string with its beginning, so long itself,
        and `raw_truncated` is true.
        """
        raw = self.raw or b"null"
        if len(raw) > RAW_LIMIT:
            return b'%b,"raw":"%b","raw_truncated":true}}' % (
                self.body[:-2],
                _beginning(raw),
            )
        # A third faster than `%`: it is done for every attempt.
        return b"".join((self.body[:-2], b',"raw":', raw, b"}}"))


def _beginning(document: bytes) -> bytes:
    """Return the inside of a JSON string: as much of a document as `RAW_LIMIT` leaves room for."""
    room = RAW_LIMIT - len('""')
    escaped = encode(document[:room].decode("ascii"))[1:-1][:room]
    whole = _WHOLE_CHARACTERS.match(escaped)
    return whole[0] if whole else b""
