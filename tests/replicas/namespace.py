"""A network namespace of the test's own, and what can go wrong on the wire to it.

It has one address of its own and sees one of ours, over a pair of virtual cards; the machine's
network stays as it is. Needs root, `ip` and `nft`.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

NETWORK = "10.77.0.0/16"
"""Where our namespaces live: a daemon that is to work in one needs it in `network.allow`."""

OURS = "genbridge-"
"""How the names of our namespaces begin; the process that made one follows."""

FROM, BOTH = ("input",), ("output", "input")
"""Which packets are dropped: what the namespace is sent, or what it sends, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace at the address `there`; the rest of the machine is `here` for it."""

    name: str
    here: str
    there: str

    @property
    def command(self) -> list[str]:
        """What stands before a command that is to run inside."""
        return ["ip", "netns", "exec", self.name]

    def drop(self, port: int, ways: tuple[str, ...]) -> None:
        """From now on drop the packets to and from a port of ours, silently."""
        rules = ["add table ip faults"]
        for way in ways:
            side = "dport" if way == "output" else "sport"
            hook = f"{{ type filter hook {way} priority 0; }}"
            rules += [f"add chain ip faults {way} {hook}"]
            rules += [f"add rule ip faults {way} tcp {side} {port} drop"]
        _do(*self.command, "nft", "; ".join(rules))

    def heal(self) -> None:
        """Let everything through again."""
        _do(*self.command, "nft", "delete table ip faults")


def hindrance() -> str | None:
    """Return why no namespace can be made here; None: one can."""
    if os.geteuid() != 0:
        return "only root may make a network namespace"
    missing = [name for name in ("ip", "nft") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} missing (Debian: iproute2, nftables)"
    try:
        with namespace() as one:
            one.drop(1, BOTH)
    except subprocess.CalledProcessError as error:
        return f"no network namespace can be made here: {error.stderr.strip()}"
    return None


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Make a namespace; it is gone with the block, and everything in it cut off."""
    tidy()
    number = os.getpid()
    subnet = f"10.77.{number % 256}"
    name, card = f"{OURS}{number}", f"gb{number}"
    one = Namespace(name=name, here=f"{subnet}.1", there=f"{subnet}.2")
    _do("ip", "netns", "add", name)
    try:
        _do(
            "ip", "link", "add", card, "type", "veth", "peer", "name", "eth0", "netns", name
        )
        _do("ip", "addr", "add", f"{one.here}/30", "dev", card)
        _do("ip", "link", "set", card, "up")
        _do(*one.command, "ip", "addr", "add", f"{one.there}/30", "dev", "eth0")
        for device in ("lo", "eth0"):
            _do(*one.command, "ip", "link", "set", device, "up")
        yield one
        # A namespace takes its time to go, and its card with it: the next may have the same name.
        _do("ip", "link", "del", card)
    finally:
        _do("ip", "netns", "del", name)


def tidy() -> None:
    """Delete what a run has left behind that was ended without a word."""
    for line in _do("ip", "netns", "list").splitlines():
        name = line.split()[0]
        number = name.removeprefix(OURS)
        if name.startswith(OURS) and number.isdecimal() and not _lives(number):
            # The card first: what still runs inside keeps its namespace, nameless.
            with suppress(subprocess.CalledProcessError):
                _do("ip", "link", "del", f"gb{number}")
            _do("ip", "netns", "del", name)


def _lives(number: str) -> bool:
    return Path("/proc", number).exists()


def _do(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10)
    return done.stdout
