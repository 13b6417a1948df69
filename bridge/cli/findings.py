"""What a trial has found, as JSON and as people read it."""

import json
from collections.abc import Iterator
from typing import Any

from bridge.cli.columns import clear, counted
from bridge.cli.mask import Mask, shortened
from bridge.cli.trial import Trial
from bridge.core.looking import (
    Busy,
    Missing,
    Observation,
    Reading,
    Refused,
    Rejected,
    Seen,
    Trouble,
)
from bridge.core.network.exchange import Answer, Request, Response
from bridge.core.reading.declared.tracing import Traceable
from bridge.core.reading.document import Document, document
from bridge.core.settings import Source
from bridge.core.text.clocktext import rfc3339
from bridge.core.text.jsontext import tidy

Report = dict[str, Any]
"""A JSON document."""

MOST_LINES = 60
"""Lines of a document that are shown; `--json` has it whole."""

_BOM = b"\xef\xbb\xbf"

_KEY, _TEXT = 22, 40
"""Widths of the table of expressions, while they fit."""


def findings(source: Source, generation: str, trial: Trial) -> Report:
    """Return what was asked, answered and read; secrets are masked."""
    mask = Mask.of(source.provider, [request for request, _ in trial.calls])
    observation = _seen(trial.reading)
    return {
        "source": source.name,
        "provider": source.provider_name,
        "id": generation,
        "calls": [_call(request, answer, mask) for request, answer in trial.calls],
        "found": _found(source, trial, mask),
        "read": observation is not None and observation.state is not None,
        "kind": type(trial.reading).__name__.lower(),
        "why": mask.text(getattr(trial.reading, "why", "")) or None,
        "generation": None if observation is None else _told(observation, mask),
        "advice": _advice(source, trial, observation),
    }


def _seen(reading: Reading) -> Observation | None:
    if isinstance(reading, Seen) and reading.observations:
        return reading.observations[0]
    return reading.seen if isinstance(reading, Trouble) else None


def _call(request: Request, answer: Answer, mask: Mask) -> Report:
    asked: Report = {
        "method": request.method,
        "url": mask.url(request.url),
        "headers": mask.headers(request.headers),
        "body": mask.text(request.body.decode("utf-8", "replace")) or None,
    }
    if not isinstance(answer, Response):
        return asked | {"status": None, "why": answer.reason, "document": None}
    found = document(answer.body)
    return asked | {
        "status": answer.status,
        "milliseconds": round(answer.timings.total, 1),
        "bytes": len(answer.body),
        "why": _unread(answer, found),
        "document": tidy(mask.value(found.value)) if isinstance(found, Document) else None,
    }


def _unread(answer: Response, found: object) -> str | None:
    if answer.cut:
        return "the answer is too large, or broke off"
    if _is_page(answer):
        return "it is HTML, a page for people, instead of JSON"
    return None if isinstance(found, Document) else getattr(found, "why", "")


def _is_page(answer: Answer) -> bool:
    if not isinstance(answer, Response):
        return False
    start = answer.body[:200].removeprefix(_BOM).lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _found(source: Source, trial: Trial, mask: Mask) -> list[Report]:
    """Return what each expression found, where the provider is made of expressions."""
    if not isinstance(source.provider, Traceable):
        return []
    answers = (answer for _, answer in trial.calls if isinstance(answer, Response))
    read = (document(answer.body) for answer in answers)
    documents = [found.value for found in read if isinstance(found, Document)]
    if not documents:
        return []
    return [
        {
            "key": found.key,
            "expression": found.text,
            "value": tidy(mask.value(found.value)),
        }
        for found in source.provider.trace(documents)
    ]


def _told(seen: Observation, mask: Mask) -> Report:
    failure = seen.failure
    return {
        "native_state": mask.text(seen.native_state or ""),
        "state": None if seen.state is None else seen.state.word,
        "outputs": [
            {
                "type": output.type,
                "url": mask.text(output.url),
                "needs_key": output.needs_key,
                "expires_at": rfc3339(output.expires_at),
            }
            for output in seen.outputs
        ],
        "failure": failure
        and {"code": failure.code, "reason": mask.text(failure.reason or "") or None},
        "progress": seen.progress,
        "created_at": rfc3339(seen.created_at),
        "model": seen.model or None,
    }


def _advice(source: Source, trial: Trial, seen: Observation | None) -> str | None:
    """Return what to do next; None: all is well."""
    http = source.provider_name == "http"
    if seen is not None and seen.state is None:
        return (
            "list the word under read.states, at the rung that it means"
            if http
            else "nobody knows this word yet: tell us, with the document above"
        )
    page = seen is None and bool(trial.calls) and _is_page(trial.calls[-1][1])
    if page and isinstance(trial.reading, Trouble | Missing | Rejected):
        return _about_a_page(
            trial.calls[-1][1], "base_url and get.url" if http else "base_url"
        )
    if isinstance(trial.reading, Trouble):
        lost = http and bool(trial.calls) and seen is None
        return (
            "check base_url, get.url and read.state: no state word was found"
            if lost
            else None
        )
    return _remedy(trial)


def _about_a_page(answer: Answer, options: str) -> str:
    if isinstance(answer, Response) and answer.status >= 500:
        return "try again later: the API, or a proxy before it, shows a page for people"
    return (
        f"check {options}: a page for people lies there, not the API; "
        "or a login or a proxy stands before it"
    )


def _remedy(trial: Trial) -> str | None:
    match trial.reading:
        case Refused():
            return "check api_key and headers: the API does not let this key in"
        case Rejected() if not trial.calls:
            return "give the id as the API writes it: this one cannot be asked about"
        case Rejected():
            return "check the URL, its parameters and the id: the API does not like the question"
        case Missing():
            return "check the id, and whether it was begun with this key; some APIs need a moment"
        case Busy():
            return "try again later: the API is asked too often"
        case _:
            return None


# As people read it


def lines(report: Report) -> Iterator[str]:
    """Yield the calls, what the expressions found, and what was read."""
    for call in report["calls"]:
        yield from _shown(call)
        yield ""
    if report["found"]:
        yield from _table(report["found"])
        yield ""
    yield from _verdict(report)
    if report["advice"]:
        yield f"What to do: {report['advice']}."


def _shown(call: Report) -> Iterator[str]:
    yield f"{call['method']} {clear(call['url'])}"
    for name, value in call["headers"]:
        yield f"  {clear(name)}: {clear(value)}"
    if call["body"]:
        yield f"  {clear(call['body'])[:400]}"
    if call["status"] is None:
        yield f"no answer: {clear(call['why'])}"
        return
    size = counted(call["bytes"], "byte")
    yield f"{call['status']} after {call['milliseconds']:.0f} ms, {size}"
    if call["why"]:
        yield f"  {clear(call['why'])}"
    if call["document"] is not None:
        yield from _document(call["document"])


def _document(value: object) -> Iterator[str]:
    text = json.dumps(shortened(value), indent=2, ensure_ascii=False)
    shown = text.splitlines()
    for line in shown[:MOST_LINES]:
        yield f"  {line[: len(line) - len(line.lstrip())]}{clear(line)}"
    if len(shown) > MOST_LINES:
        yield f"  … +{len(shown) - MOST_LINES} lines, which --json shows"


def _table(found: list[Report]) -> Iterator[str]:
    yield "what the expressions found"
    for one in found:
        text = json.dumps(shortened(one["value"]), ensure_ascii=False)
        value = "nothing" if one["value"] is None else clear(text)[:200]
        yield f"  {one['key']:{_KEY}} {clear(one['expression']):{_TEXT}} {value}"


def _verdict(report: Report) -> Iterator[str]:
    seen = report["generation"]
    if report["why"]:
        yield f"{report['kind']}: {clear(report['why'])}"
    if seen is None:
        yield "no state was read"
        return
    word = clear(seen["native_state"]) or "(empty)"
    rung = seen["state"] or "a word that means nothing yet"
    yield f"state: {word} → {rung}"
    yield from _details(seen)


def _details(seen: Report) -> Iterator[str]:
    for output in seen["outputs"]:
        key = ", needs the key" if output["needs_key"] else ""
        end = f", until {output['expires_at']}" if output["expires_at"] else ""
        yield f"  output: {clear(output['type'])} {clear(shortened(output['url']))}{key}{end}"
    if seen["state"] == "completed" and not seen["outputs"]:
        yield "  no output"
    if seen["failure"]:
        reason = seen["failure"]["reason"]
        yield f"  failure: {clear(seen['failure']['code'])}{f': {clear(reason)}' if reason else ''}"
    for name in ("progress", "created_at", "model"):
        if seen[name] is not None:
            yield f"  {name}: {clear(str(seen[name]))}"
