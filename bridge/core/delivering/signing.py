"""Signatures of Standard Webhooks 1.0.0: secrets as text, and what they sign.

A webhook has up to five secrets, newest first; every attempt is signed with all of them, so
that a receiver may know any one. `v1` is HMAC-SHA256, `v1a` is ed25519.
"""

import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias

from bridge.core.network.exchange import Headers

MOST_KEYS = 5
"""Secrets that one webhook may have (DELIVERY, section 1)."""

RECOMMENDED_BODY = 20_000
"""Bytes above which a signed body is worth a warning (recommended by Standard Webhooks)."""

KEY_BYTES = 32
"""How much chance a new secret is made of."""

_SEED_BYTES = 32
_ADVICE = "make one with `genbridge keys new`"

Signer: TypeAlias = Callable[[bytes, bytes], bytes]
"""Signs the concatenation of two texts."""


class Kind(StrEnum):
    """How a key signs; the value is the version that stands before its signatures."""

    HMAC = "v1"
    ED25519 = "v1a"


_PREFIXES = {"whsec_": Kind.HMAC, "whsk_": Kind.ED25519}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A secret that was read and found good.

    `text` is the secret as it stands in the configuration, `material` its bytes (ed25519:
    seed and public half); neither is shown. Two keys are equal when they sign alike.
    """

    kind: Kind
    material: bytes = field(repr=False)
    text: str = field(repr=False, compare=False)
    signer: Signer = field(repr=False, compare=False)
    version: str = field(init=False, repr=False, compare=False)
    """What stands before its signatures."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", f"{self.kind},")


def read_key(text: str) -> Key:
    """Return the key that a `whsec_` or `whsk_` text means.

    Raises ValueError with a reason for people; it never quotes the text.
    """
    if text.startswith("whpk_"):
        raise ValueError(
            "this is a public key (whpk_): it verifies and cannot sign; "
            "give the secret key (whsk_) that belongs to it, "
            "or make a pair with `genbridge keys new --ed25519`"
        )
    for prefix, kind in _PREFIXES.items():
        if text.startswith(prefix):
            material = _decoded(text.removeprefix(prefix))
            return (
                _hmac_key(text, material)
                if kind is Kind.HMAC
                else _ed25519_key(text, material)
            )
    raise ValueError(f"a secret starts with whsec_ (or whsk_ for ed25519); {_ADVICE}")


def new_key(chance: bytes, *, kind: Kind = Kind.HMAC) -> str:
    """Return the text of a new secret made of 32 bytes of chance."""
    if len(chance) != KEY_BYTES:
        raise ValueError(f"a new secret is made of {KEY_BYTES} bytes, not {len(chance)}")
    if kind is Kind.HMAC:
        return "whsec_" + _encoded(chance)
    return "whsk_" + _encoded(_ed25519_key("", chance).material)


def public_text(key: Key) -> str | None:
    """Return the `whpk_` text that receivers verify with; None for an HMAC secret."""
    if key.kind is Kind.HMAC:
        return None
    return "whpk_" + _encoded(key.material[_SEED_BYTES:])


def fingerprint(key: Key) -> str:
    """Return 8 hexadecimal digits to tell keys apart by: the beginning of their SHA-256."""
    return sha256(key.material).hexdigest()[:8]


def sign(keys: Sequence[Key], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the `webhook-signature`: a token per key, in their order, joined by one space.

    `timestamp` is in whole Unix seconds. One space: official receivers answer 500 to two.
    """
    stamp = f"{message_id}.{timestamp}.".encode("ascii")
    if len(keys) == 1:
        return keys[0].version + _encoded(keys[0].signer(stamp, body))
    return " ".join([key.version + _encoded(key.signer(stamp, body)) for key in keys])


def signature_headers(
    keys: Sequence[Key], message_id: str, timestamp: int, body: bytes
) -> Headers:
    """Return the headers of one attempt; without keys they lack the signature."""
    headers = (("webhook-id", message_id), ("webhook-timestamp", str(timestamp)))
    if not keys:
        return headers
    return (*headers, ("webhook-signature", sign(keys, message_id, timestamp, body)))


def hub_signature(key: Key, body: bytes) -> str:
    """Return the `X-Hub-Signature-256` of a body.

    The HMAC key is the secret's *text*, prefix included: receivers of this header take a
    typed text. It covers no time: an old request can be replayed, hence only on demand.
    """
    return "sha256=" + hmac.digest(key.text.encode(), body, "sha256").hex()


def _hmac_key(text: str, material: bytes) -> Key:
    if not 24 <= len(material) <= 64:
        raise ValueError(
            f"a whsec_ secret has 24 to 64 bytes, not {len(material)}; {_ADVICE}"
        )
    # The pads are hashed once (RFC 2104): 1 KiB is signed in 1.2 µs, 1.8 by copies of `hmac.new`.
    block = material.ljust(_BLOCK, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in _PADS)

    def signer(stamp: bytes, body: bytes) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(stamp)
        within.update(body)
        around.update(within.digest())
        return around.digest()

    return Key(kind=Kind.HMAC, material=material, text=text, signer=signer)


_BLOCK = 64
"""Bytes that SHA-256 takes at once, and the most that a secret may have."""

_PADS = (0x36, 0x5C)


def _ed25519_key(text: str, material: bytes) -> Key:
    # Loaded only by those who use it: it costs more to import than all of the core.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  (see above)
        Ed25519PrivateKey,
    )

    if len(material) not in (_SEED_BYTES, 2 * _SEED_BYTES):
        raise ValueError(
            f"a whsk_ secret has 32 or 64 bytes, not {len(material)}; "
            "make one with `genbridge keys new --ed25519`"
        )
    seed, given = material[:_SEED_BYTES], material[_SEED_BYTES:]
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    if given and given != public:
        raise ValueError(
            "the public half of this whsk_ secret does not belong to its seed; "
            "make one with `genbridge keys new --ed25519`"
        )

    def signer(stamp: bytes, body: bytes) -> bytes:
        return private.sign(stamp + body)

    return Key(kind=Kind.ED25519, material=seed + public, text=text, signer=signer)


def _decoded(text: str) -> bytes:
    """Return what strict base64 means; Python's decoder forgives stray bits at the end."""
    try:
        material = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise ValueError(_why_not_base64(text)) from None
    if _encoded(material) != text:
        raise ValueError(_why_not_base64(text))
    if len(set(material)) == 1:
        raise ValueError(f"all bytes of this secret are the same; {_ADVICE}")
    return material


def _why_not_base64(text: str) -> str:
    if any(character.isspace() for character in text):
        return f"there is white space in this secret; {_ADVICE}"
    if "-" in text or "_" in text:
        return f"this secret is url-safe base64, not standard (+ and /); {_ADVICE}"
    return f"this secret is not whole, padded base64; {_ADVICE}"


def _encoded(material: bytes) -> str:
    return b2a_base64(material, newline=False).decode("ascii")
