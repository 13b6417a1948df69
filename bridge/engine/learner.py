"""The learner of one source: which table paces a watch, and what its looks teach that table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from bridge.core.ladder import UNSEEN, State
from bridge.core.looking import Observation
from bridge.core.news import News
from bridge.core.pacing import forecast
from bridge.core.pacing.flow import Flow
from bridge.core.pacing.offset import Offset
from bridge.core.pacing.report import TableRow
from bridge.core.pacing.rung import Rung, lean
from bridge.core.pacing.saved import SavedTable
from bridge.core.pacing.table import Table
from bridge.core.pacing.tables import WHOLE, Tables, spanned
from bridge.core.settings import Source
from bridge.core.watch import Watch
from bridge.engine.running import Running

HELD = 1.0
"""Seconds before its answer as of which a hold shows what had not changed yet."""

Wants: TypeAlias = Callable[[Watch], bool]
"""Says whether anybody wants to hear of a state before the end."""


class Learner:
    """Begins the rungs of watches and hands what was seen to their tables.

    Moments are monotonic seconds.
    """

    def __init__(self, source: Source, *, wants_rungs: Wants, offset: Offset) -> None:
        self._abilities = source.provider.abilities
        self._wants_rungs = wants_rungs
        self._offset = offset
        self._tables = Tables(self._abilities)
        self._flows: dict[Table, tuple[Flow, Flow]] = {}
        self._met = Flow()
        self._admitted: Callable[[Table], None] = _nobody

    @property
    def tables(self) -> Tables:
        """What is known."""
        return self._tables

    def tell(self, admitted: Callable[[Table], None]) -> None:
        """Call `admitted` with the table of each rung that begins."""
        self._admitted = admitted

    def learn(self, saved: Iterable[SavedTable], running: Iterable[Running]) -> None:
        """Go on from what was learnt before; what was learnt since the start is given up."""
        self._tables, self._flows = Tables(self._abilities, saved), {}
        for one in running:
            one.rung.table = self._find(one.model, one.watch)

    def terminal_only(self, watch: Watch) -> bool:
        """Return whether only the end of a generation counts."""
        return watch.until >= State.COMPLETED and not self._wants_rungs(watch)

    def expected(self, running: Running) -> State:
        """Return the state whose coming a watch waits for."""
        early = running.watch.rank < State.DREAMING and not self._whole(running)
        return State.DREAMING if early else State.COMPLETED

    # ---------------------------------------------------------------- a watch begins

    def begun(self, watch: Watch, now: float, known: Running | None = None) -> Running:
        """Return a watch as it is taken up, or goes on after a change of its order."""
        span = watch.age if watch.state_age is None else watch.state_age
        fresh = Running(
            watch=watch,
            born=now - watch.age.total_seconds(),
            deadline=now + watch.left.total_seconds(),
            rung=Rung(
                table=self._find("", watch),
                entered=now - span.total_seconds(),
                lean=lean(watch.generation.id),
            ),
        )
        if known is not None and known.met and known.watch.rank == watch.rank:
            self._inherit(fresh, known)
        return fresh

    def _inherit(self, fresh: Running, known: Running) -> None:
        """Go on with what looks have shown of a generation whose watch was changed."""
        fresh.model, fresh.met, fresh.created = known.model, True, known.created
        fresh.seen_at, fresh.stalled, fresh.listed = (
            known.seen_at,
            known.stalled,
            known.listed,
        )
        table = self._find(known.model, fresh.watch)
        if table is known.rung.table:
            fresh.rung = known.rung

    def met(self, running: Running, seen: Observation, arrived: float) -> None:
        """Learn from the first answer about a watch what it is, and since when it runs."""
        running.model, running.met = seen.model, True
        self._met.note(arrived)
        running.rung.table = self._find(seen.model, running.watch)
        if seen.created_at is not None:
            running.created = arrived - self._offset.age(seen.created_at, seen.observed_at)
        if running.seen:
            self._begins(running.rung.table, arrived)
            if self._from_creation(running):
                running.rung.entered = (
                    running.born if running.created is None else running.created
                )

    def _from_creation(self, running: Running) -> bool:
        """Return whether what paces a watch began when its generation was created."""
        return running.watch.rank <= State.QUEUED or self._whole(running)

    def _whole(self, running: Running) -> bool:
        return running.rung.table is self._tables.find(running.model, WHOLE)

    def _begins(self, table: Table, now: float) -> None:
        self._flow(table)[0].note(now)
        self._admitted(table)

    def _flow(self, table: Table) -> tuple[Flow, Flow]:
        flows = self._flows.get(table)
        if flows is None:
            flows = self._flows[table] = (Flow(), Flow())
        return flows

    def _find(self, model: str, watch: Watch) -> Table:
        span = spanned(watch.rank, terminal_only=self.terminal_only(watch))
        return self._tables.find(model, span)

    # ---------------------------------------------------------------- what looks teach

    def climbed(
        self,
        running: Running,
        watch: Watch,
        found: News,
        *,
        sent: float,
        arrived: float,
        held: bool,
    ) -> None:
        """Learn from a change, and begin the next rung; `watch` is how it goes on.

        A hold that lasted shows that nothing had changed until shortly before its end.
        """
        rung, known, running.watch = running.rung, running.watch.rank, watch
        # Before its first word nobody knew in which state it was.
        first = rung.seen is None or known == UNSEEN
        if held and not first and arrived - HELD > sent:
            rung.unchanged(arrived - HELD)
        if self._whole(running) and not found.state.terminal:
            self._goes_on(running, sent, arrived, first=first)
            return
        if not first:
            self._jumped(running, found, known, arrived)
            self._flow(rung.table)[1].note(arrived)
        entered = arrived if first else rung.changed(arrived)
        if not found.state.terminal:
            self._next(running, entered, sent, arrived, first=first)

    def _goes_on(
        self, running: Running, sent: float, arrived: float, *, first: bool
    ) -> None:
        """Go on with what is paced from the creation to the end."""
        if first:
            running.rung.entered = (
                running.born if running.created is None else running.created
            )
            self._begins(running.rung.table, arrived)
        not_before = running.rung.not_before
        running.rung.unchanged(sent)
        running.rung.not_before = not_before

    def _jumped(self, running: Running, found: News, known: int, arrived: float) -> None:
        """Learn of the rungs between: they lasted no longer than the look before is ago."""
        if self._whole(running):
            return
        for state in found.skipped:
            table = self._tables.find(running.model, spanned(state, terminal_only=False))
            if state > known and table is not running.rung.table:
                running.rung.jumped(table, arrived)

    def _next(
        self, running: Running, entered: float, sent: float, arrived: float, *, first: bool
    ) -> None:
        old, created = running.rung, running.created
        if first and created is not None:
            # It was no more than queued when it was created.
            queued = running.watch.rank <= State.QUEUED
            entered = created if queued else (created + max(created, sent)) / 2
        rung = Rung(
            table=self._find(running.model, running.watch),
            entered=entered,
            weight=old.weight,
            lean=old.lean,
        )
        # The look that found it here is the first one at this rung, too.
        rung.unchanged(max(entered, sent))
        rung.not_before = old.not_before
        running.rung, running.stalled = rung, False
        self._begins(rung.table, arrived)

    # ---------------------------------------------------------------- what is told of it

    def eta(
        self, running: Running, found: News, arrived: float, now: datetime
    ) -> Mapping[str, datetime] | None:
        """Return by when a generation that has just climbed goes on, None: it is not known."""
        if found.state.terminal:
            return None
        rung = running.rung
        if not self._whole(running):
            entered = arrived if rung.seen is None else (rung.seen + arrived) / 2
            span = spanned(found.state, terminal_only=False)
            rung = Rung(table=self._tables.find(running.model, span), entered=entered)
        told = forecast.eta(rung, arrived)
        if told is None:
            return None
        return {
            "p50": now + timedelta(seconds=told.p50),
            "p90": now + timedelta(seconds=told.p90),
        }

    def rows(self, price: float) -> tuple[TableRow, ...]:
        """Return what is known, for people, at a price."""
        return tuple(
            TableRow(
                model=model,
                state=state,
                changes=table.changes,
                p50=table.within(0.0, 0.5),
                p90=table.within(0.0, 0.9),
                looks=forecast.looks(table, price),
                delay=forecast.delay(table, price),
                drifts=table.drifts,
                histogram=forecast.histogram(table),
            )
            for (model, state), table in self._tables
        )

    def met_a_second(self, now: float) -> float:
        """Return how many watches are looked at for the first time in a second."""
        return self._met.a_second(now)

    def flows(self, now: float) -> Sequence[tuple[Table, float, bool]]:
        """Return for each table how many rungs begin or end in a second, the larger.

        The last says whether that was counted for long enough to go by it alone.
        """
        return [
            (table, *_larger(begun, ended, now))
            for table, (begun, ended) in self._flows.items()
        ]


def _larger(begun: Flow, ended: Flow, now: float) -> tuple[float, bool]:
    births, ends = begun.counted(now), ended.counted(now)
    if births is None or ends is None:
        return max(begun.a_second(now), ended.a_second(now)), False
    return max(births, ends), True


def _nobody(_table: Table) -> None:
    """Listen to nothing."""
