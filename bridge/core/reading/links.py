"""Links: which text is one, and until when it opens (PROVIDERS, rules 7 and 11)."""

from base64 import urlsafe_b64decode
from binascii import Error
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from bridge.core.network.retry_after import whole_seconds
from bridge.core.reading.instant import instant

LONGEST = 16_384
"""Characters of a link; what is longer is no link but a file that was put into one."""

_SCHEMES = ("https://", "http://")
_PRESIGNED = ("x-amz", "x-goog")


def is_link(value: object) -> bool:
    """Whether a value is a link for http or https, with a host, on one line, encodable."""
    return link(value) is not None


def link(value: object) -> str | None:
    """Return the link that a value is, without outer spaces."""
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    text = value.strip()
    scheme = next((s for s in _SCHEMES if text[: len(s)].lower() == s), None)
    if scheme is None or text[len(scheme) : len(scheme) + 1] in (
        "",
        "/",
        "?",
        "#",
        "\\",
    ):
        return None
    return text if text.isprintable() or _printable(text) else None


def _printable(text: str) -> bool:
    return all(c >= " " and c != "\x7f" and not "\ud800" <= c <= "\udfff" for c in text)


def link_end(url: str) -> datetime | None:
    """Return when a link says that it ends.

    Read are `X-Amz-Date` with `X-Amz-Expires` (Amazon, and who copies it), the same of
    `X-Goog-`, `se` (Azure), `Expires` (a moment) and the `exp` inside Runway's `_jwt`.
    """
    query = url.partition("#")[0].partition("?")[2]
    if not query:
        return None
    named: dict[str, str] = {}
    for name, value in parse_qsl(query):
        named.setdefault(name.lower(), value)
    ends = (
        *(_presigned(named, prefix) for prefix in _PRESIGNED),
        instant(named.get("se")),
        instant(named.get("expires")),
        _jwt_end(named.get("_jwt")),
    )
    return next((end for end in ends if end is not None), None)


def _presigned(named: dict[str, str], prefix: str) -> datetime | None:
    signed_at = instant(named.get(f"{prefix}-date"))
    life = whole_seconds(named.get(f"{prefix}-expires", ""))
    return None if signed_at is None or life is None else later(signed_at, life)


def later(moment: datetime, span: timedelta) -> datetime | None:
    """Return the moment after a span, None beyond the calendar."""
    try:
        return moment + span
    except OverflowError:
        return None


def _jwt_end(token: str | None) -> datetime | None:
    parts = (token or "").split(".")
    if len(parts) != 3:
        return None
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims: Any = msgspec.json.decode(urlsafe_b64decode(padded))
    except (ValueError, Error, msgspec.MsgspecError, RecursionError):
        return None
    return instant(claims.get("exp")) if isinstance(claims, dict) else None
