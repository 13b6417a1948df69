"""Secrecy: which texts only a receiver and we may know."""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from urllib.parse import unquote, urlsplit

from bridge.core.delivering.auth import Auth, Basic, Bearer, OAuth2
from bridge.core.delivering.callback import Callback
from bridge.core.network.exchange import Headers
from bridge.core.network.veil import Veil
from bridge.core.settings import Webhook

LONG = 16
"""Characters from which on a part of a URL's path or query is a secret by itself."""

_PARTS = re.compile(r"[/?&=;]")


def veil_of(webhook: Webhook | Callback | None, *, credentials: Headers = ()) -> Veil:
    """Return what masks the secrets of a webhook; None: nothing is known of it any more.

    `credentials` are headers that show who we are, with tokens that were fetched.
    """
    fetched = [part for _, value in credentials for part in value.split(" ")]
    match webhook:
        case None:
            return Veil(fetched)
        case Callback():
            return Veil((*_of_url(webhook.url), webhook.secret or "", *fetched))
        case _:
            return Veil((*_of_the_file(webhook), *fetched))


def _of_the_file(webhook: Webhook) -> Iterator[str]:
    yield from _of_url(webhook.url)
    yield from (key.text for key in webhook.keys)
    yield from (value for _, value in webhook.headers)
    yield from _credentials(webhook.auth)
    yield unquote(urlsplit(webhook.way.proxy or "").password or "")
    yield from _unshown(webhook.format)


def _credentials(auth: Auth | None) -> Iterator[str]:
    """Yield what proves who we are; the name that we go by is no secret."""
    match auth:
        case Basic(username=name, password=secret):
            yield secret
            yield b64encode(f"{name}:{secret}".encode()).decode()
        case Bearer(token=secret):
            yield secret
        case OAuth2():
            yield from _of_url(auth.token_url)
            yield auth.client_secret
        case None:
            pass


def _of_url(url: str) -> Iterator[str]:
    """Yield the path and the query of a URL: Slack and others keep their secret there."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    yield target.removeprefix("/")
    # An answer may take them apart: `{"path": …, "args": {"token": …}}`.
    yield parts.path.removeprefix("/") if parts.query else ""
    yield from (one for one in _PARTS.split(target) if len(one) >= LONG)


def _unshown(options: object) -> Iterator[str]:
    """Yield the texts of a record that its `repr` keeps to itself."""
    if is_dataclass(options):
        for one in fields(options):
            value = getattr(options, one.name)
            if not one.repr and isinstance(value, str):
                yield value
