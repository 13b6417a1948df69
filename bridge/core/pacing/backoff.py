"""How long to wait after an error: full jitter, growing, capped (DETECTION.md, section 6)."""

from datetime import timedelta

FIRST, LONGEST = 1.0, 60.0
"""Seconds: the span of the first wait, and of the longest one, for one generation."""

PROBE_FIRST, PROBE_LONGEST = 30.0, 600.0
"""Seconds between questions to a source that refuses our key."""

BUSY_LONGEST = 900.0
"""Seconds that a key pauses at most, whatever its provider asks for."""


def backoff(errors: int, luck: float) -> float:
    """Return seconds to wait after the n-th error in a row, spread by `luck` in [0, 1).

    At least a tenth of the span, so that a run of luck cannot make a hot loop.
    """
    span = min(LONGEST, FIRST * 2.0 ** min(errors - 1, 30))
    return span * (0.1 + 0.9 * luck)


def probe(refusals: int) -> float:
    """Return seconds until a source is asked again after the n-th refusal in a row."""
    return min(PROBE_LONGEST, PROBE_FIRST * 2.0 ** min(refusals - 1, 30))


def pause(throttles: int, asked: timedelta | None) -> float:
    """Return seconds that a key pauses after its n-th 429 in a row.

    What the provider asks for counts, up to a quarter of an hour; else 2ⁿ seconds.
    """
    if asked is not None:
        return min(BUSY_LONGEST, max(0.0, asked.total_seconds()))
    return min(BUSY_LONGEST, 2.0 ** min(throttles, 30))
