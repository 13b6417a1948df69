"""The way to a receiver: whom to trust, what to show, and through which proxy."""

from typing import ClassVar

from bridge.core.record import Record


class Way(Record, frozen=True, kw_only=True):
    """How connections to a webhook are made; two webhooks with equal ways share a pool.

    `ca` is a file of authorities that are trusted instead of the system's, `cert` and `key` are
    our own certificate and its key (mutual TLS), all PEM. `proxy` is a URL: `http`, `https`,
    `socks5` or `socks5h`, with credentials where it wants any.
    """

    unshown: ClassVar[frozenset[str]] = frozenset({"proxy"})

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    proxy: str | None = None


DIRECT = Way()
"""The system's authorities, no certificate of our own, no proxy."""
