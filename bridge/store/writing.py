"""One commit of the engine: changes first, then settlements."""

from collections.abc import Sequence

from bridge.core.change import Change
from bridge.core.delivering.delivery import Settlement
from bridge.core.ports import Written
from bridge.store.recording import Gathered, record
from bridge.store.settling import settle
from bridge.store.sql import Transaction


def write(
    changes: Sequence[Change], settlements: Sequence[Settlement], *, me: int
) -> Transaction[Written]:
    """Commit changes, then settlements."""
    gathered = Gathered()
    yield from record(changes, me, gathered)
    yield from settle(settlements, me, gathered)
    return Written(
        recorded=tuple(gathered.recorded[place] for place in range(len(changes))),
        woken=frozenset(gathered.woken),
        fenced=gathered.fenced,
    )
