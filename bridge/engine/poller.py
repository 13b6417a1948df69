"""The poller of one source: asks its provider about every running watch, and records the news.

One due-queue, one rate gate and one count of open requests for each source, so that a source that
is slow, dead or throttled delays nobody else's looks.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf

import anyio
from anyio.abc import TaskGroup

from bridge.core.looking import (
    Get,
    Hold,
    Listing,
    Look,
    Observation,
    Reading,
    Seen,
    Trouble,
)
from bridge.core.pacing.hinting import Hints
from bridge.core.pacing.mode import Mode
from bridge.core.pacing.report import InVain, SourceReport
from bridge.core.pacing.saved import SavedTable
from bridge.core.pacing.turning import Clocks, Turn
from bridge.core.ports import Chance, Clock, Http, Log
from bridge.core.settings import Source
from bridge.core.sharing.liveness import Fit, always
from bridge.core.sharing.share import Spare
from bridge.core.watch import Watch
from bridge.engine.asker import Asker
from bridge.engine.bell import Bell
from bridge.engine.choosing import Chooser
from bridge.engine.footing import Footing
from bridge.engine.gathering import Gathering
from bridge.engine.holds import Holds
from bridge.engine.judging import Judge
from bridge.engine.learner import Learner
from bridge.engine.looker import Looker
from bridge.engine.meter import Meter, Purse
from bridge.engine.pacer import Pacer
from bridge.engine.probing import Prober
from bridge.engine.roster import Roster
from bridge.engine.rounds import Rounds
from bridge.engine.running import Running
from bridge.engine.telling import Audience, Recorder, Rereader, Teller

AT_ONCE = 32
"""Looks that one source may begin before the others get their turn (DETECTION.md, section 8)."""

TURN = 0.004
"""Seconds between two turns of the loop: with 1,000 looks a second each of them begins a few.

Waking for every answer and every start was a fifth of the CPU of an unchanged look.
"""


class Poller:
    """Looks at the running watches of one source for as long as `run` runs.

    `steady` is a clock that goes on while the machine sleeps.
    """

    def __init__(
        self,
        source: Source,
        *,
        http: Http,
        recorder: Recorder,
        audience: Audience,
        rereader: Rereader,
        clock: Clock,
        chance: Chance,
        log: Log,
        fit: Fit = always,
        purse: Purse | None = None,
        steady: Callable[[], float] | None = None,
    ) -> None:
        self.source = source
        self._clock = clock
        self._steady = steady or clock.monotonic
        self._fit = fit
        self._log = log
        self._abilities = abilities = source.provider.abilities
        rate = source.rate.per_second
        self._bell = Bell()
        self._most = source.max_connections
        self._living = 1
        self._roster = Roster()
        self._looker = Looker(
            source.provider,
            http=http,
            clock=clock,
            rate=rate,
            meter=Meter(f"source:{source.name}", rate, clock=clock, purse=purse),
        )
        teller = Teller(
            source,
            recorder=recorder,
            audience=audience,
            rereader=rereader,
            clock=clock,
            log=log,
        )
        self._learner = Learner(
            source, wants_rungs=audience.wants_rungs, offset=self._looker.offset
        )
        self._footing = Footing(source, self._looker.gate, clock=clock, log=log)
        self._holds = Holds(source.name, abilities.hold, log=log, batch=abilities.batch)
        self._holds.connections = self._most
        self._rounds = Rounds(
            self._roster, page=abilities.page if abilities.listing else None
        )
        self._pacer = Pacer(
            source,
            roster=self._roster,
            learner=self._learner,
            holds=self._holds,
            rounds=self._rounds,
            footing=self._footing,
            log=log,
        )
        self._chooser = Chooser(
            roster=self._roster, pacer=self._pacer, learner=self._learner
        )
        self._hints = Hints(looks=rate)
        self._weights = (1.0, 1.0)
        self._judge = Judge(
            source,
            roster=self._roster,
            learner=self._learner,
            pacer=self._pacer,
            footing=self._footing,
            holds=self._holds,
            hints=self._hints,
            teller=teller,
            clock=clock,
            chance=chance,
            log=log,
            bell=self._bell,
        )
        self._asker = Asker(
            looker=self._looker,
            judge=self._judge,
            roster=self._roster,
            rounds=self._rounds,
            footing=self._footing,
            holds=self._holds,
            clock=clock,
            bell=self._bell,
        )
        self._prober = Prober(
            source,
            roster=self._roster,
            learner=self._learner,
            holds=self._holds,
            footing=self._footing,
            looker=self._looker,
            asker=self._asker,
            judge=self._judge,
            clock=clock,
            log=log,
        )
        self._gathering = Gathering(
            source,
            roster=self._roster,
            pacer=self._pacer,
            chooser=self._chooser,
            holds=self._holds,
            footing=self._footing,
            looker=self._looker,
            asker=self._asker,
            judge=self._judge,
            clock=clock,
            log=log,
        )
        now = clock.monotonic()
        self._clocks = Clocks(
            wall=clock.now().timestamp(), boot=self._steady(), running=now
        )
        self.turned = now
        """When the loop last turned over, for the watchdog."""

    # ---------------------------------------------------------------- who is watched

    def add(self, watches: Iterable[Watch]) -> None:
        """Begin watches, or go on with changed ones as they are now."""
        now = self._clock.monotonic()
        arrived = []
        for watch in watches:
            # The wait is spent here: this poller may hand the watch to its successor.
            fresh = replace(watch, wait=timedelta()) if watch.wait else watch
            running = self._learner.begun(fresh, now, self._roster.get(watch.generation.id))
            self._judge.weigh(running)
            arrived.append((running, watch.wait))
        for running, at in self._pacer.first(arrived, now):
            self._roster.begin(running, at)
        self._bell.ring()

    def drop(self, id: str) -> None:  # noqa: A002  (a generation's id is called id everywhere)
        """End a watch; what a look under way says of it is ignored."""
        running = self._roster.get(id)
        if running is not None:
            self._footing.forget([id])
            self._roster.end(id)

    def nudge(self) -> None:
        """Let the loop turn over once, so that `turned` shows that it is alive."""
        self._bell.ring()

    def spare(self, most: int) -> list[Spare]:
        """Stop watching up to so many, those whose next look is farthest away, and return them.

        Never one whose look was answered: what it says is recorded first.
        """
        return self._roster.spare(most, self._clock.monotonic())

    def share(self, living: int, connections: int | None = None) -> None:
        """Ask with this replica's part of the rate, as one of so many.

        `connections`: how many requests may be open here; None: the part of what is configured.
        """
        if connections is None:
            connections = self.source.max_connections // living
        self._most = self._holds.connections = max(1, connections)
        self._living = living
        self._pacer.share(living)
        self._bell.ring()

    @property
    def watching(self) -> int:
        """How many generations it watches."""
        return len(self._roster)

    def watches(self) -> list[Watch]:
        """Return the running watches as they stand."""
        now = self._clock.monotonic()
        return [running.standing(now) for running in self._roster]

    # ---------------------------------------------------------------- the loop

    async def run(self) -> None:
        """Look for ever."""
        async with anyio.create_task_group() as tasks:
            while True:
                now = self.turned = self._clock.monotonic()
                self._keep_up(now)
                moment = self._next_start(now)
                if moment is None or moment > now:
                    self._probe(tasks, now)
                elif self._begin(tasks, now):
                    await anyio.lowlevel.checkpoint()
                    continue
                if moment is None or moment - now > TURN:
                    await self._bell.wait(until=moment)
                else:
                    await anyio.sleep(max(0.0, now + TURN - self._clock.monotonic()))

    def _keep_up(self, now: float) -> None:
        """Do what is done each second, if a second is over."""
        if self._pacer.tick(now, self._footing.tend(now)):
            self._hints.sweep(now)
            self._weigh()
            turn, slept = self._clocks.note(
                self._clock.now().timestamp(), self._steady(), now
            )
            if turn is not Turn.NOTHING:
                self._looker.offset.forget()
            if turn is Turn.WOKEN:
                self._awake(slept, now)

    def _weigh(self) -> None:
        """Take over how far the provider's hints are relied on, where that has changed."""
        weights = (self._hints.rungs.weight, self._hints.ends.weight)
        if weights != self._weights:
            self._weights = weights
            for running in self._roster:
                self._judge.weigh(running)

    def _awake(self, slept: float, now: float) -> None:
        """Begin as after a start: everybody is older than the clock that waits has counted."""
        self._log.info(
            "the machine has slept", source=self.source.name, seconds=round(slept)
        )
        for running in self._roster:
            running.shift(slept)
        waiting = [(one, timedelta()) for one in self._roster if one in self._roster]
        for running, at in self._pacer.first(waiting, now):
            running.urgent = True
            self._roster.again(running, at)

    def _next_start(self, now: float) -> float | None:
        """Return when the next look may begin; None: not before something happens."""
        due = self._roster.next()
        if due is None or self._asker.open >= self._most or not self._fit():
            return None
        round_ = self._next_round()
        at = self._footing.opens(now)
        if at is None:
            return None
        at = max(at, due if round_ is None else min(due, round_))
        paid = self._looker.opens(at)
        if paid is None:
            return None if self._looker.paying else at
        return paid

    def _next_round(self) -> float | None:
        if not self._abilities.listing or not self._footing.sound:
            return None
        if self._footing.off(Mode.LIST, self._clock.monotonic()):
            return None
        return self._rounds.due(self._pacer.every)

    def _begin(self, tasks: TaskGroup, now: float) -> bool:
        """Begin what may begin now; return whether there may be more of it."""
        for _ in range(AT_ONCE):
            moment = self._next_start(now)
            if moment is None or moment > now:
                return False
            if self._looker.opens(now) is None:
                self._looker.paying = True
                tasks.start_soon(self._pay)
                return False
            round_ = self._next_round()
            if round_ is not None and round_ <= now:
                self._asker.go_round(tasks, now)
                return False
            running = self._roster.pop(now)
            if running is None:
                return False
            at = self._pacer.when(running, now)
            if at > now:
                self._roster.again(running, self._pacer.wake(at, now))
            else:
                self._start(tasks, running, now)
        return True

    def _probe(self, tasks: TaskGroup, now: float) -> None:
        """While nobody waits, find out what a batch waits for (DETECTION §5)."""
        self._prober.tend(now)
        if not self._prober.due(now, idle=self._pacer.price.idle):
            return
        free = self._asker.open < self._most and self._fit()
        if not free or self._looker.opens(now) != now:
            return
        flight = self._prober.choose(now)
        if flight is not None:
            self._looker.take(now)
            self._pacer.price.bucket.take(1, now)
            self._prober.go(tasks, flight)

    async def _pay(self) -> None:
        try:
            await self._looker.pay()
        finally:
            self._bell.ring()

    # ---------------------------------------------------------------- one look

    def _start(self, tasks: TaskGroup, running: Running, now: float) -> None:
        """Take a start from the rate and look, at one generation or at many."""
        self._looker.take(now)
        look = self._chooser.question(running, now)
        known = running.rung.seen is not None
        hold = isinstance(look, Hold) and known
        if isinstance(look, Hold) and known and self._gathering.possible(now):
            self._pacer.price.bucket.take(1, now)
            self._gathering.hold(tasks, running, look.until, now)
            return
        asked, due = ([running], 1) if hold else self._chooser.together(running, now)
        self._pacer.price.bucket.take(due, now)
        if len(asked) > 1:
            self._asker.ask_many(tasks, asked, now)
        else:
            self._asker.ask(tasks, running, look, now)

    # ---------------------------------------------------------------- what others ask for

    async def observe(self, id: str) -> Observation | None:  # noqa: A002  (as everywhere)
        """Look once at a generation, watched or not, when the rate lets it; tells nobody.

        None: nothing was learnt of it. A source that refuses its key, or is away, is not asked.
        """
        reading = await self._aside(Get(id=id))
        seen = reading.observations if isinstance(reading, Seen) else ()
        return next((one for one in seen if one.id == id), None)

    async def page(self, cursor: str | None = None) -> Reading:
        """Ask for one page of the listing when the rate lets it; tells nobody.

        Trouble where the source may not be asked now.
        """
        return await self._aside(Listing(cursor=cursor))

    async def _aside(self, look: Look) -> Reading:
        sent = await self._asker.turn(self._may_ask)
        if sent is None:
            return Trouble(why="the source may not be asked now")
        return await self._asker.aside(look, sent)

    def _may_ask(self) -> bool:
        return self._fit() and self._footing.sound

    def hint(self, id: str) -> bool:  # noqa: A002  (as everywhere)
        """Look at a generation now, once a second at most; return whether it is watched here."""
        running = self._roster.get(id)
        if running is None:
            return False
        due = self._roster.due(running)
        now = self._clock.monotonic()
        at = self._hints.hinted(id, now, inf if due is None else due)
        if at is None:
            return True
        # A look under way may have been answered before what the hint tells of.
        running.urgent = True
        if due is not None:
            self._roster.again(running, at)
            self._bell.ring()
        return True

    # ---------------------------------------------------------------- what was learnt

    def tables(self) -> Sequence[SavedTable]:
        """Return what was learnt and was not returned here yet."""
        return self._learner.tables.unsaved()

    def learn(self, saved: Iterable[SavedTable]) -> None:
        """Go on from what was learnt before, here and by other replicas."""
        self._learner.learn(saved, self._roster)

    def in_vain(self, id: str) -> InVain | None:  # noqa: A002  (as everywhere)
        """Return how the last looks at a generation failed; None: the last one did not."""
        running, why = self._roster.get(id), self._footing.last(id)
        if running is None or not running.errors or why is None:
            return None
        return InVain(reason=why, in_a_row=running.errors)

    def report(self) -> SourceReport:
        """Return how the source stands now."""
        stand, pacer = self._footing.stand, self._pacer
        return SourceReport(
            source=self.source.name,
            provider=self.source.provider_name,
            mode=str(pacer.mode),
            reason=pacer.why,
            rate=self._footing.rate / self._living,
            limit=self.source.rate.per_second,
            price=pacer.price.value,
            watching=len(self._roster),
            holds=self._holds.open,
            open=self._asker.open,
            standing=stand.standing,
            since=stand.since,
            why=stand.why,
            unknown=dict(self._judge.words),
            malformed=self._footing.malformed,
            tables=self._learner.rows(pacer.price.value),
            saturation=pacer.sentence,
            lacking=pacer.lacking,
            batch_waits=self._holds.waits.word,
        )
