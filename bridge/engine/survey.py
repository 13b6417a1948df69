"""The survey of one source: what it has to see, and what it may do, summed over its watches."""

from collections.abc import Iterable

from bridge.core.pacing import due, opening
from bridge.core.pacing.mode import Load, Means, Mode
from bridge.core.pacing.price import SHARE, sampled
from bridge.core.pacing.table import Table
from bridge.core.pacing.waiting import GATHERED
from bridge.core.settings import Source
from bridge.engine.footing import Footing
from bridge.engine.holds import Holds
from bridge.engine.learner import Learner
from bridge.engine.roster import Roster
from bridge.engine.rounds import Rounds
from bridge.engine.running import Running

HOLDING = (Mode.HOLD_ALL, Mode.HOLD_SOME)

JUDGED = 256
"""Watches that stand for all where a mode is judged."""


class Survey:
    """Sums up, for the choice of a mode. Moments are monotonic seconds."""

    def __init__(
        self,
        source: Source,
        *,
        roster: Roster,
        learner: Learner,
        holds: Holds,
        rounds: Rounds,
        footing: Footing,
    ) -> None:
        self._source = source
        self._abilities = source.provider.abilities
        self._roster = roster
        self._learner = learner
        self._holds = holds
        self._rounds = rounds
        self._footing = footing
        self._turn = 0

    def load(self, now: float, integral: float, caution: float) -> Load:
        """Return what there is to see; `integral`: the mean I of a rung.

        What holding takes counts times `caution`.
        """
        self._turn += 1
        watching = len(self._roster)
        sample = sampled(self._roster.all, self._turn, JUDGED)
        scale = watching / max(1, len(sample))
        hazards = [(one.rung.weight, one.rung.hazard(now)) for one in sample]
        changes = self._changes(sample, now, scale)
        return Load(
            watching=watching,
            ripe=round(scale * sum(_is_ripe(one, now) for one in sample)),
            changes=sum(changes.values()),
            held_starts=caution * self._held_starts(now, changes),
            births=self._rounds.births,
            roots=scale * sum((w * h) ** 0.5 for w, h in hazards),
            hazards=scale * sum(h for _, h in hazards),
            integral=integral,
        )

    def _changes(
        self, sample: Iterable[Running], now: float, scale: float
    ) -> dict[Table, float]:
        """Return how many rungs of each table end in a second: as counted, or as it expects now.

        What is expected of those that run now is half chance, so it counts only until enough
        was counted.
        """
        expected: dict[Table, float] = {}
        for one in sample:
            table = one.rung.table
            expected[table] = expected.get(table, 0.0) + scale * one.rung.hazard(now)
        for table, flow, counted in self._learner.flows(now):
            expected[table] = flow if counted else max(flow, expected.get(table, 0.0))
        return expected

    def _held_starts(self, now: float, changes: dict[Table, float]) -> float:
        """Return the requests a second that holding all costs, first looks among them."""
        limit = self._holds.limit
        if not limit:
            return 0.0
        # Behind the holds first looks wait a little, and go together where that is possible.
        first = self._learner.met_a_second(now) / self._batch
        if self._holds.together > 1:
            # A change ends the hold of all that wait with it, and those who begin to wait are
            # gathered into one.
            flow, batches = sum(changes.values()), len(self._roster) / self._holds.together
            again = min(flow, (1.0 + batches) / GATHERED)
            return first + again + min(flow, 1.0 / GATHERED) + batches / limit
        return first + sum(
            flow * opening.requests(table.curve, limit) for table, flow in changes.items()
        )

    @property
    def _batch(self) -> int:
        return self._abilities.batch or 1

    def means(self, rate: float) -> Means:
        """Return what may be done with so many requests a second."""
        return Means(
            rate=SHARE * rate,
            looks=self._source.looks,
            floor=max(due.LEAST, self._abilities.floor.total_seconds()),
            hold=self._holds.limit or None,
            held_ids=self._holds.together,
            holds=self._holds.most,
            batch=self._batch,
            page=self._abilities.page if self._abilities.listing else None,
            pages=self._rounds.pages,
            covered=self._rounds.covered,
        )

    def off(self, now: float) -> dict[Mode, str]:
        """Return which modes are switched off, and why."""
        off: dict[Mode, str] = {}
        if self._holds.possible and self._holds.resting(now):
            off |= dict.fromkeys(HOLDING, "the provider does not hold")
        for mode in (Mode.BATCH, Mode.LIST):
            if self._footing.off(mode, now):
                off[mode] = "the provider rejects it"
        return off


def _is_ripe(running: Running, now: float) -> bool:
    rung = running.rung
    return rung.age(now) >= opening.opening(rung.table.curve)
