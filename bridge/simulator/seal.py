"""Whether a webhook's signature holds, as a receiver finds out."""

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from bridge.core.delivering.signing import Key, sign

TOLERANCE = 300
"""Seconds that a timestamp may be off (Standard Webhooks)."""


class Seal(StrEnum):
    """What a receiver found; the value is for people."""

    VERIFIED = "verified"
    UNCHECKED = "not checked, for want of a secret"
    UNSIGNED = "unsigned"
    MALFORMED = "an id or a timestamp that cannot be read"
    WRONG = "a wrong signature"
    OLD = "a timestamp too far from now"

    @property
    def good(self) -> bool:
        """Whether a receiver may take the message."""
        return self in (Seal.VERIFIED, Seal.UNCHECKED)


def examine(
    headers: Mapping[str, str], body: bytes, keys: Sequence[Key], now: datetime
) -> Seal:
    """Return what the signature of a body is worth; one good key is enough.

    `headers` has lower-case names. Tokens that are unknown or malformed are passed over.
    """
    if not keys:
        return Seal.UNCHECKED
    tokens = headers.get("webhook-signature", "").split()
    if not tokens:
        return Seal.UNSIGNED
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (message_id and message_id.isascii() and re.fullmatch("[0-9]{1,12}", stamp)):
        return Seal.MALFORMED
    expected = [sign([key], message_id, int(stamp), body) for key in keys]
    if not any(_same(token, good) for token in tokens for good in expected):
        return Seal.WRONG
    off = abs(now.timestamp() - int(stamp))
    return Seal.VERIFIED if off <= TOLERANCE else Seal.OLD


def _same(token: str, good: str) -> bool:
    return hmac.compare_digest(token.encode("utf-8", "replace"), good.encode())
