"""Which proxies there are, and what their URLs mean (DELIVERY.md, section 8)."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from bridge.core.network.urls import parsed

_URL = re.compile(
    r"(?P<scheme>[A-Za-z0-9+.-]+)://"
    r"((?P<username>[^/?#@:\s]*)(:(?P<password>[^/?#@\s]*))?@)?"
    r"(?P<authority>[^/?#@]+)/?",
    re.ASCII,
)
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_EXPECTED = "a proxy is http://, https://, socks5:// or socks5h://, then host and port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy; `scheme` is `http`, `https`, `socks5` or `socks5h` (the proxy resolves names)."""

    scheme: str
    host: str
    port: int
    username: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    @property
    def socks(self) -> bool:
        """Whether it speaks SOCKS5."""
        return self.scheme.startswith("socks")

    @property
    def origin(self) -> str:
        """Scheme, host and port as an http URL, for the checks that every URL has."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    @property
    def shown(self) -> str:
        """Host and port, for people."""
        return self.origin.removeprefix("http://").removesuffix("/")


def read_proxy(text: str) -> Proxy:
    """Return the proxy that a URL means; raises ValueError with a reason that quotes none of it.

    Name and password are percent-decoded.
    """
    match = _URL.fullmatch(text)
    scheme = match["scheme"].lower() if match else ""
    if match is None or scheme not in _PORTS:
        raise ValueError(_EXPECTED)
    place = parsed(f"http://{match['authority']}/")
    username, password = match["username"], match["password"]
    return Proxy(
        scheme=scheme,
        host=place.host,
        port=_PORTS[scheme] if place.port is None else place.port,
        username=None if username is None else _credential(username),
        password=_credential(password or ""),
    )


def _credential(text: str) -> str:
    plain = unquote(text)
    if len(plain.encode()) > 255 or not plain.isprintable():
        raise ValueError("name and password of a proxy have at most 255 visible characters")
    return plain
