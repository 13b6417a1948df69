"""From a verdict to the settlement that is committed."""

from bridge.core.delivering.delivery import (
    Attempt,
    Condition,
    Delivery,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.delivering.verdict import Delivered, Disable, GiveUp, TryAgain, Verdict
from bridge.core.network.exchange import Answer, Response, Timings


def settlement(
    delivery: Delivery, verdict: Verdict, answer: Answer | None, *, key: str
) -> Settlement:
    """Return what the store is to be told; `key` names the webhook there.

    `answer` is None where nothing was sent, as for a body that could not be rendered.
    """
    attempt = _attempt(delivery, verdict, answer)
    match verdict:
        case Delivered():
            return Settlement(delivery=delivery, status=Status.DELIVERED, attempt=attempt)
        case GiveUp():
            return Settlement(delivery=delivery, status=Status.FAILED, attempt=attempt)
        case TryAgain():
            return Settlement(
                delivery=delivery,
                status=Status.PENDING,
                wait=verdict.wait,
                step=verdict.step,
                attempt=attempt,
                webhook=_gated(delivery, verdict, key),
            )
        case Disable():
            return Settlement(
                delivery=delivery,
                status=Status.DELIVERED if verdict.delivered else Status.PENDING,
                step=False,
                attempt=attempt,
                webhook=WebhookState(
                    id=delivery.webhook,
                    key=key,
                    condition=Condition.DISABLED,
                    why=verdict.sentence,
                ),
            )


def returned(delivery: Delivery) -> Settlement:
    """Return a claimed delivery unsent: it is due at once and its attempt was none."""
    return Settlement(delivery=delivery, status=Status.PENDING, step=False, attempt=None)


def nothing_to_say(delivery: Delivery) -> Settlement:
    """Settle a delivery whose format has nothing to say of this event."""
    attempt = Attempt(number=delivery.attempt, code=None, why="skipped", timings=Timings())
    return Settlement(
        delivery=delivery, status=Status.CANCELLED, step=False, attempt=attempt
    )


def _gated(delivery: Delivery, verdict: TryAgain, key: str) -> WebhookState | None:
    if verdict.gate is None:
        return None
    return WebhookState(
        id=delivery.webhook, key=key, gate=verdict.gate, why=verdict.sentence
    )


def _attempt(delivery: Delivery, verdict: Verdict, answer: Answer | None) -> Attempt:
    timings = Timings() if answer is None else answer.timings
    response = answer if isinstance(answer, Response) else None
    return Attempt(
        number=delivery.attempt,
        code=None if response is None else response.status,
        why=f"{verdict.code}: {verdict.sentence}",
        timings=timings,
        answer=b"" if response is None else response.body,
    )
