"""Verifies what genbridge sends, for receivers in Python.

    from bridge.verify import VerificationError, verify

    try:
        verify(request.get_data(), request.headers, "whsec_…")
    except VerificationError as error:
        return f"refused: {error.reason}", 401

Give it the raw bytes of the body, before any JSON parser: JSON that is written again does not
verify. It needs the standard library alone (`cryptography` for a `whpk_` key), and this file works
by itself, copied into a receiver.
"""

import hmac
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TypeAlias

Text: TypeAlias = str | bytes
Headers: TypeAlias = Mapping[str, str] | Mapping[bytes, bytes] | Iterable[tuple[Text, Text]]
Reason: TypeAlias = Literal[
    "body", "key", "missing", "timestamp", "old", "future", "signature"
]

_MOST_TOKENS = 32
_DIGITS = re.compile("[0-9]{1,12}", re.ASCII)


class VerificationError(Exception):
    """The request is not to be trusted; `reason` is a word.

    `missing` (a header), `timestamp` (unreadable), `old`, `future`, `signature` (none fits), `body`
    (not bytes), `key` (ours cannot be used).
    """

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def verify(
    body: bytes,
    headers: Headers,
    keys: str | Iterable[str],
    *,
    tolerance: float = 300,
    now: float | None = None,
) -> str:
    """Return the `webhook-id` of a request that a holder of one of the keys has signed.

    `keys` are `whsec_` secrets or `whpk_` public keys; one that fits is enough. The time of the
    request may be `tolerance` seconds from `now` (Unix seconds, by default this machine's clock).
    Raises VerificationError. A repeated request has the same id: act on an id once.
    """
    if not isinstance(body, bytes | bytearray | memoryview):
        raise VerificationError("body", "the body must be the raw bytes that arrived")
    found = _three(headers)
    message_id, stamp, signature = (_required(found, name) for name in _NAMES)
    clock = time.time() if now is None else now  # noqa: TID251  (receivers have no Clock)
    _check_time(stamp, tolerance, clock)
    signed = f"{message_id}.{stamp}.".encode("utf-8", "surrogatepass") + bytes(body)
    tokens = [token.partition(",")[::2] for token in signature.split(" ")[:_MOST_TOKENS]]
    checks = [_checker(key, signed) for key in ((keys,) if isinstance(keys, str) else keys)]
    if not checks:
        raise VerificationError("key", "there is no key to verify with")
    # Every pair is tried, so that the time taken does not tell which one fits.
    fits = [check(token) for v, check in checks for given, token in tokens if given == v]
    if not any(fits):
        raise VerificationError("signature", "no signature fits a key of ours")
    return message_id


_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


def _three(headers: Headers) -> dict[str, str]:
    """Return the headers that count, whatever their case; of a repeated one the first."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    found: dict[str, str] = {}
    for name, value in pairs:
        lower = _text(name).lower()
        if lower in _NAMES:
            found.setdefault(lower, _text(value))
    return found


def _text(value: Text) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _required(found: Mapping[str, str], name: str) -> str:
    if not found.get(name):
        raise VerificationError("missing", f"the header {name} is missing")
    return found[name]


def _check_time(stamp: str, tolerance: float, now: float) -> None:
    if not _DIGITS.fullmatch(stamp):
        raise VerificationError("timestamp", "webhook-timestamp is not whole Unix seconds")
    age = now - int(stamp)
    if age > tolerance:
        raise VerificationError("old", f"the request is {age:.0f} s old")
    if not age >= -tolerance:
        raise VerificationError("future", f"the request is {-age:.0f} s ahead of our clock")


_Check: TypeAlias = Callable[[str], bool]


def _checker(key: str, signed: bytes) -> tuple[str, _Check]:
    """Return the version of signatures that a key can check, and the check of one token."""
    if key.startswith("whsec_"):
        return "v1", _hmac_check(_decoded(key.removeprefix("whsec_")), signed)
    if key.startswith("whpk_"):
        return "v1a", _ed25519_check(_decoded(key.removeprefix("whpk_")), signed)
    raise VerificationError("key", "a key to verify with starts with whsec_ or whpk_")


def _hmac_check(secret: bytes, signed: bytes) -> _Check:
    expected = b64encode(hmac.digest(secret, signed, "sha256"))

    def check(token: str) -> bool:
        return hmac.compare_digest(expected, token.encode("utf-8", "replace"))

    return check


def _ed25519_check(public: bytes, signed: bytes) -> _Check:
    # Only for those who use it: receivers with a shared secret need not install it.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  (see above)
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  (see above)

    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(public)
    except ValueError:
        raise VerificationError("key", "a whpk_ key has 32 bytes") from None

    def check(token: str) -> bool:
        try:
            key.verify(b64decode(token, validate=True), signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    return check


def _decoded(text: str) -> bytes:
    """Return the bytes of a key in strict base64; an empty or url-safe one would be another key."""
    try:
        material = b64decode(text, validate=True)
    except ValueError:
        material = b""
    if len(material) < 24 or b64encode(material).decode("ascii") != text:
        raise VerificationError(
            "key", "the key is not whole, padded base64 of 24 bytes or more"
        )
    return material
