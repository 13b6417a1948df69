"""Tokens that are made of a key instead of being one."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from bridge.core.text.jsontext import encode

_SHORTEST = 4
"""Characters of half a key that are masked; shorter ones stand in ordinary words."""


def hs256(claims: Mapping[str, object], secret: str) -> str:
    """Return a JSON web token, signed with HMAC-SHA256 (RFC 7519)."""
    head = _written(encode({"alg": "HS256", "typ": "JWT"}))
    text = f"{head}.{_written(encode(dict(claims)))}"
    digest = hmac.digest(secret.encode(), text.encode(), hashlib.sha256)
    return f"{text}.{_written(digest)}"


def secrets_of(key: str, shown: str) -> tuple[str, ...]:
    """Return what must show up nowhere: the key, its halves around `:`, what is `shown`.

    The longest stands first, so that masking one leaves no piece of another.
    """
    halves = [half for half in key.split(":") if len(half) >= _SHORTEST]
    return tuple(sorted({key, shown, *halves} - {""}, key=len, reverse=True))


def _written(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
