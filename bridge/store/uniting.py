"""What a second wish makes of a watch that is already there."""

from dataclasses import dataclass, replace

from bridge.core.watch import Origin, WatchWish
from bridge.store.texts import metadata_text, micros

UNWATCHED = "unwatched"
"""Why a watch is over that a person has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The part of a watch that a wish can change.

    `deadline` counts microseconds from its start; `again`: a wish has begun it anew, now.
    """

    origin: int
    until: int
    webhooks: tuple[int, ...]
    metadata: str | None
    deadline: int
    rank: int
    active: bool
    ended: str | None
    again: bool = False


def united(standing: Standing, wish: WatchWish) -> Standing:
    """Return the watch as it stands with the wish: equal where the wish changes nothing.

    A watch that somebody asked for through the API stays theirs when the file names it too.
    An ended watch begins anew where its goal lies ahead and the wish asks for more than was
    asked before, or a person had ended it; otherwise it keeps its deadline and metadata.
    """
    grown = replace(
        standing,
        origin=max(standing.origin, wish.origin),
        until=max(standing.until, wish.until),
        webhooks=(*standing.webhooks, *added(standing, wish)),
        metadata=metadata_text(wish.metadata),
        deadline=micros(wish.deadline),
    )
    if standing.active:
        return grown
    more = grown.until > standing.until or grown.webhooks != standing.webhooks
    if grown.rank < grown.until and (more or standing.ended == UNWATCHED):
        return replace(grown, active=True, ended=None, again=True)
    if more:
        return replace(standing, until=grown.until, webhooks=grown.webhooks)
    return standing


def added(standing: Standing, wish: WatchWish) -> tuple[int, ...]:
    """Return the webhooks that the wish adds, each once."""
    return tuple(dict.fromkeys(w for w in wish.webhooks if w not in standing.webhooks))


def begun(wish: WatchWish) -> Standing:
    """Return a new watch as the wish asks for it."""
    return Standing(
        origin=wish.origin,
        until=wish.until,
        webhooks=tuple(dict.fromkeys(wish.webhooks)),
        metadata=metadata_text(wish.metadata),
        deadline=micros(wish.deadline),
        rank=-1,
        active=True,
        ended=None,
    )


FILE = int(Origin.FILE)
