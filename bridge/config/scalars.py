"""Scalars: what a text must look like to be a duration, a rate, a number, a name."""

import re
from collections.abc import Collection
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from bridge.config.tree import CONTROLS, ListNode, MapNode
from bridge.core.settings import Rate
from bridge.core.text import durations
from bridge.core.text.durations import EXAMPLE

LONGEST_NAME = 64
LONGEST_ID = 512

CONTROL = re.compile(rf"[{CONTROLS}\t\n\r]")
"""What names, ids, URLs and keys may not hold, whether it was escaped or came from a
variable.
"""

RATE = r"[0-9]{1,9}(\.[0-9]{1,6})?/(s|m|h|d)"
SIZE = r"[0-9]{1,12} ?(B|KiB|MiB|GiB)"
WHOLE = r"(0|[1-9][0-9]{0,11})"
NUMBER = r"[0-9]{1,9}(\.[0-9]{1,9})?"

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:]*):(?P<port>[0-9]{1,5})")


class Unfit(ValueError):
    """A value that its field does not take.

    `got` is how the sentence goes on where the value may be shown, with {} in its place;
    the value is the near miss of one of `words`, if there are any.
    """

    def __init__(
        self, message: str, *, got: str = "", hint: str = "", words: Collection[str] = ()
    ) -> None:
        super().__init__(message)
        self.got = got
        self.hint = hint
        self.words = words


def scalar(value: object, expected: str) -> str:
    """Return the text of a scalar; raises Unfit for a list, a mapping and nothing at all."""
    if isinstance(value, MapNode | ListNode):
        raise Unfit(f"expected {expected}, not {_kind(value)}")
    if not isinstance(value, str):
        raise Unfit(f"expected {expected}")
    if not value:
        raise Unfit(f"expected {expected}, but nothing is given")
    return value


def _kind(value: MapNode | ListNode) -> str:
    return "a list" if isinstance(value, ListNode) else "keys and values"


def one_line(value: object, expected: str = "a text") -> str:
    """Return a text that holds no control characters."""
    text = scalar(value, expected)
    if CONTROL.search(text):
        raise Unfit("control characters and line breaks are not allowed")
    return text


def many_lines(value: object, expected: str = "a text") -> str:
    """Return a text that may have several lines; tabs are the only control characters."""
    text = scalar(value, expected)
    if CONTROL.search(re.sub(r"\r?\n|\t", "", text)):
        raise Unfit("control characters are not allowed")
    return text


def visible(value: object, expected: str = "a text") -> str:
    """Return a text that may go into an HTTP header: visible ASCII, spaces inside only."""
    text = one_line(value, expected)
    if not text.isascii() or text != text.strip():
        raise Unfit("only visible ASCII characters are allowed, no space at the ends")
    return text


def duration(value: object) -> timedelta:
    """Return the span that `500ms 15s 5m 2h 3d` means: above zero, below ten years."""
    return _span(scalar(value, EXAMPLE))


@lru_cache(maxsize=256)
def _span(text: str) -> timedelta:
    try:
        span = durations.duration(text)
    except ValueError as error:
        raise Unfit(str(error)) from None
    if span is None:
        raise Unfit(f"expected {EXAMPLE}", got=", not {}", hint=_unit_missing(text))
    return span


def _unit_missing(text: str) -> str:
    return f"seconds are written {text}s" if re.fullmatch(r"[0-9]{1,9}", text) else ""


def rate(value: object) -> Rate:
    """Return the rate that `10/s` or `600/m` means."""
    expected = "a rate such as 10/s or 600/m"
    text = scalar(value, expected)
    if not re.fullmatch(RATE, text, re.ASCII):
        raise Unfit(f"expected {expected}", got=", not {}")
    number, _, unit = text.partition("/")
    if not float(number):
        raise Unfit("a rate is above zero")
    return Rate(per_second=float(number) / _SECONDS[unit])


def size(value: object) -> int:
    """Return the number of bytes that `64KiB` means."""
    expected = "a size such as 64KiB or 1MiB"
    text = scalar(value, expected)
    match = re.fullmatch(SIZE, text, re.ASCII)
    if match is None:
        raise Unfit(f"expected {expected}", got=", not {}")
    return int(text.removesuffix(match[1])) * _BYTES[match[1]]


def whole_number(value: object) -> int:
    """Return a whole decimal number of at most twelve digits."""
    expected = "a whole number"
    text = scalar(value, expected)
    if not re.fullmatch(WHOLE, text, re.ASCII):
        raise Unfit(f"expected {expected}", got=", not {}")
    return int(text)


def number(value: object) -> float:
    """Return a decimal number, never one without end."""
    expected = "a decimal number"
    text = scalar(value, expected)
    if not re.fullmatch(NUMBER, text, re.ASCII):
        raise Unfit(f"expected {expected}", got=", not {}")
    return float(text)


def truth(value: object) -> bool:
    """Return what `true` or `false` means; there are no other words for it."""
    return choice(value, ("true", "false")) == "true"


def choice(value: object, words: Collection[str]) -> str:
    """Return one of the words."""
    if isinstance(value, str) and value in words:
        return value
    expected = _listed(words)
    scalar(value, expected)
    raise Unfit(f"expected {expected}", got=", not {}", words=words)


def known(value: object, what: str, words: Collection[str]) -> str:
    """Return a name that is one of those configured or installed."""
    if isinstance(value, str) and value in words:
        return value
    scalar(value, f"the name of a {what}")
    there = f"there is {_listed(sorted(words))}" if words else f"there is no {what}"
    raise Unfit(f"unknown {what}", got=" {}", hint=there, words=words)


def _listed(words: Collection[str]) -> str:
    """Return `a, b or c`; of many only the first."""
    some = [word if len(word) <= LONGEST_NAME else "…" for word in list(words)[:30]]
    if len(words) > len(some):
        return ", ".join(some) + f" and {len(words) - len(some)} more"
    return " or ".join((", ".join(some[:-1]), some[-1])) if len(some) > 1 else some[0]


def why_no_name(name: str) -> str | None:
    """Return why a text cannot be the name of a source or webhook; None: it can.

    Names stand in paths of the API, in metrics and on terminals.
    """
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"a name has 1 to {LONGEST_NAME} characters"
    if not name.isprintable() or name != name.strip():
        return "a name holds no control characters and has no space at its ends"
    if "/" in name or name in {".", ".."}:
        return "a name holds no slash and is not . or .."
    return None


def why_no_id(text: str) -> str | None:
    """Return why a text cannot be a generation's id; None: it can."""
    if not 1 <= len(text) <= LONGEST_ID:
        return f"an id has 1 to {LONGEST_ID} characters"
    if not text.isprintable() and CONTROL.search(text):
        return "an id holds no control characters"
    if not {".", ".."}.isdisjoint(text.split("/")):
        return "an id has no part that is . or .."
    return None


def listen(value: object) -> tuple[str | None, int]:
    """Return host and port of `127.0.0.1:8383` or `[::1]:8383`; `off` has no host."""
    expected = "an address such as 127.0.0.1:8383 or [::1]:8383, or off"
    text = scalar(value, expected)
    if text == "off":
        return None, 0
    match = _HOST.fullmatch(text)
    if match is None or int(match["port"]) > 65535 or not _bindable(match["host"]):
        raise Unfit(f"expected {expected}", got=", not {}", hint=_missing_half(text))
    return match["host"].strip("[]"), int(match["port"])


def _bindable(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (address.version == 6) == host.startswith("[")


def _missing_half(text: str) -> str:
    if re.fullmatch(r":?[0-9]{1,5}", text):
        return "an address of this machine comes first, 0.0.0.0 for all of them"
    return ""


def network(value: object) -> IPv4Network | IPv6Network:
    """Return the addresses that `10.0.0.0/8` or `10.1.2.3` means."""
    expected = "an address or a network such as 10.0.0.0/8"
    text = scalar(value, expected)
    try:
        # The library also reads masks such as /255.0.0.0, and scopes such as %1.
        if re.fullmatch(r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?", text):
            return ip_network(text)
    except ValueError as error:
        if "host bits" in str(error):
            meant = ip_network(text, strict=False)
            raise Unfit("bits of a host are set", hint=f"the network is {meant}") from None
    raise Unfit(f"expected {expected}", got=", not {}")
