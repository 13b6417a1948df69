"""Probing: while there is rate to spare, batches are asked to wait, to see what they wait for.

Whom a probe asks about keeps its plain looks: what they see meanwhile is half of the evidence.
Between a probe and a plain look, too, lies the least time that the API wants between two looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anyio.abc import TaskGroup

from bridge.core.ladder import State
from bridge.core.looking import Batch, Observation, Reading, Rejected, Seen
from bridge.core.pacing import holding
from bridge.core.pacing.holding import End
from bridge.core.pacing.mode import Mode
from bridge.core.pacing.price import sampled
from bridge.core.pacing.waiting import Waits, answered
from bridge.core.ports import Clock, Log
from bridge.core.settings import Source
from bridge.engine.asker import Asker
from bridge.engine.footing import Footing
from bridge.engine.holds import Holds
from bridge.engine.judging import Judge
from bridge.engine.learner import Learner
from bridge.engine.looker import Heard, Looker
from bridge.engine.roster import Roster
from bridge.engine.running import Running

THOUGHT_OF = 256
"""Watches among which those of a probe are chosen, at most."""

LEAST = 2
"""Ids of a probe at least: of one alone, any and all are the same."""

ENOUGH = 2.0
"""Changes that a probe expects while it is held: of more, something has always just happened."""

WELL = 2.0
"""Seconds before the answer at which a plain look must have seen a change to prove that it waits
for more."""


@dataclass(slots=True, kw_only=True)
class Flight:
    """A probe under way; `changed_at` is when one whom it asks about was first seen to change."""

    look: Batch
    asked: Mapping[str, Running]
    until: State
    sent: float
    changed_at: float | None = None


class Prober:
    """Finds out what the batches of one source wait for. Moments are monotonic seconds."""

    def __init__(
        self,
        source: Source,
        *,
        roster: Roster,
        learner: Learner,
        holds: Holds,
        footing: Footing,
        looker: Looker,
        asker: Asker,
        judge: Judge,
        clock: Clock,
        log: Log,
    ) -> None:
        self._source = source
        self._floor = source.provider.abilities.floor.total_seconds()
        self._roster = roster
        self._learner = learner
        self._holds = holds
        self._footing = footing
        self._looker = looker
        self._asker = asker
        self._judge = judge
        self._clock = clock
        self._log = log
        self._turn = 0
        self._flight: Flight | None = None

    # ---------------------------------------------------------------- when, and about whom

    def due(self, now: float, *, idle: bool) -> bool:
        """Return whether it is time for a probe; `idle`: there is rate to spare."""
        holds = self._holds
        return (
            holds.batch >= LEAST
            and holds.waits.due(now, idle=idle)
            and holds.may(now)
            and self._footing.sound
            and not self._footing.off(Mode.BATCH, now)
        )

    def choose(self, now: float) -> Flight | None:
        """Return the next probe, None: nobody fits one now, and it is thought of again later."""
        self._turn += 1
        groups: dict[State, list[Running]] = {}
        for one in sampled(self._roster.all, self._turn, THOUGHT_OF):
            if self._fits(one, now):
                groups.setdefault(self._rung(one), []).append(one)
        until = max(groups, key=lambda rung: len(groups[rung]), default=State.COMPLETED)
        asked = self._few(groups.get(until, ()), now)
        if len(asked) < LEAST:
            self._holds.waits.ended(None, now)
            return None
        look = Batch(ids=tuple(one.id for one in asked), until=until)
        return Flight(look=look, asked={o.id: o for o in asked}, until=until, sent=now)

    def _fits(self, one: Running, now: float) -> bool:
        if not one.seen or one.rung.seen is None or now - one.asked_at < self._floor:
            return False
        quiet = not (one.recording or one.alone or one.errors or one.blanks)
        hinted = now < one.rung.not_before
        return quiet and not hinted and now + self._holds.limit < one.deadline

    def _rung(self, one: Running) -> State:
        only = self._learner.terminal_only(one.watch)
        return holding.rung(one.watch.rank, one.watch.until, terminal_only=only)

    def _few(self, group: Sequence[Running], now: float) -> Sequence[Running]:
        """Return so many that something may well change, and has probably not changed yet."""
        expected = 0.0
        for count, one in enumerate(group[: self._holds.batch], 1):
            expected += self._changes(one, now)
            if count >= LEAST and expected >= ENOUGH:
                return group[:count]
        return group[: self._holds.batch]

    def _changes(self, one: Running, now: float) -> float:
        """Return how probably a rung ends while a probe is held."""
        curve, age = one.rung.table.curve, one.rung.age(now)
        alive = curve.survival(age)
        return 1.0 - curve.survival(age + self._holds.limit) / alive if alive else 1.0

    # ---------------------------------------------------------------- the probe

    def go(self, tasks: TaskGroup, flight: Flight) -> None:
        """Send a probe; its start was taken from the rate."""
        self._flight = flight
        for one in flight.asked.values():
            one.rung.not_before = max(one.rung.not_before, flight.sent + self._floor)
        self._holds.waits.began()
        self._asker.begin(())
        tasks.start_soon(self._go, tasks, flight)

    def tend(self, now: float) -> None:
        """Note whether a look has seen a change meanwhile of one whom the probe asks about."""
        flight = self._flight
        if flight is None or flight.changed_at is not None:
            return
        if any(one.watch.rank >= flight.until for one in flight.asked.values()):
            flight.changed_at = now

    async def _go(self, tasks: TaskGroup, flight: Flight) -> None:
        heard: Heard | None = None
        try:
            patience = self._holds.patience(self._holds.limit + holding.SLACK)
            heard = await self._looker.converse(flight.look, patience)
        finally:
            now = self._clock.monotonic()
            self._flight = None
            said = None if heard is None else self._shown(flight, heard, now)
            if self._holds.waits.ended(said, now):
                self._say(said)
            if heard is None:
                self._footing.unanswered()
            else:
                self._heard(flight, heard, now, tasks)
            self._asker.end(())

    def _say(self, said: Waits | None) -> None:
        self._log.info(
            "it is known what a batch waits for",
            source=self._source.name,
            batch_waits=str(said),
        )

    def _shown(self, flight: Flight, heard: Heard, now: float) -> Waits | None:
        """Return what the answer shows; one that rejects the wait word waits for nothing."""
        if isinstance(heard.reading, Rejected):
            return Waits.NONE
        seen = _of(flight.asked, heard.reading)
        held_on = self._end(flight, heard, now) is End.NO_NEWS
        if not seen and not (held_on and not isinstance(heard.reading, Seen)):
            return None
        at = flight.changed_at
        changed = [
            one for one in seen if one.state is not None and one.state >= flight.until
        ]
        return answered(
            asked=len(seen),
            changed=len(changed),
            elapsed=now - flight.sent,
            limit=self._holds.limit,
            seen_meanwhile=at is not None and now - at >= WELL,
        )

    def _end(self, flight: Flight, heard: Heard, now: float) -> End:
        return holding.end(
            heard.reading,
            elapsed=now - flight.sent,
            limit=self._holds.limit,
            reached=False,
            cut=heard.cut,
        )

    def _heard(self, flight: Flight, heard: Heard, now: float, tasks: TaskGroup) -> None:
        """Take over what it says of the source and of the watches, as far as it is about them."""
        reading = heard.reading
        cut = not isinstance(reading, Seen) and self._end(flight, heard, now) is End.NO_NEWS
        if cut or isinstance(reading, Rejected):
            # The wait word is rejected: plain batches have nothing to do with it.
            self._footing.unanswered()
            return
        self._footing.heard(flight.look, reading, flight.sent, now)
        for seen in _of(flight.asked, reading):
            one = flight.asked[seen.id]
            if not (one.over or one.flying or one.recording):
                self._judge.each(one, seen, flight.sent, now, tasks)


def _of(asked: Mapping[str, Running], reading: Reading) -> Sequence[Observation]:
    if not isinstance(reading, Seen):
        return ()
    return [one for one in reading.observations if one.id in asked]
