"""Which URLs may be contacted, and how they are written and shown (DELIVERY.md, section 7).

A URL is checked before any library sees it and rebuilt from the checked parts, because
libraries disagree about the rest: `127.1` and `2130706433` are hosts to most of them, and
full stops of other scripts become dots in one.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

import idna

from bridge.core.network.addresses import Allow, loopback, refusal

_LONGEST = 2048
_SPLIT = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?]*)(?P<target>.*)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?", re.DOTALL)
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[0-9]{1,5}")
_DEFAULT_PORT = {"http": 80, "https": 443}
# Everything that ASCII can hold here stays as it is written.
_AS_WRITTEN = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A checked URL in its parts.

    `host` is a lower-case A-label name, or an address without brackets. `target` is path and
    query as they go over the wire. `port` is None where the URL names none.
    """

    scheme: str
    host: str
    port: int | None = None
    target: str = field(default="/", repr=False)

    @property
    def bracketed(self) -> str:
        """The host as it stands in the URL."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def authority(self) -> str:
        """Host and port as they stand in the URL."""
        return self.bracketed if self.port is None else f"{self.bracketed}:{self.port}"

    @property
    def effective_port(self) -> int:
        """The port that is connected to."""
        return _DEFAULT_PORT[self.scheme] if self.port is None else self.port

    @property
    def default_port(self) -> bool:
        """Whether the port is the usual one of the scheme, named or not."""
        return self.effective_port == _DEFAULT_PORT[self.scheme]

    @property
    def text(self) -> str:
        """The URL rebuilt."""
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def shown(self) -> str:
        """The URL without what may be secret: many services keep a key in the path."""
        return f"{self.scheme}://{self.authority}/…"

    @property
    def local(self) -> bool:
        """Whether the name means this machine, whatever a resolver says."""
        return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def literal(self) -> IPv4Address | IPv6Address | None:
        """The address that the URL names itself; None: it holds a name."""
        if ":" in self.host:
            return IPv6Address(self.host)
        last = self.host.rpartition(".")[2]
        return IPv4Address(self.host) if last.isdigit() else None


def check_url(text: str) -> str:
    """Return the URL rebuilt; raises ValueError with a reason that quotes no part of it."""
    return parsed(text).text


def shown(url: str) -> str:
    """Return `scheme://host/…`, for people and logs; `…` alone for what is no URL."""
    try:
        return parsed(url).shown
    except ValueError:
        return "…"


def beneath(url: str, path: str, query: str) -> str:
    """Return a checked URL with a path behind its own, one slash between, and more query.

    Both are as they go over the wire; `query` has no `?`.
    """
    head, _, own = url.partition("?")
    if path:
        head = f"{head.removesuffix('/')}/{path.removeprefix('/')}"
    queries = "&".join(part for part in (own, query) if part)
    return f"{head}?{queries}" if queries else head


def barred(url: str, allow: Allow) -> str | None:
    """Return why the address that a checked URL names itself is forbidden.

    None for a name: its addresses are judged when they are known.
    """
    place = parsed(url)
    if place.local:
        return loopback(allow).refusal
    return None if place.literal is None else refusal(place.literal, allow)


def in_the_clear(url: str) -> bool:
    """Whether a checked URL sends unencrypted to what may be the public internet."""
    place = parsed(url)
    if place.scheme == "https" or place.local:
        return False
    return place.literal is None or refusal(place.literal) is None


def parsed(text: str) -> Url:
    """Return the parts of a URL; raises ValueError with a reason that quotes none of it."""
    _check_characters(text)
    split = _SPLIT.fullmatch(text)
    if split is None:
        raise ValueError("a URL begins with https:// or http://")
    scheme = split["scheme"].lower()
    host, port = _authority(split["authority"])
    url = Url(scheme=scheme, host=host, port=port, target=_target(split["target"]))
    if len(url.text) > _LONGEST:
        raise ValueError(f"a URL has at most {_LONGEST} characters, percent codes counted")
    return url


def _check_characters(text: str) -> None:
    if not 1 <= len(text) <= _LONGEST:
        raise ValueError(f"a URL has 1 to {_LONGEST} characters, this has {len(text)}")
    for character in text:
        if character.isspace() or unicodedata.category(character) in {
            "Cc",
            "Zs",
            "Zl",
            "Zp",
        }:
            raise ValueError(f"a URL holds no {_spoken(character)}")
        if unicodedata.category(character) == "Cs":
            raise ValueError("a URL holds no half of a surrogate pair")
    if "\\" in text:
        raise ValueError("a URL holds no backslash")
    if "#" in text:
        raise ValueError("a fragment (#…) is never sent; leave it out")


def _spoken(character: str) -> str:
    return (
        "space" if character == " " else f"white space or control (U+{ord(character):04X})"
    )


def _authority(text: str) -> tuple[str, int | None]:
    if "@" in text:
        raise ValueError("a user name or password does not belong in a URL; use `auth`")
    if "%" in text:
        raise ValueError("a host name holds no %")
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        raise ValueError("the host is not a name, an IPv4 address or an [IPv6 address]")
    port = None if match["port"] is None else _port(match["port"])
    return _host(match["host"]), port


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 0 < int(text) <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return int(text)


def _host(text: str) -> str:
    if text.startswith("["):
        return _ipv6(text[1:-1])
    if not text:
        raise ValueError("the host is missing")
    name = ".".join(_label(label) for label in _folded(text).removesuffix(".").split("."))
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _ipv4(name)
    if len(name) > 253:
        raise ValueError(f"a host name has at most 253 characters, this has {len(name)}")
    return name


def _ipv6(text: str) -> str:
    try:
        if _IPV6.fullmatch(text):
            return IPv6Address(text).compressed
    except ValueError:
        pass
    raise ValueError("what stands in […] is not an IPv6 address")


def _ipv4(text: str) -> str:
    try:
        if str(IPv4Address(text)) == text:
            return text
    except ValueError:
        pass
    raise ValueError("a host that ends in a number is an IPv4 address such as 192.0.2.1")


def _folded(name: str) -> str:
    """Return a name with its ASCII in lower case; refuses what only looks like a letter."""
    if name.isascii():
        return name.lower()
    if unicodedata.normalize("NFKC", name) != name:
        raise ValueError("the host name holds characters that stand for others")
    for character in name:
        if not character.isascii() and unicodedata.category(character)[0] not in "LM":
            raise ValueError(f"a host name holds no U+{ord(character):04X}")
    return "".join(c.lower() if c.isascii() else c for c in name)


def _label(label: str) -> str:
    if not label.isascii() or label.startswith("xn--"):
        label = _a_label(label)
    if not label:
        raise ValueError("the host name has an empty part")
    if not _LABEL.fullmatch(label):
        raise ValueError(
            "each part of a host name has 1 to 63 of a-z, 0-9, - and _, no - at its ends"
        )
    return label


def _a_label(label: str) -> str:
    try:
        name = idna.ulabel(label) if label.isascii() else label
        encoded = idna.alabel(name).decode("ascii")
    except (UnicodeError, ValueError, IndexError):
        encoded = ""
    # An A-label must be the one spelling of its name.
    if not encoded or (label.isascii() and encoded != label):
        raise ValueError("the host name is not a valid international name (IDNA 2008)")
    return encoded


def _target(text: str) -> str:
    """Return path and query as written, what is not ASCII as UTF-8 percent codes."""
    target = text if text.isascii() else quote(text, safe=_AS_WRITTEN)
    return target if target.startswith("/") else f"/{target}"
