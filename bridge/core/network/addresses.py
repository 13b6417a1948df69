"""Which IP addresses may be contacted (DELIVERY.md, section 7).

The rule, in its order: a scope id is refused; an IPv4 address inside an IPv6 one
(`::ffff:…`) is judged as IPv4; `network.allow` is asked; of what is left only public space
is open. The standard library's own words leak here (`not is_private` lets 21 of 54 hostile
addresses through, `is_global` 15), so the ranges below are our own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Allow: TypeAlias = Sequence[Network]
"""What `network.allow` lists."""

LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
"""What `localhost` and every name under it mean; they are never asked of a resolver."""

_NAT64 = IPv6Network("64:ff9b::/96")

# From the IANA registries of special-purpose addresses, and what clouds put elsewhere.
_CLOSED_4 = tuple(
    (IPv4Network(network), what)
    for network, what in (
        ("0.0.0.0/8", "means this machine"),
        ("10.0.0.0/8", "is a private address"),
        ("100.64.0.0/10", "is a shared address inside a provider's network"),
        ("127.0.0.0/8", "is a loopback address"),
        ("168.63.129.16/32", "is a cloud platform's own address"),
        ("169.254.0.0/16", "is a link-local address (cloud metadata lives there)"),
        ("172.16.0.0/12", "is a private address"),
        ("192.0.0.0/24", "is reserved for protocols"),
        ("192.0.2.0/24", "is reserved for documentation"),
        ("192.31.196.0/24", "is reserved (AS112)"),
        ("192.52.193.0/24", "is reserved (AMT)"),
        ("192.88.99.0/24", "is reserved (6to4 relays)"),
        ("192.168.0.0/16", "is a private address"),
        ("192.175.48.0/24", "is reserved (AS112)"),
        ("198.18.0.0/15", "is reserved for benchmarks"),
        ("198.51.100.0/24", "is reserved for documentation"),
        ("203.0.113.0/24", "is reserved for documentation"),
        ("224.0.0.0/4", "is a multicast address"),
        ("240.0.0.0/4", "is reserved"),
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    (IPv6Network(network), what)
    for network, what in (
        ("2001::/23", "is reserved for protocols"),
        ("2001:db8::/32", "is reserved for documentation"),
        ("2002::/16", "hides an IPv4 address (6to4)"),
        ("2620:4f:8000::/48", "is reserved (AS112)"),
        ("3fff::/20", "is reserved for documentation"),
    )
)
_INSIDE_6 = tuple(
    (IPv6Network(network), what)
    for network, what in (
        ("::1/128", "is a loopback address"),
        ("64:ff9b::/96", "hides an IPv4 address (NAT64)"),
        ("fc00::/7", "is a private address"),
        ("fe80::/10", "is a link-local address"),
        ("ff00::/8", "is a multicast address"),
    )
)

# Nothing in the configuration opens these …
_NEVER = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "ff00::/8",
    )
)
# … and these only an entry that lies inside them: `0.0.0.0/0` must not open metadata.
_BY_NAME = tuple(
    ip_network(network) for network in ("168.63.129.16/32", "169.254.0.0/16", "fe80::/10")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """The answers that may be contacted; `refusal` says why the name may not."""

    usable: tuple[str, ...] = ()
    refusal: str | None = None


def refusal(address: str | Address, allow: Allow = ()) -> str | None:
    """Return why an address must not be contacted, as `10.0.0.1 is a private address`.

    None: it may be. What is no address at all is refused too.
    """
    try:
        judged = ip_address(address)
    except ValueError:
        return f"{address!r} is not an IP address"
    why = _why_closed(judged, allow)
    return None if why is None else f"{judged} {why}"


def sifted(answers: Iterable[str], allow: Allow = ()) -> Sifted:
    """Judge every answer of a resolver: one that is forbidden refuses the whole name.

    Only NAT64's translations of addresses that are answered anyway are skipped (DNS64).
    """
    usable, translated = [], None
    for answer in answers:
        why = refusal(answer, allow)
        if why is None:
            usable.append(answer)
        elif _is_nat64(answer):
            translated = why
        else:
            return Sifted(refusal=why)
    if not usable:
        return Sifted(refusal=translated or "there is no address")
    return Sifted(usable=tuple(usable))


def loopback(allow: Allow = ()) -> Sifted:
    """Judge `localhost`: it is what may be contacted of the two loopback addresses."""
    usable = tuple(str(address) for address in LOOPBACK if refusal(address, allow) is None)
    return Sifted(usable=usable) if usable else Sifted(refusal=refusal(LOOPBACK[0], allow))


def _why_closed(address: Address, allow: Allow) -> str | None:
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return "has a scope id, which is never accepted"
        if address.ipv4_mapped is not None:
            return _why_closed(address.ipv4_mapped, allow)
    if _opened(address, allow):
        return _why_embedded_closed(address, allow)
    if isinstance(address, IPv4Address):
        return _what(address, _CLOSED_4)
    if address not in _PUBLIC_6:
        return _what(address, _INSIDE_6) or "is not a public address"
    return _what(address, _CLOSED_6)


def _why_embedded_closed(address: Address, allow: Allow) -> str | None:
    if address not in _NAT64:
        return None
    embedded = IPv4Address(int(address) & 0xFFFF_FFFF)
    why = _why_closed(embedded, allow)
    return None if why is None else f"leads to {embedded}, which {why}"


def _opened(address: Address, allow: Allow) -> bool:
    if any(address in network for network in _NEVER):
        return False
    entries = [entry for entry in allow if address in entry]
    narrow = next((network for network in _BY_NAME if address in network), None)
    if narrow is None:
        return bool(entries)
    return any(_lies_inside(entry, narrow) for entry in entries)


def _lies_inside(entry: Network, network: Network) -> bool:
    # Both hold the same address, so the longer prefix lies inside the shorter.
    return entry.prefixlen >= network.prefixlen


def _what(address: Address, ranges: Iterable[tuple[Network, str]]) -> str | None:
    return next((what for network, what in ranges if address in network), None)


def _is_nat64(text: str) -> bool:
    try:
        return ip_address(text) in _NAT64
    except ValueError:
        return False
