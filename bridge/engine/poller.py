"""The poller of one source: asks its provider about every running watch, and records the news.

One due-queue, one rate gate and one count of open requests for each source, so that a source that
is slow, dead or throttled delays nobody else's looks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from bridge.core import story
from bridge.core.change import Change, Recipient, Recorded
from bridge.core.duequeue import DueQueue
from bridge.core.looking import (
    Busy,
    Get,
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
from bridge.core.network.exchange import Response, Unanswered
from bridge.core.news import news
from bridge.core.pacing import backoff, holding, pace
from bridge.core.pacing.blanks import grace
from bridge.core.ports import Chance, Clock, Http, Log
from bridge.core.settings import Source
from bridge.core.sharing.gate import Gate
from bridge.core.sharing.liveness import Fit, always
from bridge.core.sharing.share import Spare
from bridge.core.watch import Generation, Watch
from bridge.engine.bell import Bell
from bridge.engine.meter import Meter, Purse
from bridge.engine.running import Running
from bridge.errors import StoreBroken, StoreError

PLAIN_TIMEOUT = 30.0
"""Seconds that a plain look may take."""

ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of a provider's answer that are read."""

AT_ONCE = 32
"""Looks that one source may begin before the others get their turn (DETECTION.md, section 8)."""


class Recorder(Protocol):
    """Commits a change and says what became of it."""

    async def record(self, change: Change) -> Recorded:
        """Commit durably; waits while the store is away."""
        ...


class Audience(Protocol):
    """The webhooks, as a poller sees them."""

    def recipients(self, watch: Watch, tag: str) -> Sequence[Recipient]:
        """Return who is to be told of an event; room is reserved until `deliver`."""
        ...

    def wants_rungs(self, watch: Watch) -> bool:
        """Return whether anybody wants to hear of a state before the end."""
        ...

    def deliver(self, change: Change, recorded: Recorded) -> None:
        """Take over the deliveries that were born claimed, and free what was reserved."""
        ...


class Rereader(Protocol):
    """Reads a watch anew after a write of ours was refused."""

    async def watch(self, generation: Generation) -> Watch | None:
        """Return the watch as it stands; None: it is over."""
        ...


class Poller:
    """Looks at the running watches of one source for as long as `run` runs."""

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
    ) -> None:
        self.source = source
        self._http = http
        self._recorder = recorder
        self._audience = audience
        self._rereader = rereader
        self._clock = clock
        self._chance = chance
        self._log = log
        self._fit = fit
        self._most = source.max_connections
        self._abilities = source.provider.abilities
        self._running: dict[str, Running] = {}
        self._due: DueQueue[str] = DueQueue()
        self._gate = Gate(rate=source.rate.per_second, burst=0.1)
        self._meter = Meter(
            f"source:{source.name}", source.rate.per_second, clock=clock, purse=purse
        )
        self._paying = False
        self._trust = holding.Trust()
        self._bell = Bell()
        self._flying = 0
        self._holds = 0
        self._refusals = 0
        self._throttles = 0
        self._struck_at = self._answered_at = float("-inf")
        self._words: set[str] = set()
        self.turned = clock.monotonic()
        """When the loop last turned over, for the watchdog."""

    # ---------------------------------------------------------------- who is watched

    def add(self, watches: Iterable[Watch]) -> None:
        """Begin watches, or go on with changed ones as they are now."""
        now = self._clock.monotonic()
        for watch in watches:
            known = self._running.get(watch.generation.id)
            if known is not None:
                known.over = True
            at = now + watch.wait.total_seconds()
            # The wait is spent here: this poller may hand the watch to its successor.
            fresh = replace(watch, wait=timedelta()) if watch.wait else watch
            self._running[watch.generation.id] = Running.begun(fresh, now)
            self._due.set(watch.generation.id, at)
        self._bell.ring()

    def drop(self, id: str) -> None:  # noqa: A002  (a generation's id is called id everywhere)
        """End a watch; what a look under way says of it is ignored."""
        running = self._running.pop(id, None)
        if running is not None:
            running.over = True
        self._due.drop(id)

    def nudge(self) -> None:
        """Let the loop turn over once, so that `turned` shows that it is alive."""
        self._bell.ring()

    def spare(self, most: int) -> list[Spare]:
        """Stop watching up to so many, those whose next look is farthest away, and return them.

        Never one whose look was answered: what it says is recorded first.
        """
        now = self._clock.monotonic()
        idle = [one for one in self._running.values() if not one.recording]
        waits = [(self._wait(one, now), one) for one in idle]
        waits.sort(key=lambda pair: -pair[0])
        for _, one in waits[:most]:
            self.drop(one.watch.generation.id)
            if one.asking is not None:
                one.asking.cancel()
        return [Spare(watch=one.watch, wait=wait) for wait, one in waits[:most]]

    def _wait(self, running: Running, now: float) -> float:
        due = self._due.at(running.watch.generation.id)
        return 0.0 if due is None else max(0.0, due - now)

    def share(self, living: int) -> None:
        """Ask with this replica's part of the connections, as one of so many."""
        self._most = max(1, self.source.max_connections // living)
        self._bell.ring()

    @property
    def watching(self) -> int:
        """How many generations it watches."""
        return len(self._running)

    def watches(self) -> list[Watch]:
        """Return the running watches as they stand."""
        return [running.watch for running in self._running.values()]

    # ---------------------------------------------------------------- the loop

    async def run(self) -> None:
        """Look for ever."""
        async with anyio.create_task_group() as tasks:
            while True:
                now = self.turned = self._clock.monotonic()
                moment = self._next_start(now)
                if moment is None or moment > now:
                    await self._bell.wait(until=moment)
                else:
                    self._begin(tasks, now)
                    await anyio.lowlevel.checkpoint()

    def _next_start(self, now: float) -> float | None:
        """Return when the next look may begin; None: not before something happens."""
        due = self._due.next()
        if due is None or self._flying >= self._most or not self._fit():
            return None
        if self._refusals and self._flying:
            return None  # while the key is refused, one probe at a time
        at = max(due, self._gate.opens(now))
        paid = self._meter.opens(at)
        if paid is None:
            return None if self._paying else at
        return paid

    def _begin(self, tasks: TaskGroup, now: float) -> None:
        for _ in range(AT_ONCE):
            moment = self._next_start(now)
            if moment is None or moment > now:
                return
            if self._meter.opens(now) is None:
                self._paying = True
                tasks.start_soon(self._pay)
                return
            id_ = self._due.pop(now)
            if id_ is None:
                return
            self._gate.take(now)
            self._meter.take(now)
            self._start(tasks, self._running[id_], now)

    async def _pay(self) -> None:
        """Pay for the next looks: other replicas look at the same account."""
        try:
            await self._meter.pay()
        finally:
            self._paying = False
            self._bell.ring()

    def _start(self, tasks: TaskGroup, running: Running, now: float) -> None:
        look = self._question(running, now)
        running.flying = True
        self._flying += 1
        self._holds += isinstance(look, Hold)
        tasks.start_soon(self._look, running, look, now)

    def _question(self, running: Running, now: float) -> Look:
        id_, room = running.watch.generation.id, self._room_for_holds()
        if (
            room
            and self._trust.holds(now)
            and not running.errors
            and now < running.deadline
        ):
            wanted = self._audience.wants_rungs(running.watch)
            rung = holding.rung(
                running.watch.rank, running.watch.until, terminal_only=not wanted
            )
            return Hold(id=id_, until=rung)
        return Get(id=id_)

    def _room_for_holds(self) -> bool:
        if self._abilities.hold is None:
            return False
        return self._holds < self._most - max(2, self._most // 10)

    # ---------------------------------------------------------------- one look

    async def _look(self, running: Running, look: Look, began: float) -> None:
        try:
            reading: Reading | None = None
            with anyio.CancelScope() as running.asking:
                patience = self._patience(look, running, began)
                reading = await self._converse(look, patience)
            running.asking = None
            if reading is not None and not running.over:
                # What was answered is recorded, even when the poller is being stopped.
                with anyio.CancelScope(shield=True):
                    await self._judge(running, look, reading, began)
        finally:
            running.flying = False
            self._flying -= 1
            self._holds -= isinstance(look, Hold)
            self._bell.ring()

    async def observe(self, id: str) -> Observation | None:  # noqa: A002  (as everywhere)
        """Look once at a generation, watched or not, when the rate lets it; tells nobody.

        None: nothing was learnt of it. A source that refuses its key is not asked.
        """
        if not self._fit() or not await self._turn():
            return None
        self._flying += 1
        try:
            reading = await self._converse(Get(id=id), timedelta(seconds=PLAIN_TIMEOUT))
        finally:
            self._flying -= 1
            self._bell.ring()
        seen = reading.observations if isinstance(reading, Seen) else ()
        return next((one for one in seen if one.id == id), None)

    async def _turn(self) -> bool:
        """Wait for a start of the rate and take it; False: the key is refused now."""
        while not self._refusals:
            now = self._clock.monotonic()
            at, paid = self._gate.opens(now), self._meter.opens(now)
            if paid is None:
                await self._meter.pay()
            elif max(at, paid) > now:
                await anyio.sleep_until(max(at, paid))
            else:
                self._gate.take(now)
                self._meter.take(now)
                return True
        return False

    async def _converse(self, look: Look, timeout: timedelta) -> Reading:  # noqa: ASYNC109  (of each request)
        """Carry the provider's requests to the API and its responses back."""
        asking = self.source.provider.ask(look)
        try:
            request = next(asking)
            while True:
                answer = await self._http.send(request, timeout=timeout, limit=ANSWER_LIMIT)
                if isinstance(answer, Unanswered):
                    return Trouble(why=answer.reason)
                request = asking.send(self._whole(answer))
                # One request more than was let through.
                self._gate.take(self._clock.monotonic())
                self._meter.take(self._clock.monotonic())
        except StopIteration as done:
            reading: Reading = done.value
            return reading
        except Exception as error:  # noqa: BLE001  (a provider is foreign code on foreign data)
            return Trouble(why=f"cannot be read: {type(error).__name__}", malformed=True)
        finally:
            asking.close()

    def _patience(self, look: Look, running: Running, began: float) -> timedelta:
        if not isinstance(look, Hold) or self._abilities.hold is None:
            return timedelta(seconds=PLAIN_TIMEOUT)
        hold = self._abilities.hold.total_seconds() + holding.SLACK
        return timedelta(seconds=max(1.0, min(hold, running.deadline - began)))

    @staticmethod
    def _whole(answer: Response) -> Response:
        """Return an answer whose body was cut without any: half of it must not be read."""
        return replace(answer, body=b"") if answer.cut else answer

    async def _judge(
        self, running: Running, look: Look, reading: Reading, began: float
    ) -> None:
        now = self._clock.monotonic()
        if isinstance(look, Hold) and self._cut(reading, now - began):
            self._again(running, now + self._chance.draw())
            return
        match reading:
            case Seen():
                await self._seen(running, look, reading, began)
            case Missing():
                await self._missing(running, now)
            case Busy():
                self._busy(running, reading, began, now)
            case Refused():
                self._refused(running, reading, began, now)
            case Rejected() | Trouble():
                self._trouble(running, reading, now)

    def _cut(self, reading: Reading, elapsed: float) -> bool:
        limit = self._abilities.hold
        return limit is not None and holding.without_news(
            reading, elapsed, limit.total_seconds()
        )

    async def _seen(
        self, running: Running, look: Look, reading: Seen, began: float
    ) -> None:
        self._answered()
        running.misses.forget()
        asked = running.watch.generation.id
        observation = next((o for o in reading.observations if o.id == asked), None)
        now = self._clock.monotonic()
        if observation is None:
            self._trouble(running, Trouble(why="the answer does not speak of it"), now)
            return
        running.errors, running.refused_at = 0, None
        self._learn_word(observation)
        running.seen_at = observation.observed_at
        if isinstance(look, Hold):
            self._weigh_hold(look, observation, began, now)
        await self._consider(running, observation)
        await self._after(running, look, began)

    async def _consider(self, running: Running, observation: Observation) -> None:
        found = news(running.watch.rank, observation.state)
        if found is None:
            return
        wait = grace(observation, running.blanks, promised=self._abilities.promises_outputs)
        if wait is not None:
            running.blanks += 1
            self._again(running, self._clock.monotonic() + wait)
            return
        try:
            change = story.advance(
                running.watch,
                observation,
                found,
                provider=self.source.provider_name,
                now=self._clock.now(),
                recipients=(),
            )
        except Exception as error:  # noqa: BLE001  (a provider is foreign code on foreign data)
            self._in_vain(running, f"cannot be told: {type(error).__name__}")
            return
        recipients = self._audience.recipients(running.watch, found.state.word)
        await self._record(running, replace(change, recipients=tuple(recipients)))

    async def _record(self, running: Running, change: Change) -> None:
        recorded = await self._recorder.record(change)
        self._audience.deliver(change, recorded)
        if recorded.accepted:
            self._climbed(running, change)
        elif not running.over:
            await self._reread(running)

    def _climbed(self, running: Running, change: Change) -> None:
        self._log.info(
            f"generation {change.tag}",
            source=self.source.name,
            generation_id=change.watch.generation.id,
            native_state=change.native_state,
            sequence=change.seq,
        )
        running.watch = replace(
            change.watch,
            rank=change.rank,
            native_state=change.native_state,
            seq=change.seq,
        )
        running.climbed = self._clock.monotonic()
        running.blanks = 0
        if change.ended is not None and not running.over:
            self.drop(change.watch.generation.id)

    async def _reread(self, running: Running) -> None:
        """Read a watch anew: a write was refused, so somebody has changed it since."""
        try:
            watch = await self._rereader.watch(running.watch.generation)
        except StoreBroken:
            raise
        except StoreError:
            self._again(running, self._clock.monotonic() + 1.0)
            return
        if running.over:
            return
        if watch is not None and _same(watch, running.watch):
            self._in_vain(running, "the store refuses what was seen")
            return
        self.drop(running.watch.generation.id)
        if watch is not None:
            self.add([watch])

    # ---------------------------------------------------------------- when again

    async def _after(self, running: Running, look: Look, began: float) -> None:
        """Set the next look of a watch that goes on, unless it is set already.

        A deadline is judged here only, after an answer: a provider that is away for an hour must
        not cost a generation that was completed in time.
        """
        id_, now = running.watch.generation.id, self._clock.monotonic()
        if running.over or id_ in self._due:
            return
        if now >= running.deadline:
            await self._lose(running)
        else:
            self._again(running, self._next_look(running, look, began, now))

    def _next_look(self, running: Running, look: Look, began: float, now: float) -> float:
        if isinstance(look, Hold) and self._trust.holds(now):
            # Never more than one look a second at one generation, whatever a hold does.
            return max(now, began + pace.LEAST) if self._trust.early else now
        if isinstance(look, Get) and self._trust.holds(now) and self._room_for_holds():
            return max(now, began + pace.LEAST)  # a hold had failed, or found no room
        return now + pace.pause(
            now - running.climbed,
            looks=self.source.looks,
            floor=self._abilities.floor.total_seconds(),
            longest=self.source.interval.total_seconds(),
        )

    def _again(self, running: Running, at: float) -> None:
        """Look again at a moment, and not later than the deadline."""
        if running.over:
            return
        if self._clock.monotonic() < running.deadline:
            at = min(at, running.deadline)
        self._due.set(running.watch.generation.id, at)
        self._bell.ring()

    # ---------------------------------------------------------------- other answers

    def _answered(self) -> None:
        self._answered_at = self._clock.monotonic()
        self._throttles = 0
        if self._refusals:
            self._refusals = 0
            self._log.info("the source answers again", source=self.source.name)

    async def _missing(self, running: Running, now: float) -> None:
        self._answered()
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

    async def _lose(self, running: Running) -> None:
        await self._record(
            running,
            story.loss(
                running.watch,
                provider=self.source.provider_name,
                now=self._clock.now(),
                seen_at=running.seen_at,
                recipients=self._audience.recipients(running.watch, story.LOST),
            ),
        )

    def _strikes(self, began: float, now: float) -> bool:
        """Return whether a look says anew that the key is not welcome.

        What was already on its way when the last one said so says no more than that one.
        """
        anew = began > self._struck_at
        if anew:
            self._struck_at = now
        return anew

    def _busy(self, running: Running, reading: Busy, began: float, now: float) -> None:
        self._throttles += self._strikes(began, now)
        wait = backoff.pause(self._throttles, reading.after)
        self._gate.shut(now + wait)
        self._log.warning(
            "the source is busy", source=self.source.name, reason=reading.why, wait_s=wait
        )
        self._again(running, max(now, began + pace.LEAST))

    def _refused(
        self, running: Running, reading: Refused, began: float, now: float
    ) -> None:
        if running.refused_at is None:
            running.refused_at = now
        elif running.refused_at < self._answered_at:
            # Others have been answered meanwhile: it is not the key, it is this generation.
            self._trouble(running, Rejected(why=reading.why), now)
            return
        strikes = self._strikes(began, now)
        self._refusals += strikes
        wait = backoff.probe(self._refusals)
        self._gate.shut(now + wait)
        if strikes and self._refusals == 1:
            self._log.error(
                "the source refuses the key", source=self.source.name, reason=reading.why
            )
        # Behind those that are due by then: one generation alone may be what is refused.
        self._again(running, now + wait)

    def _in_vain(self, running: Running, why: str) -> None:
        """Wait long after news that nobody can be told: the next look will bring it again."""
        self._log.warning(
            "a look failed",
            source=self.source.name,
            generation_id=running.watch.generation.id,
            reason=why,
        )
        self._again(running, self._clock.monotonic() + backoff.LONGEST)

    def _trouble(self, running: Running, reading: Rejected | Trouble, now: float) -> None:
        running.errors += 1
        after = getattr(reading, "after", None)
        wait = max(self._backoff(running), after.total_seconds() if after else 0.0)
        level = self._log.warning if running.errors in (1, 10, 100) else self._log.debug
        level(
            "a look failed",
            source=self.source.name,
            generation_id=running.watch.generation.id,
            reason=reading.why,
            in_a_row=running.errors,
        )
        self._again(running, now + wait)

    def _backoff(self, running: Running) -> float:
        return backoff.backoff(running.errors, self._chance.draw())

    # ---------------------------------------------------------------- what looks teach

    def _learn_word(self, observation: Observation) -> None:
        word = observation.native_state
        if observation.state is None and word is not None and word not in self._words:
            self._words.add(word)
            self._log.warning(
                "an unknown state word", source=self.source.name, native_state=word
            )

    def _weigh_hold(
        self, look: Hold, observation: Observation, began: float, now: float
    ) -> None:
        limit = self._abilities.hold
        if limit is None:
            return
        reached = observation.state is not None and observation.state >= look.until
        lies = self._trust.returned(
            elapsed=now - began, limit=limit.total_seconds(), reached=reached, now=now
        )
        if lies:
            self._log.warning(
                "the source does not hold: plain looks for now", source=self.source.name
            )


def _same(one: Watch, other: Watch) -> bool:
    """Return whether nobody has changed a watch between two reads of it."""
    return (one.id, one.fence, one.seq) == (other.id, other.fence, other.seq)
