"""What somebody learns who sends an example to a webhook, on virtual time."""

from collections.abc import Callable
from datetime import timedelta

import anyio
import pytest

from bridge.core.delivering.delivery import Result
from bridge.core.delivering.trial import Trial
from bridge.core.network.exchange import Phase, Request, Response, Unanswered
from bridge.core.ports import Form
from bridge.core.settings import Webhook
from bridge.engine.courier import Courier
from bridge.engine.trial import Trials
from tests.engine.rig import webhook
from tests.engine.trips import BODY, Fussy, message
from tests.fakes.answers import Chosen
from tests.fakes.clock import EPOCH, VirtualClock
from tests.fakes.receiver import FakeReceiver

pytestmark = pytest.mark.anyio


class Turnstile:
    """Lets an attempt go after a while, if it waits that long."""

    def __init__(self, wait: float = 0.0) -> None:
        self.wait = wait
        self.asked: list[int] = []

    async def turn(self, webhook: int, *, patience: float) -> bool:
        self.asked.append(webhook)
        await anyio.sleep(min(self.wait, patience))
        return self.wait <= patience


async def tried(
    answer: Chosen | Callable[[timedelta, Request], Chosen],
    to: Webhook | None = None,
    *,
    turns: Turnstile | None = None,
    form: Form = Form.FULL,
) -> tuple[Trial, FakeReceiver]:
    clock = VirtualClock()
    rule = answer if callable(answer) else lambda _age, _request: answer
    receiver = FakeReceiver(clock, rule)
    courier = Courier(http=receiver, clock=clock, version="test")
    trials = Trials(courier=courier, turns=turns or Turnstile(), clock=clock)
    trial = await trials.make(5, to or webhook(), message=message(), form=form)
    return trial, receiver


async def test_an_accepted_example_is_shown_with_what_was_sent_and_heard() -> None:
    heard = {"content-type": "text/plain", "set-cookie": "canary"}
    answer = Response(status=200, headers=heard, body=b"thanks", received_at=EPOCH)
    trial, receiver = await tried(answer, webhook(headers=(("X-Team", "canary"),)))
    assert len(receiver.posted) == 1
    assert (trial.result, trial.reason, trial.status) == (Result.DELIVERED, "accepted", 200)
    assert (trial.method, trial.url) == ("POST", "https://studio.example/…")
    assert trial.body == receiver.posted[0].body
    assert BODY[:-2] in trial.body
    assert dict(trial.sent)["X-Team"] == dict(trial.heard)["set-cookie"] == "…"
    assert dict(trial.heard)["content-type"] == "text/plain"
    assert trial.answer == b"thanks"


VERDICTS: list[tuple[Chosen, Result, str]] = [
    (410, Result.DISABLED, "gone"),
    (429, Result.AGAIN, "throttled"),
    (500, Result.AGAIN, "http-500"),
    (Unanswered(phase=Phase.RESOLVE, reason="no such host"), Result.AGAIN, "unresolved"),
    (
        Response(status=200, headers={"webhook-delivery": "disable"}, received_at=EPOCH),
        Result.DELIVERED,
        "disable",
    ),
    (
        Response(
            status=400, headers={"webhook-delivery": "abort-message"}, received_at=EPOCH
        ),
        Result.FAILED,
        "aborted",
    ),
]


@pytest.mark.parametrize(("answer", "result", "reason"), VERDICTS)
async def test_every_answer_gets_the_verdict_that_a_delivery_would_get(
    answer: Chosen, result: Result, reason: str
) -> None:
    trial, _ = await tried(answer)
    assert (trial.result, trial.reason) == (result, reason)
    assert trial.sentence


async def test_without_an_answer_the_phase_is_told() -> None:
    trial, _ = await tried(Unanswered(phase=Phase.TLS, reason="expired"))
    assert (trial.status, trial.phase, trial.sentence) == (None, Phase.TLS, "expired")


async def test_the_body_shown_is_that_of_the_form_that_was_sent_last() -> None:
    def rule(_age: timedelta, request: Request) -> int:
        return 204 if request.body == b"TEXT" else 400

    trial, _ = await tried(rule, webhook(format=Fussy()), form=Form.COMPACT)
    assert (trial.form, trial.body) == ("text", b"TEXT")


class Silent(Fussy):
    def render(self, message: object, form: Form = Form.FULL) -> None:
        return None


class Failing(Fussy):
    def render(self, message: object, form: Form = Form.FULL) -> None:
        raise KeyError("canary")


async def test_what_cannot_be_said_or_need_not_be_said_is_not_sent() -> None:
    trial, receiver = await tried(204, webhook(format=Silent()))
    assert (trial.result, trial.reason) == (Result.SKIPPED, "skipped")
    trial, receiver = await tried(204, webhook(format=Failing()))
    assert (trial.result, trial.reason) == (Result.AGAIN, "unrendered")
    assert "canary" not in trial.sentence
    assert not receiver.posted


async def test_the_rate_of_the_webhook_counts_it() -> None:
    turns = Turnstile(wait=2.0)
    trial, _ = await tried(204, turns=turns)
    assert turns.asked == [5]
    assert trial.timings.queue == pytest.approx(2000.0)


async def test_nobody_waits_for_ever_for_a_turn() -> None:
    trial, receiver = await tried(204, turns=Turnstile(wait=3600.0))
    assert anyio.current_time() == pytest.approx(30.0)
    assert (trial.phase, trial.reason) == (Phase.LOCAL, "local")
    assert not receiver.posted
