"""What a key can see at most, and when it cannot see enough (DETECTION §5)."""

import math
from dataclasses import dataclass

USED = 0.9
"""The share of a key's rate that looks are planned with."""

LONG = 60.0
"""Seconds at the highest price after which a key counts as saturated."""


def by_lists(rate: float, page: int, births: float) -> bool:
    """Return whether pages of a listing keep up with so many new generations a second."""
    return rate * page >= births


def needed(changes: float, batch: int = 1) -> float:
    """Return the requests a second that so many changes a second ask of a key."""
    return changes / (USED * batch)


def missing(changes: float, rate: float, batch: int = 1) -> float:
    """Return how many requests a second a key lacks; negative: it has enough in the long run."""
    return needed(changes, batch) - rate


@dataclass(slots=True, kw_only=True)
class Saturation:
    """Whether a key's price has been at its highest for a minute; moments in seconds."""

    since: float | None = None

    def note(self, now: float, *, at_cap: bool) -> None:
        """Note the price of a moment."""
        if not at_cap:
            self.since = None
        elif self.since is None:
            self.since = now

    def lasts(self, now: float) -> bool:
        """Return whether the key is saturated."""
        return self.since is not None and now - self.since >= LONG


def plight(source: str, changes: float, rate: float, batch: int = 1) -> str:
    """Return in one sentence what a saturated key needs."""
    needs, lacks = needed(changes, batch), missing(changes, rate, batch)
    if lacks <= 0.0:
        return f"{source} is behind, needs {needs:.3g} looks/s, may make {rate:.3g}: it catches up"
    keys = math.ceil(needs / rate)
    ways = f"{lacks:.3g} more, {'' if batch > 1 else 'a batch endpoint, '}or {keys} keys"
    return f"{source} needs {needs:.3g} looks/s, may make {rate:.3g}: {ways}"
