"""The descriptions on the page of `http` work: each is held against a small API of its kind."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.core.ladder import State
from bridge.core.looking import (
    Batch,
    Busy,
    Get,
    Hold,
    Listing,
    Look,
    Missing,
    Observation,
    Reading,
    Refused,
    Seen,
)
from bridge.core.network.exchange import Request, Response
from bridge.core.ports import Provider
from tests.docs.pages import DOCS, block
from tests.providers.describing import source
from tests.providers.talking import NOW

PAGE = DOCS / "providers/http.md"
KEY = "key-of-the-page"

Api = Callable[[Request], tuple[int, Any, dict[str, str]]]


def shown(holding: str, name: str) -> Provider:
    """The source that the page shows, as the configuration makes it."""
    text = block(PAGE, "yaml", holding)
    for variable in ("ACME_KEY", "MILL_KEY", "LAB_KEY"):
        text = text.replace(f"${{{variable}}}", KEY)
    return source(text, name).provider


def look(provider: Provider, at: Look, api: Api) -> Reading:
    """One conversation with an API."""
    asking = provider.ask(at)
    try:
        request = next(asking)
        while True:
            status, document, headers = api(request)
            body = json.dumps(document).encode()
            request = asking.send(
                Response(status=status, headers=headers, body=body, received_at=NOW)
            )
    except StopIteration as done:
        reading: Reading = done.value
        return reading


def one(reading: Reading) -> Observation:
    assert isinstance(reading, Seen), reading
    (seen,) = reading.observations
    return seen


# A job API

JOBS: dict[str, dict[str, Any]] = {
    "q": {"status": "Scheduled", "percent": 0},
    "r": {"status": "running", "percent": 46, "files": [{"kind": "video", "href": "x"}]},
    "c": {
        "status": "done",
        "percent": 100,
        "created": "2026-03-02T10:00:00Z",
        "engine": "e-2",
        "files": [
            {"kind": "log", "href": "https://cdn.acme.example/7.txt"},
            {"kind": "video", "href": "https://cdn.acme.example/7"},
        ],
    },
    "f": {"status": "error", "error": {"code": "nsfw", "message": "not made"}},
}


def acme(request: Request) -> tuple[int, Any, dict[str, str]]:
    url = urlsplit(request.url)
    assert (request.method, url.netloc) == ("GET", "api.acme.example")
    assert dict(request.headers)["authorization"] == f"Bearer {KEY}"
    job = JOBS.get(url.path.removeprefix("/v1/jobs/"))
    return (404, {"error": "no such job"}, {}) if job is None else (200, job, {})


@pytest.fixture
def job_api() -> Provider:
    return shown("# a job API", "acme")


@pytest.mark.parametrize(
    ("job", "state"),
    [
        ("q", State.QUEUED),
        ("r", State.DREAMING),
        ("c", State.COMPLETED),
        ("f", State.FAILED),
    ],
)
def test_the_job_api_is_read_in_every_state(
    job_api: Provider, job: str, state: State
) -> None:
    assert one(look(job_api, Get(id=job), acme)).state is state


def test_the_job_api_is_read_to_the_last_detail(job_api: Provider) -> None:
    running, made = (one(look(job_api, Get(id=i), acme)) for i in "rc")

    assert (running.progress, running.outputs) == (0.46, ())
    assert [(o.type, o.url) for o in made.outputs] == [
        ("video", "https://cdn.acme.example/7")
    ]
    assert made.outputs[0].expires_at is not None
    assert (made.model, made.created_at is not None) == ("e-2", True)
    failed = one(look(job_api, Get(id="f"), acme))
    assert failed.failure is not None
    assert (failed.failure.code, failed.failure.reason) == ("nsfw", "not made")
    assert isinstance(look(job_api, Get(id="nope"), acme), Missing)


def test_the_first_steps_read_the_first_word() -> None:
    provider = shown("# the beginning", "acme")

    assert one(look(provider, Get(id="q"), acme)).state is None
    assert one(look(provider, Get(id="c"), acme)).state is State.COMPLETED


# Batch, list and second call

TASKS: dict[str, dict[str, Any]] = {
    "q": {"phase": "PENDING", "progress": "0%"},
    "r": {"phase": "post-processing", "progress": "46%"},
    "c": {"phase": "SUCCESS", "file_id": 77},
    "f": {"phase": "FAILURE", "err": "E7", "err_text": "no paper left"},
}


def mill(request: Request) -> tuple[int, Any, dict[str, str]]:
    url = urlsplit(request.url)
    query = parse_qs(url.query)
    listed = [{"task_id": name, **task} for name, task in TASKS.items()]
    match request.method, url.path:
        case "POST", "/tasks/query":
            body = json.loads(request.body)
            assert body["brief"] is True
            found = [task for task in listed if task["task_id"] in body["task_ids"]]
            return 200, {"code": 0, "data": {"tasks": found}}, {}
        case "GET", "/tasks":
            assert query["size"] == ["100"]
            begin = int(query["offset"][0])
            page = {"tasks": listed[begin : begin + 2], "more": begin + 2 < len(listed)}
            return 200, {"code": 0, "data": page}, {}
        case "GET", "/files/77/links":
            links = {"hd": {"url": "https://cdn.mill.example/7.mp4"}, "size": 9}
            return 200, {"code": 0, "data": links}, {}
        case _:
            return _task(url.path.removeprefix("/task/"))


def _task(name: str) -> tuple[int, Any, dict[str, str]]:
    told = {"busy": 1302, "poor": "no-credit"}.get(name, 1203)
    document = {"code": 0, "data": TASKS[name]} if name in TASKS else {"code": told}
    return 200, document | ({"data": {"wait": 7}} if name == "busy" else {}), {}


@pytest.fixture
def mill_api() -> Provider:
    return shown("# batch", "mill")


def test_the_mill_is_asked_one_by_one(mill_api: Provider) -> None:
    seen = {name: one(look(mill_api, Get(id=name), mill)) for name in TASKS}

    assert [seen[name].state for name in "qrcf"] == list(State)
    assert seen["r"].progress == 0.46
    assert [o.url for o in seen["c"].outputs] == ["https://cdn.mill.example/7.mp4"]
    assert seen["f"].failure is not None
    assert seen["f"].failure.reason == "no paper left"


def test_the_mill_is_asked_for_many_and_for_what_needs_a_second_call_alone(
    mill_api: Provider,
) -> None:
    reading = look(mill_api, Batch(ids=("q", "c", "f", "nope")), mill)

    assert isinstance(reading, Seen)
    assert {seen.id: seen.state for seen in reading.observations} == {
        "q": State.QUEUED,
        "f": State.FAILED,
    }
    assert set(reading.unseen) == {"c", "nope"}


def test_the_mill_lists_all_of_them_page_by_page(mill_api: Provider) -> None:
    ids, cursor = [], None
    for _ in range(2):
        reading = look(mill_api, Listing(cursor=cursor), mill)
        assert isinstance(reading, Seen)
        ids += [seen.id for seen in reading.observations]
        cursor = reading.next
    assert (ids, cursor) == (list(TASKS), None)


def test_the_mill_tells_its_troubles_in_a_200(mill_api: Provider) -> None:
    busy = look(mill_api, Get(id="busy"), mill)

    assert isinstance(busy, Busy)
    assert busy.after is not None
    assert busy.after.total_seconds() == 7
    assert isinstance(look(mill_api, Get(id="poor"), mill), Refused)
    assert isinstance(look(mill_api, Get(id="nope"), mill), Missing)


# A long poll with a key of its own kind

RENDERS: dict[str, tuple[int, dict[str, Any]]] = {
    "q": (200, {"phase": "in line"}),
    "r": (202, {"done_frames": 5, "all_frames": 20}),
    "c": (200, {"phase": "ready", "file_name": "a b.mp4"}),
    "f": (410, {"cause": "power"}),
}


def lab(request: Request) -> tuple[int, Any, dict[str, str]]:
    url, headers = urlsplit(request.url), dict(request.headers)
    query = parse_qs(url.query)
    assert url.path == "/api/render"
    assert headers["x-lab-auth"] == f"Token token={KEY}"
    assert "authorization" not in headers
    assert ("wait" in query) == ("x-wait-for" in headers)
    assert headers.get("x-wait-for") in {None, "rendering", "ready"}
    status, document = RENDERS[query["render_id"][0]]
    return status, document, {"x-next-look-ms": "1500"}


@pytest.fixture
def lab_api() -> Provider:
    return shown("# a long poll", "lab")


@pytest.mark.parametrize("until", [None, State.DREAMING, State.COMPLETED])
def test_the_lab_is_asked_plainly_or_held(lab_api: Provider, until: State | None) -> None:
    seen = {
        name: one(look(lab_api, Hold(id=name, until=until) if until else Get(id=name), lab))
        for name in RENDERS
    }

    assert [seen[name].state for name in "qrcf"] == list(State)
    assert seen["r"].progress == 0.25
    (output,) = seen["c"].outputs
    assert (output.url, output.type) == (
        "https://lab.example/api/render/a%20b.mp4",
        "video",
    )
    assert output.needs_key
    assert seen["f"].failure is not None
    assert seen["f"].failure.code == "power"


def test_the_lab_says_when_to_look_again(lab_api: Provider) -> None:
    reading = look(lab_api, Get(id="q"), lab)

    assert isinstance(reading, Seen)
    assert reading.again is not None
    assert reading.again.total_seconds() == 1.5
    assert lab_api.abilities.hold == timedelta(seconds=25)
    assert lab_api.abilities.gone_is_final
