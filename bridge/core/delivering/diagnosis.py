"""Diagnosis: what a receiver's answer means in plain words, and what to do next.

Whatever is not among the known symptoms is told in the verdict's own sentence, whose end is its
advice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.core.delivering.delivery import Result
from bridge.core.delivering.symptoms import KNOWN, Symptom

SEEN = 4096
"""Bytes of an answer in which words are looked for."""

ALIKE = 3
"""First attempts that end alike before that is worth a word (RECEIVERS, section 1.4)."""

_PASSING = frozenset({"throttled", "local", "timeout", "http-502", "http-503", "http-504"})
_PATIENCE = "it is tried again by itself"
_ADVICE_BEGINS = "; "


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What it means, and the next step; `advice` is empty where nothing needs to be done."""

    means: str
    advice: str = ""


def diagnose(symptom: Symptom) -> Diagnosis:
    """Return what an attempt means, and what to do next."""
    text = symptom.answer[:SEEN].lower()
    for row in KNOWN:
        if row.fits(symptom, text):
            return Diagnosis(means=row.means + _degraded(symptom), advice=row.advice)
    return _spoken(symptom.sentence)


def _degraded(symptom: Symptom) -> str:
    if symptom.reason != "accepted" or symptom.form == "full":
        return ""
    return f"; it refused the full form, so it got the poorer one ({symptom.form})"


def _spoken(sentence: str) -> Diagnosis:
    """Return the verdict's own sentence, divided where its advice begins."""
    last = sentence.rpartition("the last: ")[2]
    means, _, advice = last.partition(_ADVICE_BEGINS)
    return Diagnosis(means=means, advice=advice or _PATIENCE)


def stuck(attempts: Sequence[tuple[Result, str]]) -> Diagnosis | None:
    """Return what it means that the first attempts all ended alike; None: they did not.

    `attempts` are results and reason codes from the first on. What passes by itself, such as
    a throttle, does not count.
    """
    first = set(attempts[:ALIKE])
    if len(attempts) < ALIKE or len(first) > 1:
        return None
    ((result, reason),) = first
    if result is Result.DELIVERED or reason in _PASSING:
        return None
    return Diagnosis(
        means=f"the first {ALIKE} attempts ended alike ({reason}), so waiting alone will "
        "hardly mend it",
        advice="mend the cause, then see with `genbridge send-test` whether it is mended",
    )
