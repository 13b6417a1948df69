"""From a verdict to what is stored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bridge.core.delivering import outcome
from bridge.core.delivering.delivery import (
    Alert,
    Delivery,
    Purpose,
    Result,
    Status,
    WebhookState,
)
from bridge.core.delivering.outcome import Circumstances
from bridge.core.delivering.verdict import Blame, Delivered, Disable, GiveUp, TryAgain
from bridge.core.message import Message
from bridge.core.network.exchange import Peer, Response, Timings

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
    headers={"retry-after": "9", "set-cookie": "session=secret"},
    body=b"sorry",
    peer=Peer(address="192.0.2.7:443", tls="TLSv1.3"),
    received_at=datetime(2026, 11, 21, tzinfo=UTC),
    timings=Timings(total=12.0),
)


def test_an_accepted_delivery_is_settled_with_its_attempt() -> None:
    settled = outcome.settlement(
        DELIVERY, Delivered(code="accepted", sentence="accepted (204)"), ANSWER
    )
    assert settled.status is Status.DELIVERED
    assert settled.webhook is None
    assert settled.attempt is not None
    assert (settled.attempt.number, settled.attempt.code) == (4, 503)
    assert settled.attempt.answer == b"sorry"
    assert settled.attempt.particulars.next is None


AGAIN = TryAgain(
    code="http-503",
    sentence="503: later",
    blame=Blame.RECEIVER,
    wait=timedelta(seconds=9),
    because="step 3 x 1.13",
)


def test_a_failed_attempt_tells_when_the_next_one_is_and_why() -> None:
    settled = outcome.settlement(DELIVERY, AGAIN, ANSWER)
    assert (settled.status, settled.wait, settled.step) == (
        Status.PENDING,
        timedelta(seconds=9),
        True,
    )
    assert settled.attempt is not None
    told = settled.attempt.particulars
    assert (told.result, told.reason, told.sentence) == (
        Result.AGAIN,
        "http-503",
        "503: later",
    )
    assert (told.next, told.because, told.step) == (
        timedelta(seconds=9),
        "step 3 x 1.13",
        2,
    )


def test_the_log_of_attempts_holds_all_circumstances() -> None:
    settled = outcome.settlement(
        DELIVERY,
        AGAIN,
        ANSWER,
        circumstances=Circumstances(
            purpose=Purpose.PROBE,
            started=ANSWER.received_at,
            form="text",
            sent=(("webhook-id", "1"),),
            queue=3.5,
        ),
    )
    assert settled.attempt is not None
    told = settled.attempt.particulars
    assert (told.purpose, told.started, told.form) == (
        Purpose.PROBE,
        ANSWER.received_at,
        "text",
    )
    assert told.sent == (("webhook-id", "1"),)
    assert told.heard == (("retry-after", "9"), ("set-cookie", "…"))
    assert told.peer == Peer(address="192.0.2.7:443", tls="TLSv1.3")
    assert settled.attempt.timings == replace(ANSWER.timings, queue=3.5)


def test_headers_that_were_heard_take_no_more_room_than_8_kib() -> None:
    many = {f"x-{number}": "v" * 100 for number in range(1000)}
    settled = outcome.settlement(DELIVERY, AGAIN, replace(ANSWER, headers=many))
    assert settled.attempt is not None
    heard = settled.attempt.particulars.heard
    assert 8000 < sum(len(name) + len(value) for name, value in heard) <= 8192


def test_what_a_newer_state_has_made_useless_is_not_tried_again() -> None:
    settled = outcome.settlement(DELIVERY, AGAIN, ANSWER, overtaken=True)
    assert (settled.status, settled.wait) == (Status.SUPERSEDED, timedelta())
    assert settled.attempt is not None
    assert settled.attempt.particulars.next is None
    arrived = Delivered(code="accepted", sentence="accepted (204)")
    settled = outcome.settlement(DELIVERY, arrived, ANSWER, overtaken=True)
    assert settled.status is Status.DELIVERED


def test_the_state_of_the_webhook_and_the_alerts_are_committed_with_it() -> None:
    state = WebhookState(id=5, key="name:studio", gate=timedelta(seconds=9))
    told = Alert(webhook=6, tag="failing:50", message=DELIVERY.message)
    settled = outcome.settlement(DELIVERY, AGAIN, ANSWER, webhook=state, alerts=(told,))
    assert (settled.webhook, settled.alerts) == (state, (told,))


def test_giving_up_fails_the_delivery() -> None:
    verdict = GiveUp(code="exhausted", sentence="given up", blame=Blame.RECEIVER)
    assert outcome.settlement(DELIVERY, verdict, ANSWER).status is Status.FAILED


def test_switching_off_holds_the_delivery_unless_it_arrived() -> None:
    held = outcome.settlement(DELIVERY, Disable(code="gone", sentence="410"), ANSWER)
    assert (held.status, held.step) == (Status.PENDING, False)
    assert held.attempt is not None
    assert held.attempt.particulars.result is Result.DISABLED
    told = outcome.settlement(
        DELIVERY, Disable(code="disable", sentence="off", delivered=True), ANSWER
    )
    assert told.status is Status.DELIVERED


def test_a_delivery_that_is_given_back_has_no_attempt() -> None:
    assert outcome.returned(DELIVERY).attempt is None
    assert outcome.returned(DELIVERY).status is Status.PENDING
    assert outcome.nothing_to_say(DELIVERY).status is Status.CANCELLED
    assert outcome.superseded(DELIVERY).status is Status.SUPERSEDED
