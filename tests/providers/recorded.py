"""The manifest: what was answered, and how each answer is to be read."""

import json
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bridge.core.ladder import State
from bridge.core.looking import (
    Batch,
    Busy,
    Get,
    Hold,
    Listing,
    Look,
    Observation,
    Rejected,
    Seen,
)
from bridge.core.network.exchange import Response
from bridge.core.ports import Provider
from bridge.core.text.clocktext import rfc3339
from tests.providers.talking import FIXTURES, answer, talk

MANIFEST = json.loads((FIXTURES / "MANIFEST.json").read_bytes())
ANSWERS, ASKS = MANIFEST["answers"], MANIFEST["asks"]


def _look(case: dict[str, Any], ids: list[str]) -> Look:
    match case["look"]:
        case "get":
            return Get(id=ids[0])
        case "hold":
            return Hold(id=ids[0], until=State.of(case["until"]))
        case "batch":
            return Batch(ids=tuple(ids))
        case _:
            return Listing()


def _told(seen: Observation, wanted: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": seen.id,
        "native_state": seen.native_state,
        "state": None if seen.state is None else seen.state.word,
        "rank": None if seen.state is None else int(seen.state),
        "failure": seen.failure and asdict(seen.failure),
        "progress": seen.progress,
        "created_at": rfc3339(seen.created_at),
        "outputs": [
            {**asdict(output), "expires_at": rfc3339(output.expires_at)}
            for output in seen.outputs
        ],
    }
    for output, only in zip(told["outputs"], wanted.get("outputs", []), strict=False):
        for key in set(output) - set(only):
            del output[key]
    return {key: told[key] for key in wanted}


def _recorded(one: dict[str, Any]) -> Response:
    headers = {name.lower(): value for name, value in one.get("headers", {}).items()}
    return answer((FIXTURES / one["file"]).read_bytes(), one["http_status"], headers)


def _recorded_as(seen: Observation, case: dict[str, Any]) -> Observation:
    # Kling's list gives bare tasks, and so does the manifest; the provider puts the family
    # to them, without which nobody could ask about them.
    if (case["provider"], case["look"]) != ("kling", "list"):
        return seen
    return replace(seen, id=seen.id.removeprefix("text2video/"))


def check_answer(asking: Provider, case: dict[str, Any]) -> None:
    """A recorded answer is read as the manifest says."""
    reading = talk(
        asking,
        _look(case, case["asked"]),
        *map(_recorded, (case, *case.get("then", []))),
    ).reading

    expect = case["expect"]
    assert type(reading).__name__.lower() == expect["kind"]
    if isinstance(reading, Seen):
        seen = [_recorded_as(one, case) for one in reading.observations]
        told = [_told(*pair) for pair in zip(seen, expect["seen"], strict=True)]
        assert told == expect["seen"]
        assert list(reading.unseen) == expect.get("unseen", [])
    if isinstance(reading, Busy) and "retry_after" in expect:
        assert reading.after is not None
        assert reading.after.total_seconds() == expect["retry_after"]


def check_question(asking: Provider, case: dict[str, Any]) -> None:
    """A question is asked as the manifest says."""
    asked = talk(asking, _look(case, case["ids"]), answer({}))

    expect = case["expect"]
    if expect.get("refused"):
        assert not asked.requests
        assert isinstance(asked.reading, Rejected)
        return
    url = urlsplit(asked.request.url)
    assert asked.request.method == expect["method"]
    assert (url.scheme, url.hostname) == ("https", expect["host"])
    assert [unquote(part) for part in url.path.split("/")[1:]] == expect["segments"]
    assert [list(pair) for pair in parse_qsl(url.query)] == expect["query"]
    assert expect["headers"].items() <= dict(asked.request.headers).items()
    if "json" in expect:
        assert json.loads(asked.request.body) == expect["json"]
