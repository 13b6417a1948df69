"""From a verdict to the settlement that is committed, with the row of the log of attempts."""

from datetime import datetime, timedelta

from bridge.core.delivering.delivery import (
    Alert,
    Attempt,
    Delivery,
    Particulars,
    Purpose,
    Result,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.delivering.receipt import Receipt
from bridge.core.delivering.verdict import Delivered, Disable, GiveUp, TryAgain, Verdict
from bridge.core.network.exchange import Answer, Headers, Response, Timings
from bridge.core.network.masking import heard
from bridge.core.record import Record


class Circumstances(Record, frozen=True, kw_only=True):
    """How an attempt was made: what of `Particulars` is known before the answer is judged.

    `queue` are the milliseconds from the claim to the start.
    """

    purpose: Purpose = Purpose.LIVE
    started: datetime | None = None
    form: str = "full"
    sent: Headers = ()
    queue: float | None = None


UNKNOWN = Circumstances()


def settlement(
    delivery: Delivery,
    verdict: Verdict,
    answer: Answer | None,
    *,
    circumstances: Circumstances = UNKNOWN,
    webhook: WebhookState | None = None,
    alerts: tuple[Alert, ...] = (),
    overtaken: bool = False,
    receipt: Receipt | None = None,
) -> Settlement:
    """Return what the store is to be told; `webhook` is its new state where that has changed.

    `answer` is None where nothing was sent, as for a body that could not be rendered.
    `overtaken`: there is a newer state, and the receiver wants the latest only.
    """
    wait, step, because, status, result = _consequence(verdict)
    if overtaken and result is Result.AGAIN:
        wait, because, status = _NONE, "superseded", Status.SUPERSEDED
    pending = status is Status.PENDING and result is Result.AGAIN
    return Settlement(
        delivery=delivery,
        status=status,
        wait=wait,
        step=step,
        attempt=_attempt(
            delivery,
            verdict,
            answer,
            circumstances,
            result=result,
            wait=wait if pending else None,
            because=because,
        ),
        webhook=webhook,
        alerts=alerts,
        receipt=receipt,
    )


_NONE = timedelta()


def _consequence(
    verdict: Verdict,
) -> tuple[timedelta, bool, str | None, Status, Result]:
    match verdict:
        case Delivered():
            return _NONE, True, None, Status.DELIVERED, Result.DELIVERED
        case TryAgain():
            again = verdict.wait, verdict.step, verdict.because
            return *again, Status.PENDING, Result.AGAIN
        case GiveUp():
            return _NONE, True, None, Status.FAILED, Result.FAILED
        case Disable():
            status = Status.DELIVERED if verdict.delivered else Status.PENDING
            return _NONE, False, None, status, Result.DISABLED


def returned(delivery: Delivery) -> Settlement:
    """Return a claimed delivery unsent: it is due at once and its attempt was none."""
    return Settlement(delivery=delivery, status=Status.PENDING, step=False, attempt=None)


def superseded(delivery: Delivery) -> Settlement:
    """Settle a claimed delivery that nobody has begun, as a newer state makes it useless."""
    return Settlement(delivery=delivery, status=Status.SUPERSEDED, step=False, attempt=None)


def nothing_to_say(delivery: Delivery) -> Settlement:
    """Settle a delivery whose format has nothing to say of this event."""
    attempt = Attempt(
        number=delivery.attempt,
        code=None,
        why="skipped",
        timings=Timings(),
        particulars=Particulars(
            step=delivery.tries,
            result=Result.SKIPPED,
            reason="skipped",
            sentence="the format has nothing to say of this event",
        ),
    )
    return Settlement(
        delivery=delivery, status=Status.CANCELLED, step=False, attempt=attempt
    )


def _attempt(
    delivery: Delivery,
    verdict: Verdict,
    answer: Answer | None,
    circumstances: Circumstances,
    *,
    result: Result,
    wait: timedelta | None,
    because: str | None,
) -> Attempt:
    response = answer if isinstance(answer, Response) else None
    return Attempt(
        number=delivery.attempt,
        code=None if response is None else response.status,
        why=f"{verdict.code}: {verdict.sentence}",
        timings=_timings(answer, circumstances.queue),
        answer=b"" if response is None else response.body,
        particulars=Particulars(
            purpose=circumstances.purpose,
            step=delivery.tries,
            started=circumstances.started,
            peer=None if answer is None else answer.peer,
            form=circumstances.form,
            sent=circumstances.sent,
            heard=() if response is None else heard(response.headers),
            cut=response is not None and response.cut,
            result=result,
            reason=verdict.code,
            sentence=verdict.sentence,
            next=wait,
            because=because,
        ),
    )


def _timings(answer: Answer | None, queue: float | None) -> Timings:
    if answer is None:
        return Timings(queue=queue)
    # Named one by one: `replace` costs three times as much, and this is done for every delivery.
    took = answer.timings
    return Timings(
        queue=queue,
        dns=took.dns,
        connect=took.connect,
        tls=took.tls,
        send=took.send,
        wait=took.wait,
        body=took.body,
        total=took.total,
        reused=took.reused,
    )
