"""Where a request goes: scheme, host and port of a checked URL."""

import re
from functools import lru_cache

from bridge.core.network.urls import Url, parsed

# What goes over the wire as it is; whatever differs is seen by the check of core/network/urls.py.
_PLAIN = re.compile(r"(https?://[a-z0-9.:_\[\]-]+)(/[!\"$-\[\]-~]*)")


class Place:
    """A checked scheme, host and port; places of one origin are one object."""

    __slots__ = ("host", "host_line", "local", "origin", "port", "shown", "tls")

    def __init__(self, url: Url) -> None:
        self.host = url.host
        self.port = url.effective_port
        self.tls = url.scheme == "https"
        self.local = url.local
        self.shown = f"{url.bracketed}:{self.port}"
        host = url.bracketed if url.default_port else url.authority
        self.host_line = f"host: {host}"
        self.origin = f"{url.scheme}://{host}"


@lru_cache(maxsize=4096)
def split(url: str) -> tuple[Place, str]:
    """Return where a URL leads and its target as it is sent.

    Raises ValueError with a plain reason for a URL that must not be contacted.
    """
    plain = _PLAIN.fullmatch(url)
    if plain is not None:
        return _place(plain[1]), plain[2]
    whole = parsed(url)
    return _place(f"{whole.scheme}://{whole.authority}"), whole.target


@lru_cache(maxsize=4096)
def _place(origin: str) -> Place:
    return Place(parsed(origin))
