"""Judging: what the answer to a look does to the watches that it is about."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import inf

import anyio
from anyio.abc import TaskGroup

from bridge.core.looking import (
    Busy,
    Hold,
    Look,
    Missing,
    Observation,
    Reading,
    Refused,
    Rejected,
    Seen,
    Trouble,
)
from bridge.core.news import News, news
from bridge.core.pacing import backoff, forecast
from bridge.core.pacing.blanks import grace
from bridge.core.pacing.hinting import Hints
from bridge.core.pacing.holding import SHORTEST, End, after_no_news
from bridge.core.pacing.missing import Misses
from bridge.core.pacing.refusal import Whose
from bridge.core.pacing.rung import unchanged
from bridge.core.ports import Chance, Clock, Log
from bridge.core.settings import Source
from bridge.engine.bell import Bell
from bridge.engine.footing import Footing
from bridge.engine.holds import Holds
from bridge.engine.learner import HELD, Learner
from bridge.engine.looker import Heard
from bridge.engine.pacer import Pacer
from bridge.engine.roster import Roster
from bridge.engine.running import Running
from bridge.engine.telling import Stale, Teller, Telling, Told, Unknown, Vain

STORE_AGAIN = 1.0
"""Seconds until a look is repeated whose news met a store that is away."""

REJECTED = 3
"""Looks in a row that taught nothing, after which a rejection past the deadline is the end."""

BROKEN = 3
"""Batches in a row that failed, after which each of them is asked about alone."""

MOST_WORDS = 100
"""Unknown words of one source that are counted; what it makes up beyond them is one more."""

OTHER_WORDS = "…"


class Judge:
    """Judges the answers of one source. Moments are monotonic seconds."""

    def __init__(
        self,
        source: Source,
        *,
        roster: Roster,
        learner: Learner,
        pacer: Pacer,
        footing: Footing,
        holds: Holds,
        hints: Hints,
        teller: Teller,
        clock: Clock,
        chance: Chance,
        log: Log,
        bell: Bell,
    ) -> None:
        self._source = source
        self._abilities = source.provider.abilities
        self._roster = roster
        self._learner = learner
        self._pacer = pacer
        self._footing = footing
        self._holds = holds
        self._hints = hints
        self._teller = teller
        self._clock = clock
        self._chance = chance
        self._log = log
        self._bell = bell
        self.words: dict[str, int] = {}
        """How often each word came that is no known state."""

    # ---------------------------------------------------------------- a look at one

    async def one(self, running: Running, look: Look, heard: Heard, sent: float) -> None:
        """Judge the answer to a look at one generation, sent at that moment."""
        now, reading = self._clock.monotonic(), heard.reading
        if isinstance(look, Hold) and heard.cut and now >= running.deadline:
            # It was we who gave it up: that shows nothing, neither of the API nor of its limit.
            self._footing.unanswered()
            self._again(running, now)
            return
        end = self._holds.end(look, reading, sent, now, cut=heard.cut)
        if end is End.NO_NEWS and not isinstance(reading, Seen):
            self._footing.unanswered()
            self._again(running, after_no_news(sent, now, self._chance.draw()))
            return
        whose = self._footing.heard(look, reading, sent, now)
        match reading:
            case Seen():
                await self._seen(running, look, reading, end, sent)
            case Missing():
                await self._missing(running, now)
            case Trouble(seen=Observation() as seen):
                await self._half_seen(running, reading, seen, sent)
            case Refused() if whose is Whose.ONE:
                await self._rejected(running, Rejected(why=reading.why), now)
            case Rejected():
                await self._rejected(running, reading, now)
            case _:
                self._put_back(running, reading, sent, now)

    async def _seen(
        self, running: Running, look: Look, reading: Seen, end: End, sent: float
    ) -> None:
        now = self._clock.monotonic()
        seen = next((one for one in reading.observations if one.id == running.id), None)
        if seen is None:
            self._trouble(running, Trouble(why="the answer does not speak of it"), now)
            return
        held = isinstance(look, Hold)
        if end is End.NO_NEWS:
            sent = max(sent, now - HELD)
        found = self.notice(running, seen, sent, now)
        if reading.again is not None:
            running.rung.not_before = now + _asked_for(reading.again)
        if found is not None:
            await self.tell(running, seen, found, sent, now, held=held)
        elif end is End.NO_NEWS:
            await self._after(running, after_no_news(sent, now, self._chance.draw()))
        else:
            await self._after(running, sent + SHORTEST if end is End.EARLY else -inf)

    async def _half_seen(
        self, running: Running, reading: Trouble, seen: Observation, sent: float
    ) -> None:
        """Judge a look whose second call failed; after the grace it is told without outputs."""
        now = self._clock.monotonic()
        wait = grace(seen, running.blanks, promised=True)
        if wait is None:
            found = self.notice(running, seen, sent, now, promised=False)
            if found is not None:
                await self.tell(running, seen, found, sent, now)
            else:
                await self._after(running)
            return
        running.blanks += 1
        self._failed(running, reading.why, running.blanks)
        self._again(running, now + max(wait, _asked_for(reading.after)))

    async def _missing(self, running: Running, now: float) -> None:
        if running.misses is None:
            running.misses = Misses()
        running.misses.note(now)
        running.errors += 1
        gone = running.misses.lost(
            now,
            age=now - running.born,
            seen_before=running.seen,
            gone_is_final=self._abilities.gone_is_final,
        )
        if gone or now >= running.deadline:
            await self._lose(running)
        else:
            self._again(running, now + self._backoff(running))

    async def _rejected(self, running: Running, reading: Rejected, now: float) -> None:
        """Ask again later; past the deadline that is an answer, too, if it stays the same."""
        if now >= running.deadline and running.errors >= REJECTED:
            await self._lose(running)
        else:
            self._trouble(running, reading, now)

    def still(
        self, running: Running, look: Look, heard: Heard, sent: float, tasks: TaskGroup
    ) -> bool:
        """Judge the answer to a plain look that brings nothing new; False: judge it as `one`.

        Nearly every plain look ends here, and nothing of it has to be waited for.
        """
        reading = heard.reading
        if not isinstance(reading, Seen) or reading.again is not None:
            return False
        seen = next((one for one in reading.observations if one.id == running.id), None)
        if seen is None or running.rung.seen is None or seen.state != running.watch.rank:
            return False
        now = self._clock.monotonic()
        self._footing.heard(look, reading, sent, now)
        self._still((running,), seen.observed_at, sent, now, tasks)
        return True

    # ---------------------------------------------------------------- a look at many

    def many(
        self,
        flown: Mapping[str, Running],
        look: Look,
        reading: Reading,
        sent: float,
        tasks: TaskGroup,
    ) -> None:
        """Judge the answer to a batch; what is news is told side by side in `tasks`."""
        now = self._clock.monotonic()
        self._footing.heard(look, reading, sent, now)
        if not isinstance(reading, Seen):
            self._fall_back(flown, reading, sent, now)
            return
        still = [flown[one] for one in reading.still if one in flown]
        self._still([o for o in still if not o.over], reading.observed_at, sent, now, tasks)
        left: dict[str, Running] = {}
        if len(still) < len(flown):
            left.update(flown)
            for one in still:
                left.pop(one.id, None)
        for seen in reading.observations:
            told = left.pop(seen.id, None)
            if told is not None and not told.over:
                self.each(told, seen, sent, now, tasks)
        if reading.again is not None:
            for id_ in flown.keys() - left.keys():
                flown[id_].rung.not_before = now + _asked_for(reading.again)
        for running in left.values():
            # Asked alone next: it may have been left out for any reason.
            running.alone = True
            self._again(running, now)

    def each(
        self, running: Running, seen: Observation, sent: float, now: float, tasks: TaskGroup
    ) -> None:
        """Judge what a batch or a page says of one watch."""
        if seen.state == running.watch.rank and running.rung.seen is not None:
            self._still((running,), seen.observed_at, sent, now, tasks)
            return
        found = self.notice(running, seen, sent, now)
        if found is not None:
            self._record(running)
            tasks.start_soon(self._tell_aside, running, seen, found, sent, now)
        else:
            self._go_on((running,), now, tasks)

    def _still(
        self,
        seen: Sequence[Running],
        seen_at: datetime | None,
        sent: float,
        now: float,
        tasks: TaskGroup,
    ) -> None:
        """Judge what is nothing new: nearly every look of 100,000 watches ends here."""
        for running in seen:
            running.misses, running.errors, running.alone = None, 0, False
            running.seen_at = seen_at
        unchanged([running.rung for running in seen], sent)
        self._go_on(seen, now, tasks)

    def _go_on(self, seen: Sequence[Running], now: float, tasks: TaskGroup) -> None:
        """Set the next looks of watches of which nothing has to be told."""
        going = []
        for running in seen:
            young = now - running.rung.entered <= running.rung.table.stalled_from
            if now < running.deadline and (young or not self._stalls(running, now)):
                going.append(running)
            elif not (running.blanks and running in self._roster):
                # Else its outputs are waited for.
                self._record(running)
                tasks.start_soon(self._after_aside, running)
        self._roster.resume(self._pacer.reckoned(going, now))

    def _record(self, running: Running) -> None:
        """Note that what was seen of a watch is being recorded: nobody looks at it meanwhile."""
        running.recording = True
        self._roster.rest(running)

    async def _tell_aside(
        self, running: Running, seen: Observation, found: News, sent: float, arrived: float
    ) -> None:
        try:
            # What was answered is recorded, even when the poller is being stopped.
            with anyio.CancelScope(shield=True):
                await self.tell(running, seen, found, sent, arrived)
        finally:
            running.recording = False
            self._bell.ring()

    async def _after_aside(self, running: Running) -> None:
        try:
            with anyio.CancelScope(shield=True):
                await self._after(running)
        finally:
            running.recording = False
            self._bell.ring()

    def _fall_back(
        self, flown: Mapping[str, Running], reading: Reading, sent: float, now: float
    ) -> None:
        """Put all of a batch back that taught nothing."""
        luck = self._chance.draw()
        for running in flown.values():
            if isinstance(reading, Rejected | Missing):
                # One of them may be what is wrong: then it is, alone.
                running.alone = True
                self._again(running, now)
            elif isinstance(reading, Trouble):
                running.errors += 1
                # Or what breaks the batch, each time they come back together.
                running.alone = running.errors >= BROKEN
                wait = max(backoff.backoff(running.errors, luck), _asked_for(reading.after))
                self._again(running, now + wait)
            else:
                self._put_back(running, reading, sent, now)
        if isinstance(reading, Rejected | Missing | Trouble):
            self._log.warning(
                "a batch failed", source=self._source.name, reason=reading.why
            )

    # ---------------------------------------------------------------- what was seen

    def notice(
        self,
        running: Running,
        seen: Observation,
        sent: float,
        now: float,
        *,
        promised: bool | None = None,
    ) -> News | None:
        """Learn from an observation; return what has to be told, None: nothing."""
        running.misses, running.errors, running.alone = None, 0, False
        running.seen_at = seen.observed_at
        rung, rank = running.rung, running.watch.rank
        if rung.seen is None and not running.met:
            self._learner.met(running, seen, now)
        if seen.state == rank:
            rung.unchanged(sent)
            return None
        found = news(rank, seen.state)
        if found is None:
            self._pass_over(running, seen, sent)
            return None
        if promised is None:
            promised = self._abilities.promises_outputs
        wait = grace(seen, running.blanks, promised=promised)
        if wait is None:
            return found
        running.blanks += 1
        self._again(running, now + wait)
        return None

    def _pass_over(self, running: Running, seen: Observation, sent: float) -> None:
        """Go on as if nothing had been said: of a lower rank, or of a word that nobody knows."""
        rung = running.rung
        if rung.seen is None:
            rung.unchanged(sent)
        else:
            rung.seen = max(rung.seen, sent)
        if seen.state is None and seen.native_state is not None:
            self._count_word(seen.native_state)

    def _count_word(self, word: str) -> None:
        if word not in self.words:
            if len(self.words) >= MOST_WORDS:
                word = OTHER_WORDS
            else:
                self._log.warning(
                    "an unknown state word", source=self._source.name, native_state=word
                )
        self.words[word] = self.words.get(word, 0) + 1

    async def tell(
        self,
        running: Running,
        seen: Observation,
        found: News,
        sent: float,
        arrived: float,
        *,
        held: bool = False,
    ) -> None:
        """Have news recorded; the watch goes on from it, if it does."""
        eta = self._learner.eta(running, found, arrived, self._clock.now())
        told = await self._teller.advance(running.watch, seen, found, eta)
        if isinstance(told, Told):
            self._hints.changed(running.id, found.state, arrived)
            running.blanks = 0
            self._learner.climbed(
                running, told.watch, found, sent=sent, arrived=arrived, held=held
            )
            self.weigh(running)
        await self._settle(running, told)

    def weigh(self, running: Running) -> None:
        """Set what a second of delay counts: little where the provider's hints are good."""
        running.rung.weight = self._hints.weight(self._learner.expected(running))

    async def _settle(self, running: Running, told: Telling) -> None:
        """Go on with a watch as it was told of."""
        now = self._clock.monotonic()
        match told:
            case Told(over=True):
                self._end(running)
            case Told():
                await self._after(running)
            case Unknown():
                self._again(running, now + STORE_AGAIN)
            case Vain(why=why):
                # A long wait: the next look will bring it again.
                self._failed(running, why, running.errors)
                self._again(running, now + backoff.LONGEST)
            case Stale(watch=watch) if not running.over:
                self._end(running)
                if watch is not None:
                    fresh = self._learner.begun(watch, now, running)
                    self.weigh(fresh)
                    self._roster.begin(fresh, now)
            case Stale():
                pass

    def _end(self, running: Running) -> None:
        if not running.over:
            self._footing.forget([running.id])
            self._roster.end(running.id)

    # ---------------------------------------------------------------- when again

    async def _after(self, running: Running, least: float = -inf) -> None:
        """Set the next look of a watch that goes on, not before `least`, unless it is set already.

        A deadline is judged here only, after an answer: a provider that is away for an hour must
        not cost a generation that was completed in time.
        """
        now = self._clock.monotonic()
        if running.over or running in self._roster:
            return
        if now >= running.deadline:
            await self._lose(running)
            return
        if self._stalls(running, now):
            running.stalled = True
            told = await self._teller.stall(running.watch, running.seen_at)
            if isinstance(told, Told):
                running.watch = told.watch
            else:
                await self._settle(running, told)
                return
        self._roster.again(running, max(least, self._pacer.next(running, now)))

    def _stalls(self, running: Running, now: float) -> bool:
        if running.stalled or not running.seen:
            return False  # of what was never seen nothing is known, not even that it stands
        return forecast.stalled(running.rung, now)

    def _again(self, running: Running, at: float) -> None:
        """Look again at a moment whatever the price, and not later than the deadline."""
        running.urgent = True
        if self._clock.monotonic() < running.deadline:
            at = min(at, running.deadline)
        self._roster.again(running, at)

    async def _lose(self, running: Running) -> None:
        await self._settle(running, await self._teller.lose(running.watch, running.seen_at))

    # ---------------------------------------------------------------- what taught nothing

    def _put_back(
        self, running: Running, reading: Reading, sent: float, now: float
    ) -> None:
        """Ask again once it may help: of an answer that says nothing of the generation."""
        match reading:
            case Busy():
                # Back to the head, but for a 429 that would have us come back at once.
                self._again(running, sent + SHORTEST)
            case Refused():
                self._again(running, self._footing.probe_at)
            case Rejected() | Trouble():
                self._trouble(running, reading, now)
            case Seen() | Missing():
                self._trouble(running, Trouble(why="nothing was said of it"), now)

    def _trouble(self, running: Running, reading: Rejected | Trouble, now: float) -> None:
        running.errors += 1
        after = reading.after if isinstance(reading, Trouble) else None
        wait = max(self._backoff(running), _asked_for(after))
        self._failed(running, reading.why, running.errors)
        self._again(running, now + wait)

    def _failed(self, running: Running, why: str, in_a_row: int) -> None:
        level = self._log.warning if in_a_row in (0, 1, 10, 100) else self._log.debug
        level(
            "a look failed",
            source=self._source.name,
            generation_id=running.id,
            reason=why,
            in_a_row=in_a_row,
        )

    def _backoff(self, running: Running) -> float:
        return backoff.backoff(running.errors, self._chance.draw())


def _asked_for(wait: timedelta | None) -> float:
    """Return the seconds that an API asks us to wait, as far as anybody may ask."""
    return 0.0 if wait is None else min(backoff.BUSY_LONGEST, wait.total_seconds())
