"""Text that must fit: cut in a receiver's own unit, with a mark that says how much is missing."""

from collections.abc import Callable
from typing import TypeAlias

Measure: TypeAlias = Callable[[str], int]
"""How long a text is for a receiver."""


def utf16(text: str) -> int:
    """Return the length as JavaScript, Java and Telegram count it: an emoji is two."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int, measure: Measure = utf16) -> str:
    """Return the text, or its beginning marked `… +1,234 more`, within the limit.

    `measure` must not shrink when characters are added; the number is in its units.
    """
    whole = measure(text)
    if whole <= limit:
        return text
    room = limit - measure(_mark(whole))
    kept = _beginning(text, room, measure)
    return (
        kept + _mark(whole - measure(kept))
        if room >= 0
        else _beginning(text, limit, measure)
    )


def _mark(missing: int) -> str:
    return f"… +{missing:,} more"


def _beginning(text: str, limit: int, measure: Measure) -> str:
    """Return the longest beginning within the limit, found by halving."""
    low, high = 0, min(len(text), max(0, limit))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]
