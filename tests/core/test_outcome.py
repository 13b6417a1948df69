"""From a verdict to what is stored."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from bridge.core.delivering import outcome
from bridge.core.delivering.delivery import Condition, Delivery, Status
from bridge.core.delivering.verdict import Blame, Delivered, Disable, GiveUp, TryAgain
from bridge.core.message import Message
from bridge.core.network.exchange import Response, Timings

DELIVERY = Delivery(
    id=7,
    fence=3,
    webhook=5,
    watch=1,
    seq=0,
    attempt=4,
    tries=2,
    manual=False,
    message=Message(id=UUID(int=1), body=b"{}"),
)
ANSWER = Response(
    status=503,
    body=b"sorry",
    received_at=datetime(2026, 11, 21, tzinfo=UTC),
    timings=Timings(total=12.0),
)
KEY = "name:studio"


def test_an_accepted_delivery_is_settled_with_its_attempt() -> None:
    settled = outcome.settlement(
        DELIVERY, Delivered(code="accepted", sentence="accepted (204)"), ANSWER, key=KEY
    )
    assert settled.status is Status.DELIVERED
    assert settled.attempt is not None
    assert settled.attempt.number == 4
    assert settled.attempt.code == 503
    assert settled.attempt.answer == b"sorry"


def test_a_throttle_gates_the_webhook_and_uses_no_step() -> None:
    verdict = TryAgain(
        code="throttled",
        sentence="429",
        blame=None,
        wait=timedelta(seconds=9),
        because="gate",
        step=False,
        gate=timedelta(seconds=9),
    )
    settled = outcome.settlement(DELIVERY, verdict, ANSWER, key=KEY)
    assert (settled.status, settled.wait, settled.step) == (
        Status.PENDING,
        timedelta(seconds=9),
        False,
    )
    assert settled.webhook is not None
    assert settled.webhook.gate == timedelta(seconds=9)
    assert settled.webhook.condition is Condition.ACTIVE


def test_a_failure_of_the_receiver_leaves_the_webhook_as_it_is() -> None:
    verdict = TryAgain(
        code="http-500",
        sentence="500",
        blame=Blame.RECEIVER,
        wait=timedelta(seconds=5),
        because="step 3",
    )
    assert outcome.settlement(DELIVERY, verdict, ANSWER, key=KEY).webhook is None


def test_giving_up_fails_the_delivery() -> None:
    verdict = GiveUp(code="exhausted", sentence="given up", blame=Blame.RECEIVER)
    assert outcome.settlement(DELIVERY, verdict, ANSWER, key=KEY).status is Status.FAILED


def test_switching_off_holds_the_delivery_unless_it_arrived() -> None:
    held = outcome.settlement(
        DELIVERY, Disable(code="gone", sentence="410"), ANSWER, key=KEY
    )
    assert held.status is Status.PENDING
    assert held.webhook is not None
    assert held.webhook.condition is Condition.DISABLED
    told = outcome.settlement(
        DELIVERY, Disable(code="disable", sentence="off", delivered=True), ANSWER, key=KEY
    )
    assert told.status is Status.DELIVERED


def test_a_delivery_that_is_given_back_has_no_attempt() -> None:
    assert outcome.returned(DELIVERY).attempt is None
    assert outcome.returned(DELIVERY).status is Status.PENDING
    assert outcome.nothing_to_say(DELIVERY).status is Status.CANCELLED
