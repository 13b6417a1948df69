"""Attempts: each as a document, with what was sent, what came back, and why what came of it."""

from base64 import b64encode
from codecs import getincrementaldecoder
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bridge.core.delivering.delivery import Particulars, Result
from bridge.core.delivering.diagnosis import Diagnosis, diagnose, stuck
from bridge.core.delivering.symptoms import Symptom
from bridge.core.delivering.trial import Trial
from bridge.core.listing import ListedAttempt
from bridge.core.network.exchange import Headers, Peer, Timings
from bridge.core.network.veil import Veil
from bridge.core.text.clocktext import rfc3339

_UTF8 = getincrementaldecoder("utf-8")


def shown_attempt(attempt: ListedAttempt, veil: Veil) -> dict[str, Any]:
    """Return an attempt of the log; what the receiver has echoed shows none of the secrets."""
    known = attempt.particulars or Particulars()
    complete = attempt.particulars is not None
    reason, sentence = said(attempt)
    return {
        "number": attempt.number,
        "at": rfc3339(attempt.at),
        "replica": attempt.replica,
        "purpose": known.purpose.value if complete else None,
        "step": known.step if complete else None,
        "form": known.form if complete else None,
        "started_at": rfc3339(known.started),
        "code": attempt.code,
        "timings": shown_timings(attempt.timings),
        **_peer(known.peer),
        "request_headers": _headers(known.sent),
        "answer_headers": _heard(known.heard, veil),
        **_text("answer", attempt.answer, veil, cut=known.cut),
        "answer_cut": known.cut,
        "result": known.result.value if complete else None,
        "reason": reason,
        "sentence": sentence,
        "next_at": rfc3339(_after(attempt.at, known.next)),
        "next_because": known.because,
    }


def shown_trial(trial: Trial, diagnosis: Diagnosis, veil: Veil) -> dict[str, Any]:
    """Return a trial: the request, the answer, and what it means, without the secrets."""
    answer = None if trial.status is None else trial.answer
    return {
        "request": {
            "method": trial.method,
            "url": trial.url,
            "headers": _headers(trial.sent),
            "form": trial.form,
            **_text("body", trial.body, veil, cut=False),
        },
        "code": trial.status,
        "failed_at": None if trial.phase is None else trial.phase.value,
        "timings": shown_timings(trial.timings),
        **_peer(trial.peer),
        "answer_headers": _heard(trial.heard, veil),
        **_text("answer", answer, veil, cut=trial.cut),
        "answer_cut": trial.cut,
        "result": trial.result.value,
        "reason": trial.reason,
        "sentence": trial.sentence,
        "diagnosis": shown_diagnosis(diagnosis),
    }


def shown_diagnosis(diagnosis: Diagnosis) -> dict[str, str]:
    """Return what something means, and what to do next."""
    return {"means": diagnosis.means, "advice": diagnosis.advice}


def said(attempt: ListedAttempt) -> tuple[str, str]:
    """Return the reason code of the verdict on an attempt, and its sentence."""
    known = attempt.particulars
    if known is not None and known.reason:
        return known.reason, known.sentence
    reason, colon, sentence = (attempt.why or "").partition(": ")
    return (reason, sentence) if colon else ("", reason)


def diagnosed(
    attempts: Sequence[ListedAttempt], *, format_name: str, url: str
) -> Diagnosis | None:
    """Return what the last of a delivery's attempts means; None: there was none."""
    if not attempts:
        return None
    last = attempts[-1]
    reason, sentence = said(last)
    found = diagnose(
        Symptom(
            format=format_name,
            url=url,
            status=last.code,
            reason=reason,
            sentence=sentence,
            form="full" if last.particulars is None else last.particulars.form,
            answer=last.answer or b"",
        )
    )
    worse = _stuck(attempts)
    if worse is None:
        return found
    return Diagnosis(means=f"{found.means}; {worse.means}", advice=found.advice)


def _stuck(attempts: Sequence[ListedAttempt]) -> Diagnosis | None:
    """Return whether attempts ended alike from the first to the last."""
    results = [
        (Result.AGAIN if one.particulars is None else one.particulars.result, said(one)[0])
        for one in attempts
    ]
    return stuck(results) if len(set(results)) == 1 and attempts[0].number == 1 else None


def shown_timings(timings: Timings) -> dict[str, Any]:
    """Return how many milliseconds each phase took."""
    return {
        "queue": timings.queue,
        "dns": timings.dns,
        "connect": timings.connect,
        "tls": timings.tls,
        "send": timings.send,
        "wait": timings.wait,
        "body": timings.body,
        "total": timings.total,
        "reused": timings.reused,
    }


def _text(name: str, body: bytes | None, veil: Veil, *, cut: bool) -> dict[str, str | None]:
    """Return a body as text, else as base64; both null: there is none."""
    as_base64 = f"{name}_base64"
    if body is None:
        return {name: None, as_base64: None}
    body = veil.text(body)
    try:
        # Where a body was cut, half a character may stand at its end.
        return {name: _UTF8().decode(body, final=not cut), as_base64: None}
    except UnicodeDecodeError:
        return {name: None, as_base64: b64encode(body).decode("ascii")}


def _peer(peer: Peer | None) -> dict[str, str | None]:
    if peer is None:
        return {"address": None, "tls": None}
    return {"address": peer.address, "tls": peer.tls}


def _heard(headers: Headers, veil: Veil) -> list[list[str]]:
    """Return the headers of an answer without the secrets, which older rows hold."""
    return [
        [name, veil.text(value.encode(errors="surrogateescape")).decode(errors="replace")]
        for name, value in headers
    ]


def _headers(headers: Headers) -> list[list[str]]:
    return [[name, value] for name, value in headers]


def _after(moment: datetime, wait: timedelta | None) -> datetime | None:
    return None if wait is None else moment + wait
