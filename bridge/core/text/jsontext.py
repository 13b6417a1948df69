"""JSON as it is stored and sent: pure ASCII, whatever a provider put into it."""

import codecs
import json
import math
import re
from functools import lru_cache
from typing import Any

import msgspec

RAW_LIMIT = 256 * 1024
"""Bytes of a provider's document that an event carries (DESIGN, section 5)."""

DEEPEST = 200
"""Levels of nesting that are kept of a document that cannot be encoded as it is."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def encode(value: object) -> bytes:
    """Return the value as compact ASCII JSON; lone surrogates become U+FFFD, NaN becomes null.

    A value that nests so deeply that nobody could read it loses what lies below `DEEPEST`.
    """
    try:
        text = msgspec.json.encode(value)
    except (UnicodeEncodeError, RecursionError):
        # Rare, so it may be slow: the standard library shows every string before it is written.
        return json.dumps(tidy(value), separators=(",", ":"), allow_nan=False).encode(
            "ascii"
        )
    return text if text.isascii() else _ascii(text)


def _ascii(text: bytes) -> bytes:
    """Return JSON text with its wide characters escaped: they stand only within strings."""
    text = text.replace(_ELLIPSIS, b"\\u2026")
    return text if text.isascii() else text.decode().encode("ascii", _ESCAPES)


_ELLIPSIS = "…".encode()
"""What stands for what is not told, the only wide character of most texts."""


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for the wide characters that an encoder came upon, and where it goes on.

    The encoder looks for them itself: 3 instead of 8 µs for three of them in 600 (measured).
    """
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101  (only encoders ask)
    return _escaped(error.object[error.start : error.end]), error.end


@lru_cache(maxsize=512)
def _escaped(characters: str) -> str:
    return json.dumps(characters)[1:-1]


_ESCAPES = "genbridge.json"
codecs.register_error(_ESCAPES, _escape)


def tidy(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Return a JSON value without lone surrogates and without numbers that are not finite.

    What lies deeper than `DEEPEST` becomes null.
    """
    return _tidy(value, DEEPEST)


def _tidy(value: Any, depth: int) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth == 0 and isinstance(value, dict | list | tuple):
        return None
    if isinstance(value, dict):
        return {_tidy(str(k), depth): _tidy(v, depth - 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_tidy(v, depth - 1) for v in value]
    return value


def raw_text(document: object, text: bytes | None = None) -> bytes:
    """Return a provider's document as ASCII JSON, as received where that is possible.

    `text` is the document's own text where there is one. Numbers stay as they were written
    then.
    """
    if text is not None:
        text = text.removeprefix(b"\xef\xbb\xbf").strip()
        if text.isascii() and not _SURROGATE_ESCAPE.search(text):
            return text
    return encode(document)
