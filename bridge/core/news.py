"""What is news, and when a watch has seen enough."""

from dataclasses import dataclass

from bridge.core.ladder import State, skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A generation climbed to `state`, jumping over `skipped`."""

    state: State
    skipped: tuple[State, ...]


def news(known: int, seen: State | None) -> News | None:
    """Return what an observation adds to the known rank, None where it adds nothing.

    Equal is nothing. Lower is a stale replica's answer and is ignored. An unknown word (None)
    has no rank. A terminal state is the end: after it nothing is news.
    """
    if seen is None or known >= State.COMPLETED or seen <= known:
        return None
    return News(state=seen, skipped=skipped(known, seen))


def satisfied(until: State, reached: State) -> bool:
    """Return whether a watch that waits for `until` is over with the state reached.

    A failed generation ends every watch: nothing follows it.
    """
    return reached.terminal or reached >= until


def ending(until: State, reached: State) -> str | None:
    """Return the word for why the watch is over, None while it goes on."""
    return reached.word if satisfied(until, reached) else None
