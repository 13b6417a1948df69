"""Prints the drop-in that opens the public ranges, from the address guard's own tables.

usage: .venv/bin/python systemd/egress.py > systemd/genbridge.service.d/10-egress.conf
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network
from typing import TypeVar

from bridge.core.network import addresses

N = TypeVar("N", IPv4Network, IPv6Network)

HEAD = """\
# Made by egress.py, do not edit. A private receiver, resolver or database needs its own
# IPAddressAllow= in a second drop-in, and its network in `network.allow` of the configuration.
[Service]
"""


def without(whole: N, holes: Iterable[N]) -> list[str]:
    """Return the networks that are left of a network when holes are cut out."""
    left = [whole]
    for hole in holes:
        cut: list[N] = []
        for network in left:
            cut += network.address_exclude(hole) if hole.subnet_of(network) else [network]
        left = cut
    return [str(network) for network in sorted(left)]


def drop_in() -> str:
    """Return the text of the drop-in."""
    closed_4 = [network for network, _ in addresses._CLOSED_4]  # noqa: SLF001
    closed_6 = [network for network, _ in addresses._CLOSED_6]  # noqa: SLF001
    lines = [
        f"IPAddressAllow={' '.join(networks[i : i + 8])}"
        for networks in (
            without(IPv4Network("0.0.0.0/0"), closed_4),
            without(addresses._PUBLIC_6, closed_6),  # noqa: SLF001
        )
        for i in range(0, len(networks), 8)
    ]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(drop_in(), end="")
