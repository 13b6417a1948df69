"""How far a provider's clock is ahead of ours, for the ages of its generations (DETECTION §6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from bridge.core.network.retry_after import TRUSTED_SKEW, http_date

KEPT = 9
"""Answers whose median counts: one from a cache is old, and changes nothing."""

HALF = timedelta(milliseconds=500)
"""A `Date` names a whole second: the moment was half a second later, on average."""


@dataclass(slots=True, kw_only=True)
class Offset:
    """The difference between a provider's clock and ours, as the `Date` of its answers shows it."""

    seen: tuple[float, ...] = ()

    def note(self, headers: Mapping[str, str], sent: datetime, received: datetime) -> None:
        """Note an answer; `headers` has lower-case names. One without a sane date is ignored."""
        date = http_date(headers.get("date"))
        if date is None:
            return
        ahead = date + HALF - (sent + (received - sent) / 2)
        if abs(ahead) <= TRUSTED_SKEW:
            self.seen = (*self.seen, ahead.total_seconds())[-KEPT:]

    @property
    def seconds(self) -> float:
        """How far the provider's clock is ahead of ours; 0 while nothing is known."""
        return median(self.seen) if self.seen else 0.0

    def forget(self) -> None:
        """Begin anew: our own clock was set."""
        self.seen = ()

    def age(self, created: datetime, now: datetime) -> float:
        """Return how many seconds ago the provider created something, never negative."""
        return max(0.0, (now - created).total_seconds() + self.seconds)
