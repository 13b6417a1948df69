"""The veil: what is secret of a webhook, taken out of what its receiver has echoed."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from urllib.parse import urlsplit

from bridge.core.delivering.callback import Callback
from bridge.core.settings import Webhook

LEAST = 6
"""Characters of a secret: a shorter text stands in too many places to mean anything."""

MASK = "…".encode()


def secrets_of(webhook: Webhook | Callback | None) -> Sequence[bytes]:
    """Return every text that only the receiver and we may know, the longest first."""
    found: Iterator[str]
    match webhook:
        case None:
            found = iter(())
        case Callback():
            found = iter((_target(webhook.url), webhook.secret or ""))
        case _:
            found = _of_the_file(webhook)
    known = {text.encode() for text in found if len(text) >= LEAST}
    return sorted(known, key=len, reverse=True)


def veiled(text: bytes, secrets: Sequence[bytes]) -> bytes:
    """Return a text without the secrets."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _of_the_file(webhook: Webhook) -> Iterator[str]:
    yield _target(webhook.url)
    yield from (key.text for key in webhook.keys)
    yield from (value for _, value in webhook.headers)
    yield from _unshown(webhook.auth)
    yield from _unshown(webhook.format)


def _target(url: str) -> str:
    """Return the path and the query of a URL: Slack and others keep their secret there."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return target.removeprefix("/")


def _unshown(options: object) -> Iterator[str]:
    """Yield the texts of a record that its `repr` keeps to itself."""
    if is_dataclass(options):
        for one in fields(options):
            value = getattr(options, one.name)
            if not one.repr and isinstance(value, str):
                yield value
