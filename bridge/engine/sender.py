"""The sender: brings claimed deliveries to their webhooks and settles what came of them.

Every webhook has a lane of its own, so that a slow, dead or hostile receiver delays nobody else's
deliveries. A lane has as many workers as it has deliveries to send, up to its limit; a worker
sends one after the other and ends when nothing is left.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from bridge.core.change import Change, Recipient, Recorded
from bridge.core.delivering import outcome
from bridge.core.delivering.acknowledgement import Acknowledgement, TooRich, Unclear
from bridge.core.delivering.delivery import (
    Condition,
    Delivery,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.delivering.signing import signature_headers
from bridge.core.delivering.verdict import (
    Delivered,
    Disable,
    GiveUp,
    TryAgain,
    Verdict,
    judge,
    unrendered,
)
from bridge.core.ladder import State
from bridge.core.network.exchange import Answer, Phase, Request, Response, Unanswered
from bridge.core.ports import (
    Chance,
    Clock,
    Form,
    Http,
    Log,
    Rendered,
    Room,
    Written,
)
from bridge.core.settings import Webhook
from bridge.core.sharing.gate import Gate
from bridge.core.sharing.liveness import Fit, always
from bridge.core.watch import Watch
from bridge.engine.bell import Bell
from bridge.engine.lane import Claimed, Lane
from bridge.engine.meter import Meter, Purse
from bridge.errors import StoreError

ANSWER_LIMIT = 64 * 1024
"""Bytes of a receiver's answer that are read (DELIVERY.md, section 2)."""

SWEEP = 60.0
"""Seconds after which the store is asked what is due, whatever memory says.

Memory knows all that one process writes; where replicas share the work, STORE.md wants 5 s.
"""

EMPTY = 0.01
"""Seconds until a webhook that gave less than it was asked for is asked again, at least."""

AGAIN = 1.0
"""Seconds between claims while the store is away."""


class Outbox(Protocol):
    """The part of the store that the sender needs."""

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        """Claim what is due."""
        ...

    async def next_due(self) -> Mapping[int, timedelta]:
        """Return per webhook how long until something is due."""
        ...


class Settler(Protocol):
    """Takes what came of an attempt."""

    def settle(self, settlement: Settlement) -> None:
        """Commit soon; never blocks."""
        ...


class Sender:
    """Sends for as long as `run` runs; `drain` lets what is under way end."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        settler: Settler,
        http: Http,
        clock: Clock,
        chance: Chance,
        log: Log,
        version: str,
        sweep: float = SWEEP,
        fit: Fit = always,
        purse: Purse | None = None,
    ) -> None:
        self._outbox = outbox
        self._settler = settler
        self._http = http
        self._clock = clock
        self._chance = chance
        self._log = log
        self._agent = f"genbridge/{version}"
        self._sweep = sweep
        self._fit = fit
        self._purse = purse
        self._meters: dict[int, Meter] = {}
        self._living = 1
        self._lanes: dict[int, Lane] = {}
        self._held: set[tuple[int, int]] = set()
        self._settled: set[tuple[int, int]] = set()
        self._tasks: TaskGroup | None = None
        self._bell = Bell()
        self._quiet = anyio.Event()
        self._ending = anyio.Event()
        self._draining = False
        self._flying = 0
        self.turned = clock.monotonic()
        """When the loop last turned over, for the watchdog."""

    # ---------------------------------------------------------------- lanes

    def set_lanes(self, webhooks: Iterable[tuple[Webhook, WebhookState]]) -> None:
        """Send to these webhooks from now on, under these settings.

        What is claimed for a lane that stays is sent under its new settings.
        """
        now, old = self._clock.monotonic(), self._lanes
        self._lanes = {}
        for webhook, state in webhooks:
            lane = old.pop(state.id, None) or self._new_lane(webhook, state)
            self._set_lane(lane, webhook, state, now)
        for lane in old.values():
            self._give_back(lane)
        self._bell.ring()

    def add_lane(self, webhook: Webhook, state: WebhookState) -> None:
        """Send to this webhook too from now on, or under these settings, if it has a lane."""
        lane = self._lanes.get(state.id) or self._new_lane(webhook, state)
        self._set_lane(lane, webhook, state, self._clock.monotonic())
        self._bell.ring()

    def _set_lane(
        self, lane: Lane, webhook: Webhook, state: WebhookState, now: float
    ) -> None:
        lane.webhook = webhook
        lane.living = self._living
        lane.limit = max(1, min(lane.limit, lane.most))
        if lane.rate.rate != self._rate(webhook):
            lane.rate = Gate(rate=self._rate(webhook))
        gate = now + (state.gate.total_seconds() if state.gate else 0.0)
        # The store may not have heard yet of a pause that was just asked for.
        lane.shut_until = max(
            gate, lane.shut_until if lane.condition is Condition.ACTIVE else gate
        )
        lane.condition, lane.told = state.condition, state
        lane.due = now
        self._lanes[state.id] = lane

    def _new_lane(self, webhook: Webhook, state: WebhookState) -> Lane:
        rate = Gate(rate=self._rate(webhook))
        return Lane(
            id=state.id,
            key=state.key,
            webhook=webhook,
            rate=rate,
            limit=webhook.concurrency,
        )

    @staticmethod
    def _rate(webhook: Webhook) -> float | None:
        return webhook.rate.per_second if webhook.rate else webhook.format.limits.rate

    def conditions(self) -> Mapping[str, Condition]:
        """Return how each webhook stands."""
        return {lane.webhook.name: lane.condition for lane in self._lanes.values()}

    def sends_to(self, webhook: int) -> bool:
        """Return whether a webhook, by its id, has a lane that is not switched off."""
        lane = self._lanes.get(webhook)
        return lane is not None and lane.condition is not Condition.DISABLED

    def heed(self, states: Mapping[int, WebhookState], living: int) -> None:
        """Take over how webhooks stand; those not named are open. We are one of `living`."""
        now = self._clock.monotonic()
        self._living = living
        for lane in self._lanes.values():
            lane.heed(states.get(lane.id), now)
            lane.living = living
            lane.limit = min(lane.limit, lane.most)
        self._bell.ring()

    def look(self) -> None:
        """Ask the store for every webhook: another replica has more than it can take."""
        self.woken(list(self._lanes))

    def abandon(self) -> None:
        """Forget what is claimed: others have it now."""
        for lane in self._lanes.values():
            lane.ready.clear()
        self._held.clear()

    def nudge(self) -> None:
        """Let the loop turn over once, so that `turned` shows that it is alive."""
        self._bell.ring()

    # ---------------------------------------------------------------- for the poller

    def recipients(self, watch: Watch, tag: str) -> Sequence[Recipient]:
        """Return who is to be told of an event, and reserve room where there is any.

        A webhook's `states` filter the states; that a generation is lost is told to all.
        """
        now = self._clock.monotonic()
        return [
            lane.recipient(now) for lane in self._of(watch) if _hears(lane.webhook, tag)
        ]

    def wants_rungs(self, watch: Watch) -> bool:
        """Return whether any webhook of the watch hears of a state before the end."""
        rungs = {state for state in State if not state.terminal}
        return any(rungs & lane.webhook.states for lane in self._of(watch))

    def _of(self, watch: Watch) -> list[Lane]:
        return [self._lanes[id_] for id_ in watch.webhooks if id_ in self._lanes]

    def deliver(self, change: Change, recorded: Recorded) -> None:
        """Take over the deliveries of a change that were born claimed."""
        for recipient in change.recipients:
            lane = self._lanes.get(recipient.webhook)
            if lane is not None:
                lane.reserved = max(0, lane.reserved - recipient.room)
        for born in recorded.deliveries:
            if born.claimed:
                delivery = Delivery(
                    id=born.id,
                    fence=born.fence,
                    webhook=born.webhook,
                    watch=change.watch.id,
                    seq=change.seq,
                    attempt=1,
                    tries=0,
                    manual=False,
                    message=change.message,
                )
                self._take(delivery)
            else:
                self._wake(born.webhook)

    def written(self, written: Written, settlements: Sequence[Settlement]) -> None:
        """Note what a commit made due. Before the commit a claim would not find it."""
        now = self._clock.monotonic()
        self.woken(written.woken)
        # A change in the same commit may still name what the commit settles: forget it later.
        self._held -= self._settled
        self._settled = {(s.delivery.id, s.delivery.fence) for s in settlements}
        for settlement in settlements:
            lane = self._lanes.get(settlement.delivery.webhook)
            if lane is not None:
                self._learn(lane, settlement, now)

    def _learn(self, lane: Lane, settlement: Settlement, now: float) -> None:
        if settlement.webhook is not None:
            lane.condition = max(lane.condition, settlement.webhook.condition)
        gate = settlement.webhook.gate if settlement.webhook else None
        if gate is not None:
            # The store counts the gate from its commit: asked earlier, it would give nothing.
            lane.shut_until = max(lane.shut_until, now + gate.total_seconds())
        if settlement.status is Status.PENDING:
            lane.note_due(now + settlement.wait.total_seconds())
            self._bell.ring()

    def woken(self, webhooks: Iterable[int]) -> None:
        """Note webhooks with deliveries that are due now."""
        for webhook in webhooks:
            self._wake(webhook)

    def _wake(self, webhook: int) -> None:
        lane = self._lanes.get(webhook)
        if lane is not None:
            lane.note_due(self._clock.monotonic())
            self._bell.ring()

    # ---------------------------------------------------------------- the loop

    async def run(self) -> None:
        """Claim and send for ever."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            while True:
                now = self.turned = self._clock.monotonic()
                rooms = self._askable(now)
                if rooms:
                    await self._claim(rooms)
                else:
                    await self._bell.wait(until=self._next_moment(now))

    def _askable(self, now: float) -> list[Room]:
        if self._draining or not self._fit():
            return []
        return [
            lane.room(now)
            for lane in self._lanes.values()
            if lane.due <= now and lane.slots(now)
        ]

    def _next_moment(self, now: float) -> float | None:
        if self._draining or not self._fit():
            return None
        moments = [lane.next_moment(now) for lane in self._lanes.values()]
        return min((at for at in moments if at is not None), default=None)

    async def _claim(self, rooms: Sequence[Room]) -> None:
        asked = {room.webhook: room.slots for room in rooms}
        for webhook in asked:
            self._lanes[webhook].noted = math.inf
        self._flying += 1
        try:
            for delivery in await self._outbox.claim_deliveries(rooms):
                asked[delivery.webhook] -= 1
                self._take(delivery)
            await self._learn_due([id_ for id_, left in asked.items() if left])
        except StoreError as error:
            self._log.debug("no claim", reason=str(error))
        else:
            return
        finally:
            self._landed()
        await anyio.sleep(AGAIN)

    async def _learn_due(self, emptied: Sequence[int]) -> None:
        """Ask when webhooks are next due; what was noted while asking counts as well."""
        if not emptied:
            return
        due = await self._outbox.next_due()
        now = self._clock.monotonic()
        for webhook in emptied:
            lane = self._lanes.get(webhook)
            if lane is not None:
                span = due.get(webhook)
                at = now + self._sweep if span is None else now + span.total_seconds()
                lane.due = max(min(at, lane.noted, now + self._sweep), now + EMPTY)

    # ---------------------------------------------------------------- workers

    def _take(self, delivery: Delivery) -> None:
        claim = delivery.id, delivery.fence
        if claim in self._held:
            # Two looks saw the same step, around a reload: the store names its deliveries to both.
            return
        self._held.add(claim)
        lane = self._lanes.get(delivery.webhook)
        if lane is None or self._draining:
            self._settler.settle(outcome.returned(delivery))
            return
        lane.ready.append(Claimed(delivery, self._clock.monotonic() + lane.patience))
        self._staff(lane)

    def _staff(self, lane: Lane) -> None:
        """Start a worker for the delivery that came last, where the limit has room for one."""
        if self._tasks is not None and lane.ready and lane.workers < lane.limit:
            lane.workers += 1
            self._flying += 1
            self._tasks.start_soon(self._work, lane)

    async def _work(self, lane: Lane) -> None:
        try:
            while lane.ready and lane.workers <= lane.limit:
                now = self._clock.monotonic()
                if self._draining or not self._fit() or not lane.open(now):
                    self._give_back(lane)
                    return
                claimed = lane.ready.popleft()
                if len(lane.ready) == lane.limit // 2:
                    self._bell.ring()  # the next may be claimed while these are sent
                if not await self._turn(lane, claimed):
                    self._settler.settle(outcome.returned(claimed.delivery))
                    continue
                await self._attempt(lane, claimed.delivery)
        finally:
            lane.workers -= 1
            self._bell.ring()
            self._landed()

    def _landed(self) -> None:
        self._flying -= 1
        if not self._flying:
            self._quiet.set()

    async def _turn(self, lane: Lane, claimed: Claimed) -> bool:
        """Wait until the rate lets a delivery go; return whether it may still be sent then."""
        start = await self._start(lane, claimed)
        if start is None:
            return False
        lane.rate.take(start)
        self._meter(lane).take(start)
        if start > self._clock.monotonic():
            with anyio.CancelScope(deadline=start):
                await self._ending.wait()
            # Meanwhile the receiver may have asked us to pause, or the end has begun.
            still = not self._draining and self._fit()
            return still and lane.open(self._clock.monotonic())
        return True

    async def _start(self, lane: Lane, claimed: Claimed) -> float | None:
        """Return when a delivery may go as far as the rate says; None: not in time."""
        meter = self._meter(lane)
        while not self._draining and self._fit():
            own = lane.rate.opens(self._clock.monotonic())
            if own > claimed.until:
                return None
            start = meter.opens(own)
            if start is not None:
                return start if start <= claimed.until else None
            await meter.pay()
        return None

    def _meter(self, lane: Lane) -> Meter:
        meter = self._meters.get(lane.id)
        if meter is None or meter.rate != lane.rate.rate:
            key = f"webhook:{lane.key}"
            meter = Meter(key, lane.rate.rate, clock=self._clock, purse=self._purse)
            self._meters[lane.id] = meter
        return meter

    def _give_back(self, lane: Lane) -> None:
        """Return claimed deliveries that nobody can send now."""
        while lane.ready:
            self._settler.settle(outcome.returned(lane.ready.popleft().delivery))

    # ---------------------------------------------------------------- one attempt

    async def _attempt(self, lane: Lane, delivery: Delivery) -> None:
        answer: Answer | None = None
        began = self._clock.monotonic()
        try:
            answer, acknowledgement = await self._post(lane.webhook, delivery)
        except _Unrenderable as error:
            verdict = self._unrendered(lane, delivery, error)
        else:
            if answer is None:
                self._settler.settle(outcome.nothing_to_say(delivery))
                return
            verdict = judge(
                answer,
                acknowledgement,
                tries=delivery.tries,
                throttles=lane.throttles_before(began),
                policy=lane.webhook.retry,
                spread=self._spread(),
            )
        self._conclude(lane, delivery, verdict, answer, began)

    def _unrendered(
        self, lane: Lane, delivery: Delivery, error: "_Unrenderable"
    ) -> Verdict:
        return unrendered(
            str(error),
            tries=delivery.tries,
            policy=lane.webhook.retry,
            spread=self._spread(),
        )

    def _spread(self) -> float:
        return 2.0 * self._chance.draw() - 1.0

    async def _post(
        self, webhook: Webhook, delivery: Delivery
    ) -> tuple[Answer | None, Acknowledgement]:
        """Send a delivery in the richest form that the receiver takes."""
        form: Form | None = Form.FULL
        until = self._clock.monotonic() + webhook.timeout.total_seconds()
        answer: Answer | None = None
        acknowledgement: Acknowledgement = Unclear()
        while form is not None:
            rendered = _rendered(webhook, delivery, form)
            if rendered is None:
                break
            request = self._request(webhook, delivery, rendered)
            answer = await self._sent(request, until)
            if not isinstance(answer, Response):
                return answer, Unclear()
            acknowledgement = _read(webhook, answer)
            form = form.poorer if isinstance(acknowledgement, TooRich) else None
        return answer, acknowledgement

    async def _sent(self, request: Request, until: float) -> Answer:
        left = until - self._clock.monotonic()
        if left <= 0.0:
            return Unanswered(phase=Phase.DEADLINE, reason="no time for a poorer form")
        try:
            return await self._http.send(
                request, timeout=timedelta(seconds=left), limit=ANSWER_LIMIT
            )
        except Exception as error:  # noqa: BLE001  (our own fault must not cost the others)
            reason = f"genbridge itself failed: {type(error).__name__}"
            return Unanswered(phase=Phase.LOCAL, reason=reason)

    def _request(self, webhook: Webhook, delivery: Delivery, rendered: Rendered) -> Request:
        # The time is that of this very attempt: receivers refuse what is older than five minutes.
        moment = int(self._clock.now().timestamp())
        headers = (
            *rendered.headers,
            ("user-agent", self._agent),
            *signature_headers(
                webhook.keys, str(delivery.message.id), moment, rendered.body
            ),
            ("webhook-attempt", str(delivery.attempt)),
            *webhook.headers,
        )
        return Request(method="POST", url=webhook.url, headers=headers, body=rendered.body)

    def _conclude(
        self,
        lane: Lane,
        delivery: Delivery,
        verdict: Verdict,
        answer: Answer | None,
        began: float,
    ) -> None:
        self._settler.settle(outcome.settlement(delivery, verdict, answer, key=lane.key))
        match verdict:
            case Delivered():
                lane.succeeded()
            case TryAgain():
                self._later(lane, delivery, verdict, began)
            case GiveUp():
                self._report(self._log.error, "delivery given up", lane, delivery, verdict)
            case Disable():
                lane.condition = Condition.DISABLED
                self._report(self._log.error, "webhook disabled", lane, delivery, verdict)

    def _later(
        self, lane: Lane, delivery: Delivery, verdict: TryAgain, began: float
    ) -> None:
        now = self._clock.monotonic()
        if verdict.gate is not None:
            lane.throttles = lane.throttles_before(began) + 1
        if verdict.strained and began > lane.strained_at:
            lane.strained(now)
        if verdict.gate is not None:
            lane.shut_until = max(lane.shut_until, now + verdict.gate.total_seconds())
        self._report(self._log.warning, "attempt failed", lane, delivery, verdict)

    def _report(
        self,
        write: "_Write",
        phrase: str,
        lane: Lane,
        delivery: Delivery,
        verdict: TryAgain | GiveUp | Disable,
    ) -> None:
        write(
            phrase,
            webhook=lane.webhook.name,
            delivery_id=delivery.id,
            attempt=delivery.attempt,
            reason=verdict.sentence,
        )

    # ---------------------------------------------------------------- the end

    async def drain(self, patience: float) -> bool:
        """Claim nothing more, give back what is unsent, and let attempts under way end.

        Return whether all of them did within `patience` seconds.
        """
        self._draining = True
        self._ending.set()
        for lane in self._lanes.values():
            self._give_back(lane)
        with anyio.move_on_after(patience):
            while self._flying:
                self._quiet = anyio.Event()
                await self._quiet.wait()
        return not self._flying


class _Write(Protocol):
    def __call__(self, event: str, /, **fields: object) -> object: ...


class _Unrenderable(Exception):
    """A format could not render a message; holds no part of it."""


def _hears(webhook: Webhook, tag: str) -> bool:
    try:
        return State.of(tag) in webhook.states
    except ValueError:
        return True


def _read(webhook: Webhook, answer: Response) -> Acknowledgement:
    try:
        return webhook.format.read(answer)
    except Exception:  # noqa: BLE001  (a format is foreign code on foreign data)
        return Unclear()


def _rendered(webhook: Webhook, delivery: Delivery, form: Form) -> Rendered | None:
    try:
        return webhook.format.render(delivery.message, form)
    except Exception as error:
        # A format is foreign code on foreign data: whatever goes wrong in it is its fault alone.
        raise _Unrenderable(type(error).__name__) from error
