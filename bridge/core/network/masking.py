"""Headers as people may see them."""

from collections.abc import Mapping

from bridge.core.network.exchange import Headers

MASK = "…"
"""What stands for a secret value."""

MOST_HEARD = 8 * 1024
"""Characters of an answer's headers that are kept (DELIVERY.md, section 6)."""

_SECRET = frozenset({"set-cookie", "authorization", "proxy-authorization"})


def heard(headers: Mapping[str, str]) -> Headers:
    """Return the headers of an answer, in their order, as many as there is room for."""
    room, kept = MOST_HEARD, []
    for name, value in headers.items():
        shown = MASK if name in _SECRET else value
        room -= len(name) + len(shown)
        if room < 0:
            break
        kept.append((name, shown))
    return tuple(kept)
