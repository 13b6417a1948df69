"""Trials: one attempt that somebody asked for, to see what a webhook makes of a message."""

from dataclasses import replace
from typing import Protocol

from bridge.core.delivering.delivery import Delivery, Result
from bridge.core.delivering.trial import Trial, of_a_trial
from bridge.core.delivering.verdict import (
    Delivered,
    Disable,
    GiveUp,
    TryAgain,
    Verdict,
    judge,
    unrendered,
)
from bridge.core.message import Message
from bridge.core.network.exchange import Phase, Response, Timings, Unanswered
from bridge.core.network.masking import heard
from bridge.core.network.urls import shown
from bridge.core.ports import Clock, Form, Rendered
from bridge.core.settings import Webhook
from bridge.engine.courier import Brought

PATIENCE = 30.0
"""Seconds that a trial waits for its turn of the webhook's rate: somebody sits before it."""


class Courier(Protocol):
    """Makes attempts."""

    async def bring(
        self, webhook: Webhook, delivery: Delivery, *, form: Form = Form.FULL
    ) -> Brought:
        """Make one attempt."""
        ...


class Turns(Protocol):
    """The part of the sender that keeps the rate."""

    async def turn(self, webhook: int, *, patience: float) -> bool:
        """Wait until the rate of a webhook lets one more attempt go; False: not in time."""
        ...


class Trials:
    """Makes trials: the rate counts them, nothing is stored of them."""

    def __init__(self, *, courier: Courier, turns: Turns, clock: Clock) -> None:
        self._courier = courier
        self._turns = turns
        self._clock = clock

    async def make(
        self, id_: int, webhook: Webhook, *, message: Message, form: Form = Form.FULL
    ) -> Trial:
        """Make one attempt now, in no richer form than `form`, however the webhook stands."""
        asked_at = self._clock.monotonic()
        if await self._turns.turn(id_, patience=PATIENCE):
            waited = (self._clock.monotonic() - asked_at) * 1000.0
            brought = await self._courier.bring(webhook, _first(id_, message), form=form)
        else:
            waited = PATIENCE * 1000.0
            why = f"its rate leaves no room for {PATIENCE:.0f} s"
            brought = Brought(answer=Unanswered(phase=Phase.LOCAL, reason=why), form=form)
        return _trial(webhook, message, brought, waited)


def _first(webhook: int, message: Message) -> Delivery:
    """Return a delivery as if this were its first attempt."""
    return Delivery(
        id=0,
        fence=0,
        webhook=webhook,
        watch=None,
        seq=0,
        attempt=1,
        tries=0,
        manual=True,
        message=message,
    )


def _trial(webhook: Webhook, message: Message, brought: Brought, waited: float) -> Trial:
    rendered = _again(webhook, message, brought)
    result, code, sentence = _judged(webhook, brought)
    trial = Trial(
        method="POST" if rendered is None else rendered.method,
        url=shown(webhook.url),
        sent=brought.sent,
        body=b"" if rendered is None else rendered.body,
        form=brought.form.name.lower(),
        result=result,
        reason=code,
        sentence=of_a_trial(sentence),
    )
    return _answered(trial, brought, waited)


def _answered(trial: Trial, brought: Brought, waited: float) -> Trial:
    match brought.answer:
        case None:
            return replace(trial, timings=Timings(queue=waited))
        case Unanswered() as none:
            timings = replace(none.timings, queue=waited)
            return replace(trial, phase=none.phase, timings=timings, peer=none.peer)
        case Response() as answer:
            return replace(
                trial,
                status=answer.status,
                heard=heard(answer.headers),
                answer=answer.body,
                cut=answer.cut,
                timings=replace(answer.timings, queue=waited),
                peer=answer.peer,
            )


def _again(webhook: Webhook, message: Message, brought: Brought) -> Rendered | None:
    """Render once more what was sent last: a format always makes the same of a message."""
    if brought.answer is None:
        return None
    try:
        return webhook.format.render(message, brought.form)
    except Exception:  # noqa: BLE001  (a format is foreign code on foreign data)
        return None


def _judged(webhook: Webhook, brought: Brought) -> tuple[Result, str, str]:
    policy = webhook.retry
    if brought.unrendered is not None:
        verdict = unrendered(brought.unrendered, tries=0, policy=policy, spread=0.0)
    elif brought.answer is None:
        return Result.SKIPPED, "skipped", "the format has nothing to say of this event"
    else:
        verdict = judge(
            *(brought.answer, brought.acknowledgement),
            tries=0,
            throttles=0,
            policy=policy,
            spread=0.0,
        )
    return _result(verdict), verdict.code, verdict.sentence


def _result(verdict: Verdict) -> Result:
    match verdict:
        case Delivered() | Disable(delivered=True):
            return Result.DELIVERED
        case TryAgain():
            return Result.AGAIN
        case GiveUp():
            return Result.FAILED
        case Disable():
            return Result.DISABLED
