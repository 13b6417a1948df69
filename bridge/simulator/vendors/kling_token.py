"""The token that kling is asked with: a JWT that the client signs with its secret."""

import base64
import hmac
import json
from datetime import datetime

from bridge.simulator.exchange import Call, Document


def token_or_key(call: Call, good: str | None, now: datetime) -> str | None:
    """Let in who shows a good token, or a plain key as relays take it.

    `good` is ACCESS:SECRET, or a plain key. While any key is good, the times of a token count
    and its signature cannot: nobody knows the secret.
    """
    given = call.credentials("bearer")
    if given is None:
        return None
    access, colon, secret = (good or "").partition(":")
    if given.count(".") != 2:
        return given if good in (None, given) and not colon else None
    if good is not None and not (colon and _is_signed(given, secret)):
        return None
    head, claims = (_decoded(part) for part in given.split(".")[:2])
    issuer = claims.get("iss")
    if (
        head.get("alg") != "HS256"
        or not isinstance(issuer, str)
        or not _is_valid(claims, now)
    ):
        return None
    return issuer if issuer and (good is None or issuer == access) else None


def _is_signed(token: str, secret: str) -> bool:
    signed, _, signature = token.rpartition(".")
    digest = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return hmac.compare_digest(_encoded(digest), signature.encode("ascii", "replace"))


def _is_valid(claims: Document, now: datetime) -> bool:
    begins, ends = claims.get("nbf"), claims.get("exp")
    if not isinstance(begins, int) or not isinstance(ends, int):
        return False
    return begins <= now.timestamp() < ends


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _decoded(part: str) -> Document:
    """Return the JSON object that a part is; an empty one where it is none."""
    try:
        document = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
