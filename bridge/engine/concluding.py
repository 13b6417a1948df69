"""Concluding: from what an attempt brought to its settlement, and what its lane learns."""

from dataclasses import replace
from datetime import timedelta

from bridge.core.delivering import breaker, outcome
from bridge.core.delivering.breaker import Circuit
from bridge.core.delivering.delivery import (
    Alert,
    Condition,
    Delivery,
    Purpose,
    Settlement,
)
from bridge.core.delivering.outcome import Circumstances
from bridge.core.delivering.receipt import Receipt
from bridge.core.delivering.trouble import Blame
from bridge.core.delivering.verdict import (
    Delivered,
    Disable,
    GiveUp,
    TryAgain,
    Verdict,
    judge,
    unrendered,
)
from bridge.core.live import Progress
from bridge.core.ports import Chance, Clock, Log
from bridge.core.record import Record
from bridge.core.text.durations import spoken
from bridge.engine.alarm import Alarm
from bridge.engine.courier import Brought
from bridge.engine.lane import Lane
from bridge.engine.remarks import Remarks

WHY = "the breaker is open: "
"""How the reason of a gate begins that the breaker has shut."""


class Tried(Record, frozen=True, kw_only=True):
    """An attempt that is over; `began` is its moment, `queue` what it waited, in milliseconds.

    `probe`: the breaker was open when it began. `progress`: it is told in the message that is
    edited.
    """

    delivery: Delivery
    brought: Brought
    began: float
    queue: float
    probe: bool
    progress: Progress | None = None


class Conclusions:
    """Judges attempts one after the other; each changes the lane of its webhook at once."""

    def __init__(self, *, alarm: Alarm, clock: Clock, chance: Chance, log: Log) -> None:
        self._alarm = alarm
        self._clock = clock
        self._chance = chance
        self._log = log
        self._remarks = Remarks(log)

    def conclude(self, lane: Lane, tried: Tried) -> Settlement:
        """Return what the store is to be told of an attempt."""
        verdict = self._judged(lane, tried)
        now = self._clock.monotonic()
        before, off = lane.circuit, lane.condition
        alerts: tuple[Alert, ...] = ()
        match verdict:
            case Delivered():
                alerts = self._delivered(lane, tried, verdict, now)
            case TryAgain():
                verdict, alerts = self._again(lane, tried, verdict, now)
            case GiveUp():
                alerts = self._given_up(lane, tried, verdict, now)
            case Disable():
                alerts = self._disabled(lane, tried, verdict, now)
        if lane.given_up and not _is_operational(tried):
            alerts += self._alarm.given_up(lane)
        switched = lane.condition is Condition.DISABLED and off is not Condition.DISABLED
        changed = lane.circuit is not before or switched or _gates(verdict)
        condition = Condition.DISABLED if switched else Condition.ACTIVE
        settlement = outcome.settlement(
            tried.delivery,
            verdict,
            tried.brought.answer,
            circumstances=_circumstances(tried),
            webhook=lane.state(now, condition) if changed else None,
            alerts=alerts,
            overtaken=tried.delivery.id in lane.overtaken,
            receipt=None if tried.progress is None else _kept(tried.progress, verdict),
        )
        if settlement.attempt is not None:
            self._remarks.make(
                *(lane.webhook, lane.remarked),
                brought=tried.brought,
                told=settlement.attempt.particulars,
                now=now,
            )
        return settlement

    def _judged(self, lane: Lane, tried: Tried) -> Verdict:
        brought, tries, policy = tried.brought, tried.delivery.tries, lane.webhook.retry
        if brought.answer is None:
            return unrendered(
                brought.unrendered or "",
                tries=tries,
                policy=policy,
                spread=self._spread(),
                spend=not tried.probe,
            )
        return judge(
            brought.answer,
            brought.acknowledgement,
            tries=tries,
            throttles=lane.throttles_before(tried.began),
            policy=policy,
            spread=self._spread(),
            spend=not tried.probe,
            free=max(0, tried.delivery.attempt - 1 - tries),
        )

    def _spread(self) -> float:
        return 2.0 * self._chance.draw() - 1.0

    # ---------------------------------------------------------------- accepted

    def _delivered(
        self, lane: Lane, tried: Tried, verdict: Delivered, now: float
    ) -> tuple[Alert, ...]:
        lane.succeeded()
        if lane.degree.accepted(tried.brought.form, now):
            self._spare(lane, tried)
        if verdict.pause is not None:
            lane.shut(verdict.pause, now, "the receiver wants a pause")
        return self._accepted(lane, tried, now)

    def _accepted(self, lane: Lane, tried: Tried, now: float) -> tuple[Alert, ...]:
        lane.window = breaker.noted(lane.window, now, failure=False)
        before = lane.circuit
        if before.untroubled:
            return ()
        lane.circuit = breaker.accepted(before)
        if before.open and not lane.circuit.open:
            lane.window, lane.limit, lane.accepted, lane.why = (), 1, 0, None
            self._log.info("breaker closed", webhook=lane.webhook.name)
        if not before.told or _is_operational(tried):
            return ()
        alerts = self._alarm.recovered(lane)
        lane.circuit = replace(lane.circuit, told=0)
        return alerts

    def _spare(self, lane: Lane, tried: Tried) -> None:
        self._log.warning(
            "poorer messages for an hour",
            webhook=lane.webhook.name,
            form=tried.brought.form.name.lower(),
        )

    # ---------------------------------------------------------------- not accepted

    def _again(
        self, lane: Lane, tried: Tried, verdict: TryAgain, now: float
    ) -> tuple[TryAgain, tuple[Alert, ...]]:
        # Counted before what strains the receiver is noted, which begins a new crowd of throttles.
        throttles = lane.throttles_before(tried.began)
        if verdict.strained and tried.began > lane.strained_at:
            lane.strained(now)
        if verdict.blame is None:
            alerts = self._throttled(lane, tried, verdict, throttles, now)
        else:
            alerts = self._failed(lane, tried, verdict, verdict.blame, now)
        if tried.probe and lane.circuit.open and lane.condition is not Condition.DISABLED:
            verdict = self._held(lane, verdict, now)
        if verdict.gate is not None:
            lane.shut(verdict.gate, now, verdict.sentence)
        self._report("attempt failed", lane, tried, verdict)
        return verdict, alerts

    def _throttled(
        self, lane: Lane, tried: Tried, verdict: TryAgain, throttles: int, now: float
    ) -> tuple[Alert, ...]:
        """Note a throttle; return what people are to be told, for it may have lasted for days."""
        lane.throttles = throttles + 1
        lane.circuit = breaker.throttled(lane.circuit, now)
        return self._milestone(lane, tried, verdict, now)

    def _held(self, lane: Lane, verdict: TryAgain, now: float) -> TryAgain:
        """Let the next probe wait as long as the breaker wants, and this delivery until then."""
        if verdict.gate is not None:
            return verdict
        gate = wait = breaker.pause(lane.circuit, now, self._spread())
        if verdict.code != _UNREACHED:
            gate = max(gate, _LEAST)
            wait = max(gate, verdict.wait)
        lane.shut(gate, now, WHY + verdict.sentence)
        return replace(
            verdict, wait=wait, gate=gate, because=f"probe {lane.circuit.probes}"
        )

    def _given_up(
        self, lane: Lane, tried: Tried, verdict: GiveUp, now: float
    ) -> tuple[Alert, ...]:
        alerts = self._failed(lane, tried, verdict, verdict.blame, now)
        if not _is_operational(tried):
            lane.given_up += 1
            lane.given_up_why = verdict.sentence
        self._report("delivery given up", lane, tried, verdict)
        return alerts

    def _disabled(
        self, lane: Lane, tried: Tried, verdict: Disable, now: float
    ) -> tuple[Alert, ...]:
        if verdict.delivered:
            lane.succeeded()
        lane.condition, lane.why = Condition.DISABLED, verdict.sentence
        lane.circuit = breaker.ended(lane.circuit, now)
        if _is_operational(tried):
            self._report("webhook disabled", lane, tried, verdict)
            return ()
        return self._alarm.disabled(lane, verdict.sentence)

    def _failed(
        self,
        lane: Lane,
        tried: Tried,
        verdict: TryAgain | GiveUp,
        blame: Blame,
        now: float,
    ) -> tuple[Alert, ...]:
        """Let the breaker know of a failure; return what people are to be told."""
        if blame is Blame.US:
            return ()
        before = lane.circuit
        lane.window = breaker.noted(lane.window, now, failure=blame is Blame.RECEIVER)
        lane.circuit = breaker.failed(
            before,
            blame=blame,
            delivery=tried.delivery.id,
            generation=_generation(tried.delivery),
            probe=tried.probe,
            window=lane.window,
            now=now,
            unreached=verdict.code == _UNREACHED,
        )
        if lane.circuit.open and not before.open:
            self._opened(lane, verdict, now)
        return self._milestone(lane, tried, verdict, now)

    def _opened(self, lane: Lane, verdict: TryAgain | GiveUp, now: float) -> None:
        lane.window = ()
        pause = breaker.pause(lane.circuit, now, self._spread())
        lane.shut(pause, now, WHY + verdict.sentence)
        self._log.warning(
            "breaker opened", webhook=lane.webhook.name, reason=verdict.sentence
        )

    def _milestone(
        self, lane: Lane, tried: Tried, verdict: TryAgain | GiveUp, now: float
    ) -> tuple[Alert, ...]:
        after = lane.webhook.disable_after
        share = breaker.milestone(lane.circuit, now, after)
        if share == 100:
            return self._switched_off(lane, tried, verdict)
        if _is_operational(tried):
            return ()
        if share is not None:
            lane.circuit = replace(lane.circuit, told=share)
            return self._alarm.failing(lane, share, verdict.sentence)
        if verdict.code == "forbidden" and not lane.circuit.told:
            lane.circuit = replace(lane.circuit, told=_FORBIDDEN)
            return self._alarm.forbidden(lane, verdict.sentence)
        if verdict.code == "unrendered":
            return self._alarm.unrendered(lane, verdict.sentence)
        return ()

    def _switched_off(
        self, lane: Lane, tried: Tried, verdict: TryAgain | GiveUp
    ) -> tuple[Alert, ...]:
        circuit: Circuit = lane.circuit
        lane.why = (
            f"nothing was accepted for {spoken(lane.webhook.disable_after)}, in "
            f"{circuit.failures} attempts; the last: {verdict.sentence}"
        )
        lane.condition = Condition.DISABLED
        lane.circuit = replace(circuit, told=100)
        if _is_operational(tried):
            self._log.error("webhook disabled", webhook=lane.webhook.name, reason=lane.why)
            return ()
        return self._alarm.disabled(lane, lane.why)

    def _report(
        self, phrase: str, lane: Lane, tried: Tried, verdict: TryAgain | GiveUp | Disable
    ) -> None:
        write = self._log.warning if isinstance(verdict, TryAgain) else self._log.error
        write(
            phrase,
            webhook=lane.webhook.name,
            delivery_id=tried.delivery.id,
            attempt=tried.delivery.attempt,
            reason=verdict.sentence,
        )


_LEAST = timedelta(seconds=1)
"""Between two probes of which the first has reached somebody who did not accept it."""

_UNREACHED = "unreachable"
"""The code of a failure that has reached nobody: no connection could be made."""

_FORBIDDEN = 1
"""What `told` says once people know that an address is forbidden; shares are higher."""


def _is_operational(tried: Tried) -> bool:
    """Return whether it is an operational event itself: its failure raises none."""
    return tried.delivery.watch is None


def _generation(delivery: Delivery) -> int:
    return -delivery.id if delivery.watch is None else delivery.watch


def _gates(verdict: Verdict) -> bool:
    match verdict:
        case TryAgain(gate=gate):
            return gate is not None
        case Delivered(pause=pause):
            return pause is not None
        case _:
            return False


def _kept(progress: Progress, verdict: Verdict) -> Receipt | None:
    return progress.kept(verdict.receipt) if isinstance(verdict, Delivered) else None


def _circumstances(tried: Tried) -> Circumstances:
    brought, purpose = tried.brought, Purpose.LIVE
    if tried.probe:
        purpose = Purpose.PROBE
    elif tried.delivery.manual:
        purpose = Purpose.REPLAY
    return Circumstances(
        purpose=purpose,
        started=brought.started,
        form=_FORMS[brought.form],
        sent=brought.sent,
        queue=tried.queue,
    )


_FORMS = ("full", "compact", "text")
"""The names of the forms, in their order."""
