"""The sender: brings claimed deliveries to their webhooks and settles what came of them.

Every webhook has a lane of its own, so that a slow, dead or hostile receiver delays nobody else's
deliveries. What begins when is said in `starting`, how an attempt is made in `attempts`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bridge.core.change import Change, Recipient, Recorded
from bridge.core.delivering import outcome
from bridge.core.delivering.breaker import recalled
from bridge.core.delivering.delivery import (
    Condition,
    Delivery,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.delivering.standing import Standing
from bridge.core.ladder import State
from bridge.core.ports import Chance, Clock, Log, Written
from bridge.core.settings import Webhook
from bridge.core.sharing.gate import Gate
from bridge.core.sharing.liveness import Fit, always
from bridge.core.watch import Watch
from bridge.engine.alarm import Alarm
from bridge.engine.attempts import Attempts, Courier, Renewer
from bridge.engine.claiming import SWEEP, Outbox
from bridge.engine.concluding import WHY, Conclusions
from bridge.engine.lane import Lane
from bridge.engine.meter import Meter, Purse
from bridge.engine.starting import Settler, Starts
from bridge.engine.turns import SLOTS

__all__ = ["SWEEP", "Outbox", "Sender"]


class Sender:
    """Sends for as long as `run` runs; `drain` lets what is under way end.

    `slots` bounds the attempts under way of all webhooks.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        settler: Settler,
        courier: Courier,
        clock: Clock,
        chance: Chance,
        log: Log,
        sweep: float = SWEEP,
        fit: Fit = always,
        purse: Purse | None = None,
        slots: int = SLOTS,
        renewer: Renewer | None = None,
    ) -> None:
        self._settler = settler
        self._clock = clock
        self._purse = purse
        self._living = 1
        self._lanes: dict[int, Lane] = {}
        self._names: dict[str, int] = {}
        self._settled: set[tuple[int, int]] = set()
        conclusions = Conclusions(
            alarm=Alarm(find=self._names.get, clock=clock, log=log),
            clock=clock,
            chance=chance,
            log=log,
        )
        self._starts = Starts(
            lanes=self._lanes,
            outbox=outbox,
            settler=settler,
            attempts=Attempts(
                courier=courier,
                renewer=renewer,
                receipts=outbox,
                conclusions=conclusions,
                grant=self._grant,
                clock=clock,
            ),
            clock=clock,
            log=log,
            sweep=sweep,
            fit=fit,
            slots=slots,
        )

    async def run(self) -> None:
        """Claim and send for ever."""
        await self._starts.run()

    @property
    def turned(self) -> float:
        """When the slower one of the loops last turned over, for the watchdog."""
        return self._starts.turned

    def nudge(self) -> None:
        """Let the loops turn over once, so that `turned` shows that they are alive."""
        self._starts.nudge()

    async def turn(self, webhook: int, *, patience: float) -> bool:
        """Wait until the rate of a webhook lets one more attempt go; False: not in time.

        It counts as one. `patience` is in seconds.
        """
        return await self._starts.turn(webhook, patience=patience)

    async def drain(self, patience: float) -> bool:
        """Claim nothing more, give back what is unsent, and let attempts under way end.

        Return whether all of them did within `patience` seconds.
        """
        return await self._starts.drain(patience)

    # ---------------------------------------------------------------- lanes

    def set_lanes(self, webhooks: Iterable[tuple[Webhook, WebhookState]]) -> None:
        """Send to these webhooks from now on, under these settings.

        What is claimed for a lane that stays is sent under its new settings.
        """
        old = dict(self._lanes)
        self._lanes.clear()
        self._names.clear()
        for webhook, state in webhooks:
            self._set_lane(old.pop(state.id, None), webhook, state)
        for lane in old.values():
            self._starts.give_back(lane)

    def add_lane(self, webhook: Webhook, state: WebhookState) -> None:
        """Send to this webhook too from now on, or under these settings, if it has a lane."""
        self._set_lane(self._lanes.get(state.id), webhook, state)

    def drop_lane(self, webhook: int) -> None:
        """Send nothing to a webhook any more; what is under way ends."""
        lane = self._lanes.pop(webhook, None)
        if lane is not None:
            self._names.pop(lane.webhook.name, None)
            self._starts.give_back(lane)

    def _set_lane(self, lane: Lane | None, webhook: Webhook, state: WebhookState) -> None:
        now = self._clock.monotonic()
        fresh = lane is None
        lane = lane or self._new_lane(webhook, state, now)
        lane.use(webhook)
        lane.living = self._living
        lane.limit = max(1, min(lane.limit, lane.most))
        self._set_rate(lane, _rate(webhook))
        self._stand(lane, state, now, fresh=fresh)
        lane.due = now
        self._lanes[state.id] = lane
        self._names[webhook.name] = state.id
        self._starts.stir(lane)

    def _new_lane(self, webhook: Webhook, state: WebhookState, now: float) -> Lane:
        rate = _rate(webhook)
        return Lane(
            id=state.id,
            key=state.key,
            webhook=webhook,
            rate=Gate(rate=rate),
            meter=self._meter(state.key, rate),
            limit=webhook.concurrency,
            circuit=recalled(state.health, now),
        )

    def _set_rate(self, lane: Lane, rate: float | None) -> None:
        if lane.rate.rate != rate:
            lane.rate = Gate(rate=rate)
            lane.meter = self._meter(lane.key, rate)
            lane.planned = None

    def _grant(self, lane: Lane, rate: float) -> None:
        """Keep to the rate that a receiver has consented to, where ours is higher."""
        if rate > 0.0 and (lane.rate.rate is None or rate < lane.rate.rate):
            self._set_rate(lane, rate)

    def _meter(self, key: str, rate: float | None) -> Meter:
        return Meter(f"webhook:{key}", rate, clock=self._clock, purse=self._purse)

    def _stand(self, lane: Lane, state: WebhookState, now: float, *, fresh: bool) -> None:
        """Take over how a webhook stands in the store, which may not have heard of the latest."""
        gate = now + (state.gate.total_seconds() if state.gate else 0.0)
        was_off = lane.condition is Condition.DISABLED
        shut = lane.shut_until
        if was_off and state.condition is Condition.ACTIVE:
            lane.set(state, now)
        else:
            lane.shut_until = max(
                gate, shut if lane.condition is Condition.ACTIVE else gate
            )
            lane.condition, lane.told = state.condition, state
        lane.why = state.why or lane.why
        if fresh and state.gate and state.health.open and _is_breakers(state):
            # Whoever starts anew may have mended something: find out now, not in five minutes.
            lane.shut_until = -math.inf
            lane.why = None
            self._starts.hasten(replace(state, gate=None, why=None))

    def set_standing(self, state: WebhookState) -> None:
        """Take over at once how a webhook stands: somebody has paused or resumed it."""
        lane = self._lanes.get(state.id)
        if lane is not None:
            now = self._clock.monotonic()
            lane.set(state, now)
            lane.note_due(now)
            if state.condition is not Condition.ACTIVE:
                self._starts.give_back(lane)
            self._starts.stir(lane)

    def standing(self, webhook: int) -> Standing | None:
        """Return how a webhook stands in this process; None: nothing is sent to it from here."""
        lane = self._lanes.get(webhook)
        if lane is None:
            return None
        return Standing(
            breaker=lane.circuit.word,
            concurrency=lane.width,
            in_flight=lane.flying,
            gate=lane.gate(self._clock.monotonic()),
        )

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
            state, was = states.get(lane.id), lane.condition
            if state == lane.told and lane.living == living:
                continue
            lane.living = living
            lane.heed(state, now)
            lane.limit = min(lane.limit, lane.most)
            if lane.condition is not was:
                lane.note_due(now)
            self._starts.stir(lane)
        self._starts.nudge()

    def look(self) -> None:
        """Ask the store for every webhook: another replica has more than it can take."""
        self.woken(list(self._lanes))

    def abandon(self) -> None:
        """Forget what is claimed: others have it now."""
        self._starts.abandon()

    # ---------------------------------------------------------------- for the poller

    def recipients(self, watch: Watch, tag: str) -> Sequence[Recipient]:
        """Return who is to be told of an event, and reserve room where there is any.

        A webhook's `states` filter the states; that a generation is lost is told to all.
        """
        now = self._clock.monotonic()
        return [
            lane.recipient(now)
            for id_ in watch.webhooks
            if (lane := self._lanes.get(id_)) is not None and tag not in lane.deaf_to
        ]

    def wants_rungs(self, watch: Watch) -> bool:
        """Return whether any webhook of the watch hears of a state before the end."""
        rungs = {state for state in State if not state.terminal}
        lanes = [self._lanes[id_] for id_ in watch.webhooks if id_ in self._lanes]
        return any(rungs & lane.webhook.states for lane in lanes)

    def deliver(self, change: Change, recorded: Recorded) -> None:
        """Take over the deliveries of a change that were born claimed."""
        watch, seq = change.watch.id, change.seq
        freed = self._freed(change.recipients)
        for born in recorded.deliveries:
            lane = self._lanes.get(born.webhook)
            if lane is not None and lane.latest:
                self._overtake(lane, change)
            if not born.claimed:
                self._wake(born.webhook)
                continue
            delivery = Delivery(
                id=born.id,
                fence=born.fence,
                webhook=born.webhook,
                watch=watch,
                seq=seq,
                attempt=1,
                tries=0,
                manual=False,
                message=change.message,
            )
            if self._starts.take(delivery):
                freed.pop(born.webhook, None)
        for lane in freed.values():
            # Who got nothing for what was reserved may claim something else.
            self._starts.touch(lane)

    def _freed(self, recipients: Sequence[Recipient]) -> dict[int, Lane]:
        """Free what was reserved; return whose it was."""
        freed = {}
        for one in recipients:
            if one.room and (lane := self._lanes.get(one.webhook)) is not None:
                lane.reserved = max(0, lane.reserved - 1)
                freed[lane.id] = lane
        return freed

    def _overtake(self, lane: Lane, change: Change) -> None:
        for claimed in lane.overtake(change.watch.id, change.seq):
            self._settler.settle(outcome.superseded(claimed.delivery))

    def written(self, written: Written, settlements: Sequence[Settlement]) -> None:
        """Note what a commit made due. Before the commit a claim would not find it."""
        self.woken(written.woken)
        # A change in the same commit may still name what the commit settles: forget it later.
        self._starts.forget(self._settled)
        self._settled = {(s.delivery.id, s.delivery.fence) for s in settlements}
        for settlement in settlements:
            if settlement.webhook is not None or settlement.status is Status.PENDING:
                self._learn(settlement)
            for alert in settlement.alerts:
                self._wake(alert.webhook)

    def _learn(self, settlement: Settlement) -> None:
        lane = self._lanes.get(settlement.delivery.webhook)
        if lane is None:
            return
        now = self._clock.monotonic()
        state = settlement.webhook
        if state is not None:
            lane.condition = max(lane.condition, state.condition)
            if state.gate is not None:
                # The store counts from its commit: asked earlier, it would give nothing.
                lane.shut_until = max(lane.shut_until, now + state.gate.total_seconds())
        if settlement.status is Status.PENDING:
            lane.note_due(now + settlement.wait.total_seconds())
            self._starts.touch(lane)

    def refused(self, settlement: Settlement) -> None:
        """Note a settlement that the store will never take: its delivery is not sent again."""
        self._starts.bar(settlement.delivery.id)

    def woken(self, webhooks: Iterable[int]) -> None:
        """Note webhooks with deliveries that are due now."""
        for webhook in webhooks:
            self._wake(webhook)

    def _wake(self, webhook: int) -> None:
        lane = self._lanes.get(webhook)
        if lane is not None:
            lane.note_due(self._clock.monotonic())
            self._starts.touch(lane)


def _rate(webhook: Webhook) -> float | None:
    return webhook.rate.per_second if webhook.rate else webhook.format.limits.rate


def _is_breakers(state: WebhookState) -> bool:
    return state.why is not None and state.why.startswith(WHY)
