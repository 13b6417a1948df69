"""How many requests may be open at once, and how many of them may be holds (DETECTION §5)."""

from collections.abc import Mapping

MOST = 10_000
"""Requests that are open at once, of all sources together."""

KEPT, KEPT_SHARE = 2, 10
"""Of a source's connections two, or a tenth of them, are kept for looks that do not hold."""


def holds(connections: int) -> int:
    """Return how many of a source's connections may be holds."""
    return max(0, connections - max(KEPT, -(-connections // KEPT_SHARE)))


def most(descriptors: int | None) -> int:
    """Return how many requests all sources may have open, by RLIMIT_NOFILE (None: no limit).

    A quarter of the descriptors is left to the deliveries, the store and the API.
    """
    return MOST if descriptors is None else max(1, min(MOST, descriptors * 3 // 4))


def shared(wanted: Mapping[str, int], limit: int) -> dict[str, int]:
    """Return what each source gets of the connections of all.

    Who wants little gets it, the others get the same; nobody gets nothing, even if that is
    more than there is.
    """
    given: dict[str, int] = {}
    rest = limit
    ascending = sorted(wanted.items(), key=lambda item: (item[1], item[0]))
    for place, (name, number) in enumerate(ascending):
        given[name] = max(1, min(number, rest // (len(ascending) - place)))
        rest -= given[name]
    return given
