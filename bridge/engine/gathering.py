"""Gathering: one hold for many ids, where a batch is known to wait for any of them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from anyio.abc import TaskGroup

from bridge.core.ladder import State
from bridge.core.looking import Batch, Hold, Seen
from bridge.core.pacing import holding
from bridge.core.pacing.holding import SHORTEST, End
from bridge.core.pacing.waiting import gathered
from bridge.core.ports import Clock, Log
from bridge.core.settings import Source
from bridge.engine.asker import Asker
from bridge.engine.choosing import TRIES, Chooser
from bridge.engine.footing import Footing
from bridge.engine.holds import Holds
from bridge.engine.judging import Judge
from bridge.engine.learner import HELD
from bridge.engine.looker import Heard, Looker
from bridge.engine.pacer import Pacer
from bridge.engine.roster import Roster
from bridge.engine.running import Running


class Gathering:
    """Holds many at once for one source. Moments are monotonic seconds."""

    def __init__(
        self,
        source: Source,
        *,
        roster: Roster,
        pacer: Pacer,
        chooser: Chooser,
        holds: Holds,
        footing: Footing,
        looker: Looker,
        asker: Asker,
        judge: Judge,
        clock: Clock,
        log: Log,
    ) -> None:
        self._source = source
        self._roster = roster
        self._pacer = pacer
        self._chooser = chooser
        self._holds = holds
        self._footing = footing
        self._looker = looker
        self._asker = asker
        self._judge = judge
        self._clock = clock
        self._log = log

    # ---------------------------------------------------------------- who waits together

    def possible(self, now: float) -> bool:
        """Return whether a hold can wait for many."""
        return self._holds.together > 1 and self._pacer.batch(now) > 1

    def _company(self, first: Running, until: State, now: float) -> Sequence[Running]:
        """Return whom one hold waits for: the first one, and those due who wait for the same."""
        asked, passed = [first], []
        size = min(self._holds.together, self._pacer.batch(now))
        left = TRIES * size
        while left and (taken := self._roster.take(now, min(size - len(asked), left))):
            left -= len(taken)
            for one, at in taken:
                if self._joins(one, until, now):
                    asked.append(one)
                else:
                    passed.append((one, at))
        for one, at in passed:
            self._roster.again(one, at)
        return asked

    def _joins(self, one: Running, until: State, now: float) -> bool:
        if one.rung.seen is None or self._pacer.when(one, now) > now:
            return False
        return self._chooser.question(one, now) == Hold(id=one.id, until=until)

    # ---------------------------------------------------------------- the hold

    def hold(self, tasks: TaskGroup, first: Running, until: State, now: float) -> None:
        """Hold for one, and for others with it; the request was taken from the rate.

        One who waits alone is asked about in the same way: the next time it meets the others.
        """
        asked = self._company(first, until, now)
        self._asker.begin(asked)
        self._holds.began(now)
        tasks.start_soon(self._hold, tasks, asked, until, now)

    async def _hold(
        self, tasks: TaskGroup, asked: Sequence[Running], until: State, sent: float
    ) -> None:
        flown = {one.id: one for one in asked}
        look, told = Batch(ids=tuple(flown), until=until), False
        try:
            heard = await self._looker.converse(look, self._patience(asked, sent))
            told = True
            self._over(flown, look, heard, sent, tasks)
        finally:
            if not told:
                self._footing.unanswered()
            self._holds.left(sent)
            self._asker.end(asked)

    def _patience(self, asked: Sequence[Running], sent: float) -> timedelta:
        return self._holds.patience(min(one.deadline for one in asked) - sent)

    def _over(
        self,
        flown: Mapping[str, Running],
        look: Batch,
        heard: Heard,
        sent: float,
        tasks: TaskGroup,
    ) -> None:
        """Judge what it brought, and gather those who go on waiting."""
        now, reading = self._clock.monotonic(), heard.reading
        end = self._end(look, heard, now - sent)
        if isinstance(reading, Seen):
            self._used(end, now)
            self._unchanged(flown, reading, sent, now)
        if end is End.NO_NEWS and not isinstance(reading, Seen):
            self._footing.unanswered()
        else:
            self._judge.many(flown, look, reading, sent, tasks)
        if end is not End.OTHER:
            self._regather(flown, max(now, sent + SHORTEST))

    def _end(self, look: Batch, heard: Heard, elapsed: float) -> End:
        reading, until = heard.reading, look.until
        reached = (
            isinstance(reading, Seen)
            and until is not None
            and any(s.state is not None and s.state >= until for s in reading.observations)
        )
        limit = self._holds.limit
        return holding.end(
            reading, elapsed=elapsed, limit=limit, reached=reached, cut=heard.cut
        )

    def _used(self, end: End, now: float) -> None:
        if self._holds.waits.used(now, early=end is End.EARLY):
            self._log.warning("a batch does not wait any more", source=self._source.name)

    def _unchanged(
        self, flown: Mapping[str, Running], reading: Seen, sent: float, now: float
    ) -> None:
        """Learn from a hold that lasted: nothing had changed until shortly before its end."""
        if now - HELD <= sent:
            return
        for seen in reading.observations:
            one = flown.get(seen.id)
            if one is not None and not one.over and one.rung.seen is not None:
                one.rung.unchanged(now - HELD)

    def _regather(self, flown: Mapping[str, Running], least: float) -> None:
        """Have those wait on together of whom nothing was told."""
        for one in flown.values():
            if not (one.over or one.recording or one.urgent or one.alone):
                self._roster.again(one, gathered(least))
