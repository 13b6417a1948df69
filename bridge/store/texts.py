"""Texts and numbers as both databases can hold them (STORE, section 8)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any

import msgspec

from bridge.core.text.jsontext import encode
from bridge.core.watch import Generation
from bridge.errors import StoreError

WHY_LIMIT = 2000
"""Characters of a reason that are kept."""

_METADATA = msgspec.json.Decoder(dict[str, Any])
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def plain(text: str | None, limit: int = WHY_LIMIT) -> str | None:
    """Return a text from outside without NUL, lone surrogates as U+FFFD, cut at `limit`."""
    if text is None or (len(text) <= limit and text.isascii() and "\0" not in text):
        return text
    return _UNSTORABLE.sub(lambda m: "\ufffd" if m[0] != "\0" else "", text)[:limit]


def storable(generation: Generation) -> Generation:
    """Return the generation; raises StoreError where it cannot be kept as it is.

    An id is compared bytewise, so it is never repaired: that would name another generation.
    """
    for text in generation:
        if not 1 <= len(text) <= 512 or _UNSTORABLE.search(text):
            raise StoreError(
                f"cannot keep {text[:64]!a}: expected 1 to 512 characters, no NUL and no "
                "lone surrogate"
            )
    return generation


def ascii_text(json: bytes) -> str:
    """Return JSON as the text that is stored; raises StoreError where it is not ASCII."""
    try:
        return json.decode("ascii")
    except UnicodeDecodeError as error:
        raise StoreError(
            f"cannot keep a message: its JSON is not ASCII: {error}"
        ) from error


def micros(span: timedelta) -> int:
    """Return a span as whole microseconds."""
    return (span.days * 86400 + span.seconds) * 1_000_000 + span.microseconds


def span(micros: int) -> timedelta:
    """Return whole microseconds as a span."""
    return timedelta(0, 0, micros)


def metadata_text(metadata: Mapping[str, Any]) -> str | None:
    """Return metadata as ASCII JSON; None where it is empty."""
    return encode(dict(metadata)).decode("ascii") if metadata else None


def metadata_of(text: str | None) -> dict[str, Any]:
    """Return metadata from its text; whole numbers of any length stay whole."""
    return _METADATA.decode(text) if text else {}


@lru_cache(maxsize=4096)
def webhooks_text(ids: tuple[int, ...]) -> str:
    """Return webhook ids as JSON."""
    return msgspec.json.encode(ids).decode("ascii")


@lru_cache(maxsize=4096)
def webhooks_of(text: str) -> tuple[int, ...]:
    """Return webhook ids from their text; most watches share a few lists."""
    return tuple(msgspec.json.decode(text))
