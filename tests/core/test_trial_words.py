"""What is said of a trial is true of a trial: nothing follows it, and nothing is kept of it."""

from datetime import UTC, datetime

import pytest

from bridge.core.delivering.acknowledgement import Acknowledgement, Declined, Gone, Unclear
from bridge.core.delivering.diagnosis import diagnose
from bridge.core.delivering.retry import DEFAULT_RETRY
from bridge.core.delivering.symptoms import KNOWN, Symptom
from bridge.core.delivering.trial import of_a_trial
from bridge.core.delivering.verdict import judge
from bridge.core.network.exchange import Response

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
PROMISES = (
    "it is kept",
    "genbridge replay",
    "genbridge waits",
    "tried again by itself",
    "count against",
    "webhook pauses",
)
"""What is promised of deliveries alone."""


def promised(text: str) -> list[str]:
    return [promise for promise in PROMISES if promise in text]


@pytest.mark.parametrize("number", range(len(KNOWN)))
def test_no_known_answer_promises_a_trial_what_only_a_delivery_gets(number: int) -> None:
    row = KNOWN[number]
    told = of_a_trial(row.means), of_a_trial(row.advice)
    assert not [promised(text) for text in told if promised(text)]
    assert bool(told[1]) == bool(row.advice)
    assert not told[1].startswith((";", ",", " "))


def test_the_promises_looked_for_are_those_that_are_made() -> None:
    made = "\n".join(f"{row.means}\n{row.advice}" for row in KNOWN)
    patient = diagnose(
        Symptom(format="standard", url="", status=None, reason="tls", sentence="expired")
    )
    everything = f"{made}\n{patient.advice}\n{sentence(429)}"
    assert sorted(promised(everything)) == sorted(PROMISES)


def sentence(status: int, read: Acknowledgement | None = None) -> str:
    verdict = judge(
        Response(status=status, received_at=NOW),
        read or Unclear(),
        tries=0,
        throttles=0,
        policy=DEFAULT_RETRY,
        spread=0.0,
    )
    return verdict.sentence


@pytest.mark.parametrize("status", range(100, 600))
@pytest.mark.parametrize("read", [Unclear(), Declined(why="no"), Gone(why="gone")])
def test_no_verdict_promises_a_trial_anything(status: int, read: Acknowledgement) -> None:
    assert not promised(of_a_trial(sentence(status, read)))


def test_patience_is_asked_of_people_for_a_trial_is_not_tried_again() -> None:
    found = of_a_trial("it is tried again by itself")
    assert found == "try again later; deliveries are tried again by themselves"
