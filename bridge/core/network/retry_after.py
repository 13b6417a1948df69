"""The `Retry-After` header: how long the other side asks us to wait."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

TRUSTED_SKEW = timedelta(days=1)
"""A `Date` further from our clock is none to count from (DELIVERY, section 3)."""

_MOST_DIGITS = 10


def retry_after(headers: Mapping[str, str], received_at: datetime) -> timedelta | None:
    """Return the wait that an answer asks for; None: absent, unreadable or past.

    `headers` has lower-case names. Read are 1 to 10 ASCII digits (seconds; 0 counts) and
    the three shapes of an HTTP date, which is taken relative to the answer's own `Date`
    where that is within a day of `received_at`. Nothing is capped: ten digits are 317
    years.
    """
    text = headers.get("retry-after")
    if text is None:
        return None
    wait = whole_seconds(text)
    return wait if wait is not None else _until(text, headers.get("date"), received_at)


def whole_seconds(text: str) -> timedelta | None:
    """Return the span that 1 to 10 ASCII digits mean; `int` also takes `+5` and `1_0`."""
    text = text.strip(" \t")
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return timedelta(seconds=int(text))
    return None


def http_date(text: str | None) -> datetime | None:
    """Return the moment of an HTTP date in any of its three shapes, None if it is none."""
    # A date without a clock time is none of the three shapes, though the parser would take
    # it.
    if text is None or text.count(":") != 2:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # asctime names no zone; HTTP dates are always in UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _until(text: str, date: str | None, received_at: datetime) -> timedelta | None:
    moment = http_date(text)
    if moment is None:
        return None
    sent_at = http_date(date)
    if sent_at is None or abs(sent_at - received_at) > TRUSTED_SKEW:
        sent_at = received_at
    wait = moment - sent_at
    return wait if wait >= timedelta() else None
