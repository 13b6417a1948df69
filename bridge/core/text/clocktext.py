"""Times as text: RFC 3339 in UTC, to the millisecond."""

from datetime import UTC, datetime


def rfc3339(moment: datetime | None) -> str | None:
    """Return `2026-11-21T08:30:00.123Z`; the fraction is left out where there is none."""
    if moment is None:
        return None
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # Not strftime: it leaves out the zeros of early years on some systems.
    precision = "milliseconds" if in_utc.microsecond >= 1000 else "seconds"
    return in_utc.isoformat(timespec=precision).removesuffix("+00:00") + "Z"
