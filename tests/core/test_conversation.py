"""What every provider gets from the description of its API."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.core.ladder import State
from bridge.core.looking import (
    Batch,
    Get,
    Hold,
    Listing,
    Look,
    Missing,
    Observation,
    Reading,
    Refused,
    Rejected,
    Seen,
    Trouble,
)
from bridge.core.network.exchange import Answer, Phase, Request, Response, Unanswered
from bridge.core.reading.api import (
    Api,
    Batching,
    Call,
    Holding,
    LinkTemplate,
    Paging,
    SecondCall,
)
from bridge.core.reading.conversation import converse
from bridge.core.reading.dialect import Complaints, Dialect
from bridge.core.reading.minting import hs256
from bridge.core.reading.outputs import every
from bridge.core.reading.places import at, nothing
from bridge.core.reading.wordform import Words

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOME = "https://api.example.com/v1"
DIALECT = Dialect(
    words=Words.of(
        {
            State.QUEUED: ["waiting"],
            State.DREAMING: ["running"],
            State.COMPLETED: ["done"],
            State.FAILED: ["error"],
        }
    ),
    state=at("status"),
    outputs=at("files"),
    model=at("model"),
)
API = Api(dialect=DIALECT, get=Call(url="/jobs/{id}"), rate=5.0, floor=timedelta(seconds=5))
DONE = {"status": "done"}


def answer(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers=headers or {}, body=text, received_at=NOW)


def talk(
    api: Api, look: Look, *answers: Answer, key: str = "k-1", home: str = HOME
) -> tuple[list[Request], Reading]:
    asking = converse(api, look, base_url=home, key=key)
    left, requests = list(answers), []
    try:
        requests.append(next(asking))
        while True:
            requests.append(asking.send(left.pop(0)))
    except StopIteration as end:
        return requests, end.value


def urls(api: Api, look: Look, *answers: Answer, key: str = "k-1") -> list[str]:
    return [r.url for r in talk(api, look, *(answers or (answer({}),)), key=key)[0]]


def observed(reading: Reading) -> Observation:
    assert isinstance(reading, Seen), reading
    (only,) = reading.observations
    return only


# ------------------------------------------------------------------------------ questions


def test_a_plain_look_shows_the_key_as_a_bearer_token() -> None:
    ((request,), _) = talk(API, Get(id="a/b c"), answer({}))

    assert (request.method, request.url) == ("GET", f"{HOME}/jobs/a%2Fb%20c")
    assert request.headers == (
        ("authorization", "Bearer k-1"),
        ("accept", "application/json"),
    )


def test_an_id_that_is_a_path_keeps_its_slashes_and_colons() -> None:
    api = replace(API, get=Call(url="/x/{+id}/status", query=(("logs", "0"),)))

    assert urls(api, Get(id="a/b:c d")) == [f"{HOME}/x/a/b:c%20d/status?logs=0"]
    for one in ("a//b", "../b", "a/./b", "", "a\nb"):
        requests, reading = talk(api, Get(id=one))
        assert not requests
        assert isinstance(reading, Rejected)


def test_the_path_may_depend_on_the_id() -> None:
    api = replace(
        API, get=Call(url=lambda one: "/{+id}" if "/" in one else "/results/{id}")
    )

    assert urls(api, Get(id="a/b")) == [f"{HOME}/a/b"]
    assert urls(api, Get(id="ab")) == [f"{HOME}/results/ab"]


@pytest.mark.parametrize(
    ("one", "asked"),
    [
        ("https://eu.example.org/r?id=1", True),
        ("https://api.example.com/else?x=%2F", True),
        ("https://example.org/r", False),
        ("https://eu.example.org:8443/r", False),
        ("http://eu.example.org/r", False),
        ("https://u@eu.example.org/r", False),
        ("https://evil.example.net/r", False),
    ],
)
def test_a_whole_url_is_asked_as_it_is_and_only_at_home(one: str, asked: bool) -> None:
    api = replace(
        API,
        get=Call(url="/r", query=(("id", "{id}"),)),
        hosts=("*.example.org",),
    )

    requests, reading = talk(api, Get(id=one), *([answer({})] if asked else []))

    assert [r.url for r in requests] == ([one] if asked else [])
    assert asked or isinstance(reading, Rejected)


def test_a_batch_may_be_a_post_with_the_ids_as_an_array() -> None:
    call = Call(url="/find", method="POST", json={"ids": "{ids}", "n": [1, "x {until}"]})
    api = replace(
        API, batch=Batching(call=replace(call, json={"ids": "{ids}", "n": 1}), most=2)
    )

    ((request,), reading) = talk(
        api, Batch(ids=("a", "b")), answer({"data": [{"id": "b", "status": "done"}]})
    )

    assert request.method == "POST"
    assert json.loads(request.body) == {"ids": ["a", "b"], "n": 1}
    assert ("content-type", "application/json") in request.headers
    assert isinstance(reading, Seen)
    assert [o.id for o in reading.observations] == ["b"]
    assert reading.unseen == ("a",)
    assert isinstance(talk(api, Batch(ids=("a", "b", "c")))[1], Rejected)


def test_a_batch_may_speak_otherwise_than_a_single_answer() -> None:
    api = replace(
        API,
        batch=Batching(
            call=Call(url="/find", query=(("id", "{ids}"),)),
            most=5,
            items=at("mine"),
            dialect=replace(DIALECT, id=at("task"), state=at("word")),
        ),
    )
    document = {
        "mine": [{"task": 7, "word": "done"}],
        "others": [{"task": 7, "word": "error"}],
    }

    requests, reading = talk(api, Batch(ids=("7",)), answer(document))

    assert requests[0].url == f"{HOME}/find?id=7"
    assert observed(reading).state is State.COMPLETED


def test_a_hold_asks_in_the_words_of_the_api_and_never_for_a_failure() -> None:
    api = replace(
        API,
        hold=Holding(
            query=(("state", "{until}"),),
            limit=timedelta(seconds=30),
            words={State.DREAMING: "running"},
        ),
    )

    assert urls(api, Hold(id="a", until=State.DREAMING)) == [f"{HOME}/jobs/a?state=running"]
    assert urls(api, Hold(id="a", until=State.FAILED)) == [f"{HOME}/jobs/a?state=completed"]
    assert urls(API, Hold(id="a", until=State.FAILED)) == [f"{HOME}/jobs/a"]


@pytest.mark.parametrize("look", [Batch(ids=("a",)), Listing()])
def test_what_an_api_does_not_know_is_not_asked(look: Look) -> None:
    assert talk(API, look) == ([], talk(API, look)[1])
    assert isinstance(talk(API, look)[1], Rejected)


# --------------------------------------------------------------------------------- tokens


def test_a_minted_token_knows_when_it_is_asked() -> None:
    def mint(key: str, moment: datetime) -> str:
        access, _, secret = key.partition(":")
        return hs256({"iss": access, "exp": int(moment.timestamp())}, secret)

    api = replace(API, mint=mint)
    look = Get(id="a", at=NOW)

    ((request,), reading) = talk(
        api,
        look,
        answer({"message": "no: AKEY SECRET AKEY:SECRET"}, 401),
        key="AKEY:SECRET",
    )

    assert dict(request.headers)["authorization"] == "Bearer " + mint("AKEY:SECRET", NOW)
    assert isinstance(reading, Refused)
    assert "KEY" not in reading.why
    assert "SECRET" not in reading.why
    assert isinstance(talk(api, Get(id="a"))[1], Rejected)


def test_a_token_is_a_json_web_token() -> None:
    claims = {"sub": "1234567890", "name": "John Doe", "iat": 1516239022}

    # The token that jwt.io shows for these claims and this secret.
    assert hs256(claims, "your-256-bit-secret").split(".") == [
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ",
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    ]


# ---------------------------------------------------------------------------------- lists


def _pages(paging: Paging, *documents: Any) -> list[str]:
    api, cursor, asked = replace(API, listing=paging), None, []
    for document in documents:
        ((request,), reading) = talk(api, Listing(cursor=cursor), answer(document))
        asked.append(request.url.removeprefix(HOME))
        assert isinstance(reading, Seen), reading
        cursor = reading.next
    assert cursor is None
    return asked


def _page(*ids: str, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": one, "status": "done"} for one in ids], **more}


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("{seen}", ["/l?by=0", "/l?by=2"]),
        ("{page}", ["/l?by=1", "/l?by=2"]),
        ("{last}", ["/l", "/l?by=b"]),
    ],
)
@pytest.mark.parametrize("more", [at("more"), None])
def test_pages_follow_each_other(name: str, asked: list[str], more: Any) -> None:
    paging = Paging(
        call=Call(url="/l", query=(("by", name),)), size=2, items=at("data"), more=more
    )

    assert _pages(paging, _page("a", "b", more=True), _page("c", more=False)) == asked


@pytest.mark.parametrize("link", [f"{HOME}/l?c=2", "/v1/l?c=2"])
def test_a_next_link_is_followed_at_home(link: str) -> None:
    paging = Paging(call=Call(url="/l"), items=at("data"), next=at("next"))

    assert _pages(paging, _page("a", next=link), _page("b", next=None)) == ["/l", "/l?c=2"]


def test_the_key_does_not_follow_a_link_to_another_house() -> None:
    api = replace(API, listing=Paging(call=Call(url="/l"), next=at("next")))

    for link in ("https://evil.example.net/l", "//evil.example.net/l", "nonsense"):
        requests, reading = talk(api, Listing(cursor=link))
        assert not requests
        assert isinstance(reading, Rejected)


def test_a_cursor_that_is_no_number_is_refused_where_pages_are_counted() -> None:
    api = replace(API, listing=Paging(call=Call(url="/l", query=(("p", "{page}"),))))

    assert isinstance(talk(api, Listing(cursor="x&y=1"))[1], Rejected)


# ---------------------------------------------------------------------------- second call

TWICE = replace(
    API,
    result=SecondCall(
        call=Call(url="/files/{file}"),
        values={"file": at("file")},
        link=at("response_url"),
        outputs=every(at("made")),
    ),
)
FIRST = answer({**DONE, "file": 17})


def test_a_completed_generation_gets_its_outputs_from_a_second_call() -> None:
    made = {"made": {"v": {"url": "https://c.example/1", "content_type": "video/mp4"}}}

    requests, reading = talk(TWICE, Get(id="a"), FIRST, answer(made))

    assert [r.url for r in requests] == [f"{HOME}/jobs/a", f"{HOME}/files/17"]
    assert [(o.type, o.url) for o in observed(reading).outputs] == [
        ("video", "https://c.example/1")
    ]
    assert observed(reading).raw == {**DONE, "file": 17}


def test_the_document_may_name_the_second_url_but_no_other_house() -> None:
    own = answer({**DONE, "file": 17, "response_url": f"{HOME}/r/1"})
    foreign = answer({**DONE, "file": 17, "response_url": "https://evil.example.net/"})

    assert urls(TWICE, Get(id="a"), own, answer({}))[1] == f"{HOME}/r/1"
    assert urls(TWICE, Get(id="a"), foreign, answer({}))[1] == f"{HOME}/files/17"


@pytest.mark.parametrize(
    "second",
    [
        answer({}, 404),
        answer({}, 401),
        answer({}, 429, {"retry-after": "7"}),
        answer({"message": "k-1"}, 422),
        answer(b"<html>", 200),
        answer({}, 503),
        Unanswered(phase=Phase.DEADLINE, reason="no answer"),
    ],
    ids=["404", "401", "429", "422", "html", "503", "silence"],
)
def test_a_failing_second_call_is_trouble_that_knows_what_was_seen(second: Answer) -> None:
    _, reading = talk(TWICE, Get(id="a"), FIRST, second)

    assert isinstance(reading, Trouble)
    assert "k-1" not in reading.why
    assert reading.seen is not None
    assert (reading.seen.state, reading.seen.outputs) == (State.COMPLETED, ())


def test_a_second_call_that_cannot_be_asked_is_trouble_too() -> None:
    _, reading = talk(TWICE, Get(id="a"), answer(DONE))

    assert isinstance(reading, Trouble)
    assert reading.seen is not None


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        (400, True),
        (422, True),
        (401, False),
        (403, False),
        (404, False),
        (429, False),
        (500, False),
    ],
)
def test_where_the_second_call_judges_the_models_own_error_is_the_failure(
    status: int, failed: bool
) -> None:
    assert TWICE.result is not None
    api = replace(TWICE, result=replace(TWICE.result, judges=True))

    _, reading = talk(api, Get(id="a"), FIRST, answer({"detail": "bad prompt"}, status))

    assert isinstance(reading, Seen if failed else Trouble)
    if isinstance(reading, Seen):
        seen = observed(reading)
        assert (seen.state, seen.native_state) == (State.FAILED, "done")
        assert seen.failure is not None
        assert (seen.failure.code, seen.failure.reason) == ("error", "bad prompt")


def test_what_a_batch_saw_completed_is_asked_alone_for_its_outputs() -> None:
    api = replace(
        TWICE, batch=Batching(call=Call(url="/b", query=(("i", "{ids}"),)), most=5)
    )
    page = [{"id": "a", "status": "done"}, {"id": "b", "status": "running"}]

    _, reading = talk(api, Batch(ids=("a", "b")), answer(page))

    assert isinstance(reading, Seen)
    assert [o.id for o in reading.observations] == ["b"]
    assert reading.unseen == ("a",)


# -------------------------------------------------------------------------------- reading


def test_the_http_status_may_be_the_state_and_the_body_a_file() -> None:
    dialect = replace(
        DIALECT,
        by_status={200: State.COMPLETED, 202: State.DREAMING},
        failed_if=lambda d: at("reason")(d) == "FILTERED",
        needs_key=True,
    )
    api = replace(API, dialect=dialect, link=LinkTemplate(template="{asked}", type="file"))

    _, file = talk(api, Get(id="a"), answer(b"\x89PNG", 200))
    _, running = talk(api, Get(id="a"), answer({"status": "in-progress"}, 202))
    _, filtered = talk(api, Get(id="a"), answer({"reason": "FILTERED"}, 200))
    _, page = talk(api, Get(id="a"), answer(b" <!DOCTYPE html><p>log in", 200))

    seen = observed(file)
    assert (seen.state, seen.native_state, seen.raw) == (State.COMPLETED, "HTTP 200", None)
    assert [(o.url, o.needs_key) for o in seen.outputs] == [(f"{HOME}/jobs/a", True)]
    assert (observed(running).state, observed(running).native_state) == (
        State.DREAMING,
        "in-progress",
    )
    assert observed(filtered).state is State.FAILED
    assert isinstance(page, Trouble)
    assert isinstance(talk(api, Get(id="a"), answer({}, 404))[1], Missing)


def test_a_link_follows_from_the_id_and_from_the_document() -> None:
    link = LinkTemplate(
        template="{base_url}/files/{file}/content", type="file", values={"file": at("file")}
    )
    api = replace(API, link=link)

    _, told = talk(api, Get(id="a"), answer({**DONE, "file": "f/1"}))
    _, none = talk(api, Get(id="a"), answer(DONE))
    _, early = talk(api, Get(id="a"), answer({"status": "running", "file": "f"}))

    assert [o.url for o in observed(told).outputs] == [f"{HOME}/files/f%2F1/content"]
    assert observed(none).outputs == observed(early).outputs == ()


def test_a_word_that_is_a_complaint_is_no_state() -> None:
    complaints = Complaints(code=at("status"), missing=frozenset({"task_not_found"}))
    api = replace(API, dialect=replace(DIALECT, complaints=complaints))

    assert isinstance(
        talk(api, Get(id="a"), answer({"status": "Task not found"}))[1], Missing
    )
    assert observed(talk(api, Get(id="a"), answer({"status": "odd"}))[1]).state is None


def test_a_header_tells_when_to_look_again() -> None:
    api = replace(API, hint="x-poll-after-ms")

    for text, wait in (("1500", 1.5), ("soon", None), ("-1", None)):
        _, reading = talk(api, Get(id="a"), answer(DONE, headers={"x-poll-after-ms": text}))
        assert isinstance(reading, Seen)
        assert reading.again == (None if wait is None else timedelta(seconds=wait))


def test_the_model_is_told_where_the_document_names_it() -> None:
    assert (
        observed(talk(API, Get(id="a"), answer({**DONE, "model": "ray-3"}))[1]).model
        == "ray-3"
    )
    assert observed(talk(API, Get(id="a"), answer({**DONE, "model": {}}))[1]).model == ""


def test_no_answer_to_the_first_call_is_trouble() -> None:
    lost = Unanswered(phase=Phase.CONNECT, reason="refused")

    assert talk(API, Get(id="a"), lost)[1] == Trouble(why="refused")


def test_every_link_is_found_in_order_and_nothing_that_is_none() -> None:
    document = {
        "a": ["https://x.example/1", {"b": "https://x.example/2", "c": "data:,"}],
        "d": 1,
    }

    assert [e["url"] for e in every(lambda d: d)(document)] == [
        "https://x.example/1",
        "https://x.example/2",
    ]
    assert every(nothing)(document) == []


def test_a_key_that_the_api_echoes_stands_in_no_word_of_an_observation() -> None:
    echoing = answer({"status": "Bearer key-0123456789", "model": "for key-0123456789"})

    _, reading = talk(API, Get(id="a"), echoing, key="key-0123456789")

    seen = observed(reading)
    assert (seen.native_state, seen.model) == ("Bearer …", "for …")
