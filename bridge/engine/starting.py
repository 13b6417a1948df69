"""Starting: which claimed deliveries begin now, which when, and for whom more are claimed.

Whatever changes what a lane can do next puts it on the agenda, which is a queue by moments:
nothing ever looks through all lanes.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from bridge.core.delivering import outcome
from bridge.core.delivering.delivery import Delivery, Settlement, WebhookState
from bridge.core.duequeue import DueQueue
from bridge.core.ports import Clock, Log, Room
from bridge.core.sharing.liveness import Fit
from bridge.engine.attempts import Attempts
from bridge.engine.bell import Bell
from bridge.engine.claiming import Claims, Outbox
from bridge.engine.lane import Claimed, Lane
from bridge.engine.turns import Turns
from bridge.engine.workers import Workers


class Settler(Protocol):
    """Takes what came of an attempt."""

    def settle(self, settlement: Settlement) -> None:
        """Commit soon; never blocks."""
        ...


class Starts:
    """Begins attempts for as long as `run` runs; `lanes` is the sender's own mapping."""

    def __init__(
        self,
        *,
        lanes: Mapping[int, Lane],
        outbox: Outbox,
        settler: Settler,
        attempts: Attempts,
        clock: Clock,
        log: Log,
        sweep: float,
        fit: Fit,
        slots: int,
    ) -> None:
        self._lanes = lanes
        self._settler = settler
        self._attempts = attempts
        self._clock = clock
        self._fit = fit
        self._held: set[tuple[int, int]] = set()
        self._barred: set[int] = set()
        self._turns = Turns(slots)
        self._agenda: DueQueue[int] = DueQueue()
        self._asleep_until = -math.inf
        self._tasks: TaskGroup | None = None
        self._workers: Workers[tuple[Lane, Claimed]] | None = None
        self._bell = Bell()
        self._quiet = anyio.Event()
        self._ending = anyio.Event()
        self._draining = False
        self._flying = 0
        self._turned = clock.monotonic()
        self._claims = Claims(
            self, outbox=outbox, lanes=lanes, clock=clock, log=log, sweep=sweep
        )

    @property
    def turned(self) -> float:
        """When the slower one of the two loops last turned over."""
        return min(self._turned, self._claims.turned)

    def nudge(self) -> None:
        """Let the loops turn over once."""
        self._bell.ring()
        self._claims.ring()

    def hasten(self, state: WebhookState) -> None:
        """Set in the store how a webhook stands, before anything else is claimed."""
        self._claims.hasten(state)

    # ---------------------------------------------------------------- what we have

    def forget(self, claims: set[tuple[int, int]]) -> None:
        """Forget claims that are settled, by the ids and fences of their deliveries."""
        self._held -= claims

    def abandon(self) -> None:
        """Forget what is claimed: others have it now."""
        for lane in self._lanes.values():
            lane.take_all()
        self._held.clear()

    def bar(self, delivery: int) -> None:
        """Never send a delivery again."""
        self._barred.add(delivery)

    # ---------------------------------------------------------------- the loop

    async def run(self) -> None:
        """Claim and send for ever."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            self._workers = Workers(tasks, self._work)
            tasks.start_soon(self._claims.run)
            for lane in self._lanes.values():
                self.stir(lane)
            while True:
                self._turned = self._clock.monotonic()
                until = None if self.is_idle() else self._agenda.next()
                if until is None or until > self._turned:
                    await self._sleep(until)
                else:
                    self._attend(self._turned)
                    await anyio.lowlevel.checkpoint()

    async def _sleep(self, until: float | None) -> None:
        self._asleep_until = math.inf if until is None else until
        await self._bell.wait(until=until)
        self._asleep_until = -math.inf

    def _attend(self, now: float) -> None:
        """See to every lane for which the moment has come."""
        due = []
        while (webhook := self._agenda.pop(now)) is not None:
            due.append(webhook)
        for webhook in due:
            lane = self._lanes.get(webhook)
            if lane is not None:
                self.stir(lane)

    def stir(self, lane: Lane) -> None:
        """Begin what may begin, and plan what comes next."""
        self._fill(lane, self._clock.monotonic())
        self.touch(lane)

    def touch(self, lane: Lane) -> None:
        """Put a lane on the agenda, or among those that the store is asked for."""
        if self._lanes.get(lane.id) is not lane:
            return  # a reload has taken it away; another one may have its place
        now = self._clock.monotonic()
        at = lane.next_claim(now)
        if at is not None and at <= now:
            self._ask(lane)
            at = None
        if lane.planned is not None and lane.waiting:
            at = lane.planned if at is None else min(at, lane.planned)
        if at is None:
            self._agenda.drop(lane.id)
            return
        if self._agenda.at(lane.id) != at:
            self._agenda.set(lane.id, at)
        if at < self._asleep_until:
            self._bell.ring()

    def _ask(self, lane: Lane) -> None:
        if self._turns.tight and lane.waiting:
            return  # it would get nothing; it asks again when what it has has begun
        if self._turns.may_begin(lane):
            self._claims.want(lane)
        else:
            self._turns.wait(lane)

    # ---------------------------------------------------------------- for the claims

    def is_idle(self) -> bool:
        """Return whether nothing may begin now."""
        return self._draining or not self._fit()

    def room(self, lane: Lane) -> Room | None:
        """Return what a lane can take now; None: nothing."""
        slots = lane.slots(self._clock.monotonic())
        if self._turns.tight:
            slots = min(slots, 1 - min(1, lane.flying + lane.waiting))
        return lane.room(slots) if slots > 0 else None

    @contextmanager
    def aloft(self) -> Iterator[None]:
        """Hold up the end while something is under way."""
        self._flying += 1
        try:
            yield
        finally:
            self._landed()

    # ---------------------------------------------------------------- workers

    def take(self, delivery: Delivery) -> bool:
        """Take over a claimed delivery; False: we have it already, or nobody may send it."""
        claim = delivery.id, delivery.fence
        if claim in self._held:
            # Two looks saw the same step, around a reload: the store names its deliveries to both.
            return False
        self._held.add(claim)
        if delivery.id in self._barred:
            return False
        lane = self._lanes.get(delivery.webhook)
        if lane is None or self._draining:
            self._settler.settle(outcome.returned(delivery))
            return False
        now = self._clock.monotonic()
        lane.add(Claimed(delivery=delivery, at=now, until=now + lane.patience))
        if lane.planned is None and lane.flying >= lane.width:
            return True  # it begins when one of those that are under way is over
        self._fill(lane, now)
        if lane.planned is not None:
            self.touch(lane)
        return True

    def _fill(self, lane: Lane, now: float) -> None:
        """Start as many workers as there are deliveries that may begin."""
        while lane.waiting and (claimed := self._next(lane, now)) is not None:
            assert self._workers is not None  # noqa: S101  (`_next` gives nothing before)
            self._workers.start((lane, claimed))

    def _next(self, lane: Lane, now: float) -> Claimed | None:
        """Return what begins now, its slot taken; None: nothing may."""
        if not (lane.ready or lane.again) or self._workers is None:
            return None
        if self.is_idle() or not lane.open(now):
            self.give_back(lane)
            return None
        for claimed in lane.expired(now):
            self._settler.settle(outcome.returned(claimed.delivery))
        if not (lane.ready or lane.again) or not self._goes(lane, now):
            return None
        claimed = lane.take()
        lane.begin(claimed, now)
        self._turns.taken += 1
        self._flying += 1
        return claimed

    def _goes(self, lane: Lane, now: float) -> bool:
        """Return whether slots and rate let an attempt go now; else see to it that they will."""
        planned, lane.planned = lane.planned, None
        if lane.flying >= lane.width:
            return False
        if not self._turns.may_begin(lane):
            self._turns.wait(lane)
            return False
        at = lane.opens(now)
        if at is None:
            self._pay(lane)
            return False
        lane.planned = planned if at <= now else at
        return at <= now

    def _pay(self, lane: Lane) -> None:
        if not lane.paying and self._tasks is not None:
            lane.paying = True
            self._tasks.start_soon(self._paid, lane)

    async def _paid(self, lane: Lane) -> None:
        try:
            await lane.meter.pay()
        finally:
            lane.paying = False
        self.stir(lane)

    async def _work(self, job: tuple[Lane, Claimed]) -> None:
        """Make an attempt, and those of the same webhook that may follow at once."""
        lane = job[0]
        following: Claimed | None = job[1]
        while following is not None:
            try:
                self._settler.settle(await self._attempts.make(lane, following))
            finally:
                lane.land(following)
                self._turns.taken -= 1
                self._landed()
            now = self._clock.monotonic()
            if lane.due <= now and not lane.asking:
                self.touch(lane)  # the next may be claimed while these are sent
            following = None if self._turns.waiting else self._next(lane, now)
        self._hand_on(lane)

    def _hand_on(self, lane: Lane) -> None:
        """Let whoever waits have the slot that has become free; this webhook comes last."""
        if self._lanes.get(lane.id) is not lane:
            self.give_back(lane)
        if not self._turns.waiting:
            self.touch(lane)  # nothing else of it may begin now: that was asked just before
            return
        if lane.waiting:
            self._turns.wait(lane)
        while (webhook := self._turns.next()) is not None:
            if (next_one := self._lanes.get(webhook)) is not None:
                self.stir(next_one)
        self.stir(lane)

    def _landed(self) -> None:
        self._flying -= 1
        if not self._flying:
            self._quiet.set()

    async def turn(self, webhook: int, *, patience: float) -> bool:
        """Wait until the rate of a webhook lets one more attempt go; False: not in time.

        It counts as one. `patience` is in seconds.
        """
        lane = self._lanes.get(webhook)
        if lane is None:
            return False
        until = self._clock.monotonic() + patience
        while not self.is_idle() and (now := self._clock.monotonic()) < until:
            at = lane.opens(now)
            if at is None:
                with anyio.CancelScope(deadline=until):
                    await lane.meter.pay()
                continue
            if at > until:
                return False
            if at <= now:
                lane.start(now)
                self.stir(lane)
                return True
            with anyio.CancelScope(deadline=at):
                await self._ending.wait()
        return False

    def give_back(self, lane: Lane) -> None:
        """Return claimed deliveries that nobody can send now."""
        for claimed in lane.take_all():
            self._settler.settle(outcome.returned(claimed.delivery))

    # ---------------------------------------------------------------- the end

    async def drain(self, patience: float) -> bool:
        """Claim nothing more, give back what is unsent, and let attempts under way end.

        Return whether all of them did within `patience` seconds.
        """
        self._draining = True
        self._ending.set()
        for lane in self._lanes.values():
            self.give_back(lane)
        with anyio.move_on_after(patience):
            while self._flying:
                self._quiet = anyio.Event()
                await self._quiet.wait()
        return not self._flying
