"""Moments as providers write them (PROVIDERS, rule 10)."""

from datetime import UTC, datetime
from math import isfinite

MILLISECONDS_FROM = 1e11
"""Numbers from here on are milliseconds; as seconds they would mean the year 5138."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 40


def instant(value: object) -> datetime | None:
    """Return the moment in UTC that a value means, None for 0 and for nonsense.

    Read are ISO 8601 (no zone: UTC), seconds and milliseconds, the numbers also as text.
    What is not after 1970 is nonsense: Go programs write an absent time as the year 1.
    """
    if isinstance(value, str):
        return _written(value.strip()) if len(value) <= _LONGEST else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(value)
    return None


def _written(text: str) -> datetime | None:
    try:
        if text.isascii() and text.replace(".", "", 1).isdigit():
            return _counted(float(text))
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not UTC:
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment > _EPOCH else None


def _counted(number: float) -> datetime | None:
    try:
        seconds = number / 1000 if number >= MILLISECONDS_FROM else float(number)
        if not isfinite(seconds) or seconds <= 0:
            return None
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
