"""The verifier in replicate's own client accepts what genbridge signs, and only that."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from bridge.core.delivering.signing import Kind, new_key, read_key, signature_headers

ID, TIME = "9f0c3c9e-6f0f-5d3e-8a6b-0c1d2e3f4a5b", 1795249800
BODY = '{"type":"generation.completed","data":{"prompt":"Zażółć 🎬"}}'
NEW, OLD = new_key(bytes(range(32))), new_key(bytes(range(32, 64)))
PAIR = new_key(bytes(range(64, 96)), kind=Kind.ED25519)
STRANGER = new_key(bytes(range(100, 132)))

Validate = Callable[[dict[str, str], str, str], None]


@pytest.fixture
def webhook() -> Any:
    return import_module("replicate.webhook")


@pytest.fixture
def validate(webhook: Any) -> Validate:
    def checked(headers: dict[str, str], body: str, secret: str) -> None:
        key = webhook.WebhookSigningSecret(key=secret)
        webhook.Webhooks.validate(headers=headers, body=body, secret=key)

    return checked


def signed(*secrets: str) -> dict[str, str]:
    keys = [read_key(text) for text in secrets]
    return dict(signature_headers(keys, ID, TIME, BODY.encode()))


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_every_secret_that_signed_is_accepted_beside_the_others(
    validate: Validate, secret: str
) -> None:
    validate(signed(NEW, OLD, PAIR), BODY, secret)


def test_a_strangers_secret_is_refused(webhook: Any, validate: Validate) -> None:
    with pytest.raises(webhook.InvalidSignatureError):
        validate(signed(NEW, OLD, PAIR), BODY, STRANGER)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_what_was_signed_cannot_be_changed(
    webhook: Any, validate: Validate, name: str
) -> None:
    headers = signed(NEW)
    with pytest.raises(webhook.InvalidSignatureError):
        validate({**headers, name: headers[name] + "0"}, BODY, NEW)
    with pytest.raises(webhook.InvalidSignatureError):
        validate(headers, BODY + " ", NEW)
