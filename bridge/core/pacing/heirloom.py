"""Heirloom: what a replica finds of a source's tables, and which part of them stays its own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from bridge.core.pacing.saved import MOST, SavedTable, together

Key: TypeAlias = tuple[str, str]
"""Model and state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heirloom:
    """What is kept of a source: our own tables, with those of the dead, and the other living ones'.

    What the others have learnt is lent: we look by it, and each goes on keeping its own. So a sum
    over all counts no change twice, however often replicas come and go.
    """

    own: tuple[SavedTable, ...] = ()
    others: tuple[SavedTable, ...] = ()

    def whole(self) -> tuple[SavedTable, ...]:
        """Return what to look by: the sum over all replicas, one table for each key."""
        return summed((*self.own, *self.others))

    def lent(self) -> Mapping[Key, SavedTable]:
        """Return the part of each whole table that is the others'."""
        weights: dict[Key, float] = {}
        for one in (*self.own, *self.others):
            weights[key_of(one)] = weights.get(key_of(one), 0.0) + one.weight
        shares = {key: min(1.0, MOST / weight) for key, weight in weights.items() if weight}
        thinned = (_scaled(one, shares.get(key_of(one), 1.0)) for one in self.others)
        return {key_of(one): one for one in summed(thinned)}


def key_of(table: SavedTable) -> Key:
    """Return which table of its source it is."""
    return (table.model, table.state)


def summed(tables: Iterable[SavedTable]) -> tuple[SavedTable, ...]:
    """Return one table for each key, in the order of their first; what is unusable is left out."""
    found: dict[Key, list[SavedTable]] = {}
    for one in tables:
        found.setdefault(key_of(one), []).append(one)
    sums = (together(rows) for rows in found.values())
    return tuple(one for one in sums if one is not None)


def own_parts(
    tables: Iterable[SavedTable], lent: Mapping[Key, SavedTable]
) -> Iterator[SavedTable]:
    """Yield what is ours of tables that began with what was lent."""
    for one in tables:
        other = lent.get(key_of(one))
        yield one if other is None else _without(one, _scaled(other, one.faded))


def _without(one: SavedTable, other: SavedTable) -> SavedTable:
    return replace(
        one,
        n=tuple(max(0.0, a - b) for a, b in zip(one.n, other.n, strict=True)),
        x=tuple(max(0.0, a - b) for a, b in zip(one.x, other.x, strict=True)),
        weight=max(0.0, one.weight - other.weight),
    )


def _scaled(one: SavedTable, share: float) -> SavedTable:
    return replace(
        one,
        n=tuple(share * value for value in one.n),
        x=tuple(share * value for value in one.x),
        weight=share * one.weight,
    )
