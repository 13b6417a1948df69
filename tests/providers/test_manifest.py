"""Every recorded answer and question of the manifest."""

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

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
from bridge.core.text.clocktext import rfc3339
from tests.providers.talking import FIXTURES, answer, provider, talk

MANIFEST = json.loads((FIXTURES / "MANIFEST.json").read_bytes())


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


@pytest.mark.parametrize("case", MANIFEST["answers"], ids=lambda case: case["case"])
def test_a_recorded_answer_is_read_as_the_manifest_says(case: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in case.get("headers", {}).items()}
    body = (FIXTURES / case["file"]).read_bytes()

    reading = talk(
        provider(case["provider"]),
        _look(case, case["asked"]),
        answer(body, case["http_status"], headers),
    ).reading

    expect = case["expect"]
    assert type(reading).__name__.lower() == expect["kind"]
    if isinstance(reading, Seen):
        told = [
            _told(*pair) for pair in zip(reading.observations, expect["seen"], strict=True)
        ]
        assert told == expect["seen"]
        assert list(reading.unseen) == expect.get("unseen", [])
    if isinstance(reading, Busy) and "retry_after" in expect:
        assert reading.after is not None
        assert reading.after.total_seconds() == expect["retry_after"]


@pytest.mark.parametrize("case", MANIFEST["asks"], ids=lambda case: case["case"])
def test_a_question_is_asked_as_the_manifest_says(case: dict[str, Any]) -> None:
    asking = provider(case["provider"], **case["options"])

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
