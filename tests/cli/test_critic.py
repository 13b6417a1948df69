from dataclasses import replace

import pytest

from bridge.cli.stage.callback import Callback
from bridge.cli.stage.critic import Critic
from bridge.cli.stage.play import ROLES, SEATS

FIRST = Callback(
    webhook="studio",
    format="standard",
    id="event-0",
    attempt="1",
    type="generation.completed",
    state="completed",
    subject="luma 0",
    sequence=2,
    verified=True,
    status=503,
)


def good() -> list[Callback]:
    ends = [
        replace(FIRST, webhook=seat.name, id=f"event-{n}", subject=f"luma {n}", status=200)
        for seat in SEATS
        for n in range(len(ROLES))
    ]
    return [FIRST, replace(FIRST, status=429), *ends]


def judged(callbacks: list[Callback]) -> Critic:
    critic = Critic()
    for callback in callbacks:
        critic.see(callback)
    return critic


def test_a_good_run_is_complete_and_faultless() -> None:
    critic = judged(good())
    assert critic.complete
    assert critic.faults() == []
    assert critic.verdict(4.21) == (
        "5 generations, 15 callbacks, all signatures verified, a 503 and a 429 overcome, in 4.2 s"
    )


@pytest.mark.parametrize("number", range(2, 17))
def test_it_is_not_complete_without_every_end(number: int) -> None:
    callbacks = good()
    lost = callbacks.pop(number)
    critic = judged(callbacks)
    assert not critic.complete
    assert critic.missing() == [
        f"the webhook {lost.webhook} was told the end of 4 of 5 generations"
    ]


def test_an_end_that_was_refused_does_not_count() -> None:
    callbacks = good()
    callbacks[-1] = replace(callbacks[-1], status=500)
    assert not judged(callbacks).complete


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (replace(FIRST, verified=False, status=401), "no good signature"),
        (replace(FIRST, status=200), "studio was told twice of event-0"),
        (replace(FIRST, status=200, id="x", sequence=1), "out of order: [2, 1]"),
        (replace(FIRST, status=503, id="x"), "x was answered 503 and never delivered"),
    ],
)
def test_what_must_not_be_is_a_fault(wrong: Callback, fault: str) -> None:
    faults = judged([*good(), wrong]).faults()
    assert any(fault in text for text in faults), faults


def test_a_demo_without_anything_to_overcome_has_shown_too_little() -> None:
    faults = judged(good()[2:]).faults()
    assert faults == [
        "no callback was answered 429, so nothing had to be overcome",
        "no callback was answered 503, so nothing had to be overcome",
    ]
