"""Times as text: RFC 3339 in UTC, to the millisecond."""

from datetime import UTC, datetime

import msgspec


def rfc3339(moment: datetime | None) -> str | None:
    """Return `2026-11-21T08:30:00.123Z`; the fraction is left out where there is none."""
    if moment is None:
        return None
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # Its own `isoformat` takes 1.1 instead of 0.3 µs (measured), and strftime leaves out the zeros
    # of early years on some systems.
    text: str = msgspec.to_builtins(in_utc)
    return text[: _MILLISECONDS if in_utc.microsecond >= 1000 else _SECONDS] + "Z"


_SECONDS = len("2026-11-21T08:30:00")
_MILLISECONDS = len("2026-11-21T08:30:00.123")
