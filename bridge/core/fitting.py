"""What of a card fits into a receiver's room: a link whole or not at all, and what is missing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from bridge.core.card import Card, Link
from bridge.core.text.cutting import Measure, cut, utf16
from bridge.core.text.escaping import nobody_named as nobody_named  # noqa: PLC0414  (formats take it from here)

Cost: TypeAlias = Callable[[Link], int]
"""How much room a link takes, in the receiver's unit."""

Dress: TypeAlias = Callable[[str], str]
"""Makes a text harmless for a receiver."""

_COMMAND = 200


def fitting(shown: Card, room: int, cost: Cost, *, most: int = 5) -> tuple[Link, ...]:
    """Return at most so many of a card's links that fit into the room together, none cut."""
    kept: list[Link] = []
    for link in shown.links:
        needed = cost(link)
        if needed <= room and len(kept) < most:
            kept.append(link)
            room -= needed
    return tuple(kept)


def dressed(text: str, limit: int, dress: Dress, measure: Measure = utf16) -> str:
    """Return a text as it is sent, or its beginning and `… +1,234 more`, within the limit.

    Neither dressing nor measure may shrink when characters are added, and no character takes less
    than one unit: so what lies beyond the limit is only counted, in UTF-16 units.
    """
    if len(text) <= limit and measure(whole := dress(text)) <= limit:
        return whole
    room = limit - measure(_mark(utf16(text)))
    low, high = 0, min(len(text), max(0, room))
    while low < high:
        middle = (low + high + 1) // 2
        fits = measure(dress(text[:middle])) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return dress(text[:low]) + _mark(utf16(text[low:]))


def _mark(missing: int) -> str:
    return f"… +{missing:,} more"


def missing(shown: Card, kept: int) -> str | None:
    """Return the line that tells of outputs without a link, and of the command for them."""
    more = shown.unlisted + len(shown.links) - kept
    return (
        f"… +{more:,} more: {cut(on_one_line(shown.command), _COMMAND)}" if more else None
    )


def when(moment: datetime) -> str:
    """Return a time for receivers that cannot show it in the reader's own zone."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def footer(shown: Card) -> list[str]:
    """Return what stands below every message: when, until when the links live, which id."""
    said = [] if shown.occurred_at is None else [when(shown.occurred_at)]
    if shown.expires_at is not None:
        said.append(f"Links expire {when(shown.expires_at)}")
    return [*said, f"id {shown.id}"]


def on_one_line(text: str) -> str:
    """Return text without line breaks and without more than one space in a row."""
    return " ".join(text.split())
