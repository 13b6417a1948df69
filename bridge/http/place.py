"""Where a request goes: scheme, host and port, as httpx and as aiohttp want them."""

import re
from functools import lru_cache

import httpx
import yarl
from aiohttp.client_reqrep import ConnectionKey

from bridge.core.network.urls import Url, parsed

# What goes over the wire as it is; whatever differs is seen by the check of core/network/urls.py.
_PLAIN = re.compile(r"(https?://[a-z0-9.:_\[\]-]+)(/[!\"$-\[\]-~]*)")


class Place:
    """A checked scheme, host and port; aiohttp's connector takes it for the request."""

    ssl = True
    proxy = None
    proxy_auth = None
    proxy_headers = None
    server_hostname = None

    def __init__(self, url: Url) -> None:
        text = f"{url.scheme}://{url.authority}/"
        self.host = url.host
        self.port = url.effective_port
        # `encoded` keeps yarl from writing the URL anew.
        self.url = yarl.URL(text, encoded=True)
        self.httpx_url = httpx.URL(text)
        self.shown = f"{url.bracketed}:{self.port}"
        self.host_header = url.bracketed if url.default_port else url.authority
        self.connection_key = ConnectionKey(
            host=self.host,
            port=self.port,
            is_ssl=url.scheme == "https",
            ssl=True,
            proxy=None,
            proxy_auth=None,
            proxy_headers_hash=None,
            server_hostname=None,
        )

    def is_ssl(self) -> bool:
        """Whether TLS is spoken there."""
        return self.connection_key.is_ssl


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
