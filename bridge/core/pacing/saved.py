"""A table as it is kept between two lives of the daemon (DETECTION.md, section 8)."""

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.core.pacing.grid import BINS, LAYOUT

MOST = 866.0
"""Changes: what a table weighs that has seen ever so many, 1 / (1 - 2^(-1/600))."""

LARGEST = 1e15
"""Seconds at risk beyond which a number is damage: 300 million watches for a month each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTable:
    """What one replica has learnt of one (model, state), in unit 1: one change counts 1.

    `n` changes and `x` seconds at risk of each bin of the grid that `layout` names; `weight` of
    all changes, `strain` as the table's. `faded` is the share that what it began with still has:
    it is not kept, but tells what was learnt since.
    """

    model: str
    state: str
    layout: str
    n: tuple[float, ...]
    x: tuple[float, ...]
    weight: float
    strain: float = 1.0
    faded: float = 1.0

    @property
    def usable(self) -> bool:
        """Whether it is of this grid, and made of numbers that a table can hold."""
        numbers = (*self.n, *self.x, self.weight, self.strain)
        return (
            self.layout == LAYOUT
            and len(self.n) == len(self.x) == BINS
            and all(0.0 <= v <= LARGEST for v in numbers)
        )


def together(saved: Iterable[SavedTable]) -> SavedTable | None:
    """Return what several replicas have learnt of the same (model, state), None: nothing usable.

    The sum of all, thinned to the weight that one table can have.
    """
    rows = [one for one in saved if one.usable]
    weight = sum(row.weight for row in rows)
    if not rows:
        return None
    share = min(1.0, MOST / weight) if weight else 1.0
    strain = sum(row.strain * (row.weight / weight) for row in rows) if weight else 1.0
    return SavedTable(
        model=rows[0].model,
        state=rows[0].state,
        layout=LAYOUT,
        n=tuple(share * sum(column) for column in zip(*(r.n for r in rows), strict=True)),
        x=tuple(share * sum(column) for column in zip(*(r.x for r in rows), strict=True)),
        weight=share * weight,
        strain=strain,
    )
