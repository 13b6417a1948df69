"""The veil: what is secret of a webhook, taken out of what its receiver has echoed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from urllib.parse import unquote, urlsplit

from bridge.core.delivering.auth import Auth, Basic, Bearer, OAuth2
from bridge.core.delivering.callback import Callback
from bridge.core.network.exchange import Headers
from bridge.core.settings import Webhook

LEAST = 6
"""Characters of a secret: a shorter text stands in too many places to mean anything."""

MASK = "…".encode()

_CREDENTIALS = re.compile(
    rb"\b(basic|bearer) +(?=[a-z._~+/-]*[0-9=]|[a-z._~+/-]{20})[a-z0-9._~+/=-]{6,}",
    re.IGNORECASE,
)
"""What stands in an `authorization` header: a token that was fetched is in no configuration.

A word behind `Basic` is no token: one that is has a digit, a sign of equality, or is long.
"""


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
    return _CREDENTIALS.sub(rb"\1 " + MASK, text)


def veiled_headers(headers: Headers, secrets: Sequence[bytes]) -> list[list[str]]:
    """Return the headers of an answer as names and values, without the secrets."""
    # What is no text was read as one by its bytes: it goes back to them the same way.
    return [
        [
            name,
            veiled(value.encode(errors="surrogateescape"), secrets).decode(
                errors="replace"
            ),
        ]
        for name, value in headers
    ]


def _of_the_file(webhook: Webhook) -> Iterator[str]:
    yield _target(webhook.url)
    yield from (key.text for key in webhook.keys)
    yield from (value for _, value in webhook.headers)
    yield from _credentials(webhook.auth)
    yield unquote(urlsplit(webhook.way.proxy or "").password or "")
    yield from _unshown(webhook.format)


def _credentials(auth: Auth | None) -> Iterator[str]:
    """Yield what proves who we are; the name that we go by is no secret."""
    match auth:
        case Basic(password=secret) | Bearer(token=secret):
            yield secret
        case OAuth2():
            yield _target(auth.token_url)
            yield auth.client_secret
        case None:
            pass


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
