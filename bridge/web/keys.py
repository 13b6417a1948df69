"""Public keys: what receivers verify ed25519 signatures with. They are no secret."""

from base64 import b64decode, urlsafe_b64encode
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from bridge.core.delivering.signing import Key, fingerprint, public_text
from bridge.web.answer import Json, answer, problems
from bridge.web.service import Service
from bridge.web.webhook_shapes import PublicKeysShape

PATH = "/.well-known/genbridge/keys.json"
"""Open to everybody, as the keys are; see `guard.OPEN`."""

FRESH = "public, max-age=300"
"""How long a receiver may keep it: a rotation shows both keys for longer than that."""


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["webhooks"])

    @calls.get(
        PATH,
        summary="Show the public keys",
        responses={**answer(PublicKeysShape), **problems()},
        openapi_extra={"security": []},
    )
    async def keys() -> Response:
        """Return the public keys of the configuration; needs no token, names no webhook."""
        found = {
            text: _shown(key, text)
            for webhook in service.settings.webhooks.values()
            for key in webhook.keys
            if (text := public_text(key)) is not None
        }
        document = {"keys": list(found.values())}
        return Json(document, headers={"cache-control": FRESH})

    return calls


def _shown(key: Key, text: str) -> dict[str, Any]:
    """Return a key as a JSON Web Key (RFC 8037); `x` is unpadded base64url."""
    bytes_ = b64decode(text.removeprefix("whpk_"))
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": fingerprint(key),
        "x": urlsafe_b64encode(bytes_).rstrip(b"=").decode("ascii"),
        "whpk": text,
    }
