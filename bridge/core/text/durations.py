"""Durations as people write them: `500ms 15s 5m 2h 3d`."""

import re
from datetime import timedelta

DURATION = r"[0-9]{1,12}(\.[0-9]{1,6})?(ms|s|m|h|d)"
EXAMPLE = "a duration such as 500ms, 15s, 5m, 2h or 3d"

LONGEST = timedelta(days=3650)

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(text: str) -> timedelta | None:
    """Return the span that a text means; None: it is written otherwise.

    Raises ValueError for one that is not longer than nothing and shorter than ten years.
    """
    match = re.fullmatch(rf"({DURATION})", text, re.ASCII)
    if match is None:
        return None
    number = text.removesuffix(match[3])
    span = timedelta(seconds=min(float(number) * _SECONDS[match[3]], 1e11))
    if not timedelta() < span < LONGEST:
        raise ValueError("a duration is longer than nothing and shorter than ten years")
    return span


def spoken(span: timedelta) -> str:
    """Return a span as people write it, in the largest unit that it is whole in."""
    seconds = span.total_seconds()
    for unit in ("d", "h", "m", "s"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds:g}s"
