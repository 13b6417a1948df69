"""Another machine's clock, as the `Date` of its answers shows it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bridge.core.network.retry_after import http_date

TOLERATED = timedelta(seconds=60)
"""A difference that is worth no word; from 300 s on receivers refuse our signatures."""


def skew(headers: Mapping[str, str], received_at: datetime) -> timedelta | None:
    """Return how far the other clock is ahead of ours (negative: behind).

    None: not by more than a minute, or the answer does not say. `headers` has lower-case names.
    """
    sent_at = http_date(headers.get("date"))
    if sent_at is None:
        return None
    ahead = sent_at - received_at
    return ahead if abs(ahead) > TOLERATED else None
