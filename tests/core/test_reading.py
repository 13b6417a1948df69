"""What the APIs to come will lean on: words of every kind, business codes, ids that are paths."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.core.ladder import State
from bridge.core.looking import Busy, Failure, Missing, Refused, Rejected, Seen, Trouble
from bridge.core.network.exchange import Response
from bridge.core.reading.dialect import Complaints, Dialect
from bridge.core.reading.ids import address
from bridge.core.reading.places import at, first
from bridge.core.reading.reading import read_many, read_one
from bridge.core.reading.wordform import Words
from bridge.core.text.jsontext import encode

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
QUEUE = Dialect(
    words=Words.of({State.DREAMING: ["running", None], State.COMPLETED: ["done"]}),
    state=at("task.status"),
    id=at("task.id"),
    failed_if=at("task.error"),
    reason=at("task.error"),
    code=at("task.error.type"),
    progress=at("task.percent"),
    full=lambda _: 100,
    outputs=at("task.url"),
    needs_key=True,
    complaints=Complaints(
        code=first("code", "base.code"),
        status=at("error.http_code"),
        missing=frozenset({"1203"}),
        busy=frozenset({"1302"}),
        refused=frozenset({"1004"}),
        retry_after=at("wait"),
    ),
)
SILENT = Dialect(
    words=Words.of({State.DREAMING: ["running"]}),
    state=at("status"),
    complaints=QUEUE.complaints,
)


def read(document: Any, dialect: Dialect = QUEUE, status: int = 200) -> Any:
    answer = Response(status=status, body=encode(document), received_at=NOW)
    return read_one(answer, "g", dialect)


def test_a_word_that_means_success_beside_an_error_is_a_failure() -> None:
    (seen,) = read(
        {"task": {"status": "done", "error": "crashed", "url": "https://x/y"}}
    ).observations

    assert (seen.state, seen.native_state) == (State.FAILED, "done")
    assert seen.failure == Failure(code="error", reason="crashed")
    assert (seen.outputs, seen.progress) == ((), None)


@pytest.mark.parametrize("error", [None, "", [], {}, False])
def test_an_empty_error_is_none(error: Any) -> None:
    (seen,) = read(
        {"task": {"status": "done", "error": error, "url": "https://x/y"}}
    ).observations

    assert seen.state is State.COMPLETED
    assert seen.progress == 1.0
    assert [output.needs_key for output in seen.outputs] == [True]


@pytest.mark.parametrize(
    ("percent", "share"), [(37, 0.37), ("37", 0.37), ("?", None)], ids=repr
)
def test_progress_counts_up_to_what_is_full(percent: Any, share: float | None) -> None:
    (seen,) = read({"task": {"status": "running", "percent": percent}}).observations

    assert seen.progress == share


def test_an_unknown_word_beside_an_error_stays_without_a_rung() -> None:
    (seen,) = read({"task": {"status": "UNKNOWN", "error": "x"}}).observations

    assert (seen.state, seen.failure) == (None, None)


def test_an_absent_state_is_a_word_where_null_is_listed() -> None:
    (seen,) = read({"task": {}}).observations

    assert (seen.state, seen.native_state) == (State.DREAMING, "running")


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"code": 1203}, Missing),
        ({"code": "1203"}, Missing),
        ({"base": {"code": 1302}, "wait": "3"}, Busy),
        ({"code": 1004}, Refused),
        ({"code": 9}, Trouble),
        ({"code": [1203]}, Trouble),
        ({"error": {"http_code": "429", "message": "m"}}, Busy),
        ({"error": {"http_code": "429.0"}}, Trouble),
        ({"error": {"http_code": True}}, Trouble),
        ({"error": {"message": "invalid task_id"}}, Missing),
        ({"code": 1302, "status": "running"}, Seen),
    ],
    ids=repr,
)
def test_a_business_code_speaks_only_where_no_word_does(document: Any, kind: type) -> None:
    assert type(read(document, SILENT)) is kind


def test_the_wait_may_stand_in_the_body_of_a_200() -> None:
    assert read({"code": 1302, "wait": "3"}, SILENT).after.total_seconds() == 3


def test_an_envelope_with_a_code_is_no_batch() -> None:
    answer = Response(body=encode({"code": 1004, "data": []}), status=200, received_at=NOW)

    assert isinstance(read_many(answer, ["g"], SILENT), Refused)


BASE = "https://api.acme.example/v1"


@pytest.mark.parametrize(
    ("template", "one", "url"),
    [
        ("/x/{id}", "a/b:c d", "/x/a%2Fb%3Ac%20d"),
        ("/x/{+id}", "a/b:c d", "/x/a/b:c%20d"),
        ("/x?id={id}", "a&b=c", "/x?id=a%26b%3Dc"),
        ("/x/{+id}", "{id}", "/x/%7Bid%7D"),
        ("/{id}", "{+id}", "/%7B%2Bid%7D"),
        ("/{id}", "a//b", "/a%2F%2Fb"),
    ],
)
def test_an_id_is_encoded_whole_or_by_segment(template: str, one: str, url: str) -> None:
    assert address(one, base_url=BASE, template=template) == BASE + url


@pytest.mark.parametrize("one", ["", "/a", "a/", "a//b", "a/../b", "./a", "a/\n"])
def test_a_path_has_no_empty_segment_and_no_dots(one: str) -> None:
    assert isinstance(address(one, base_url=BASE, template="/x/{+id}"), Rejected)


HOSTS = ("*.bfl.example", "queue.fal.example")


@pytest.mark.parametrize(
    "link",
    [
        "https://api.eu.bfl.example/v1/get_result?id=1",
        "https://queue.fal.example:443/x",
        "https://api.acme.example/other",
        "HTTPS://api.acme.example:443/other",
    ],
)
def test_a_link_to_the_own_house_is_an_id(link: str) -> None:
    asked = address(link, base_url=BASE, template="/{id}", hosts=HOSTS)

    assert isinstance(asked, str)
    assert asked.lower() == link.lower()


@pytest.mark.parametrize(
    "link",
    [
        "https://bfl.example/x",
        "https://evilbfl.example/x",
        "https://api.bfl.example.evil.example/x",
        "https://api.bfl.example:8443/x",
        "http://api.bfl.example/x",
        "https://sub.queue.fal.example/x",
        "https://u:p@queue.fal.example/x",
        "https://queue.fal.example/a/../b",
        "https://api.acme.example:444/x",
        "http://api.acme.example/x",
        "https://api.acme.example\t.evil.example/x",
    ],
)
def test_a_link_to_another_house_is_refused(link: str) -> None:
    asked = address(link, base_url=BASE, template="/{id}", hosts=HOSTS)

    assert isinstance(asked, Rejected)
