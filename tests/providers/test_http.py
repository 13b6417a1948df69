"""What the keys of a description do, beyond what the APIs of the table need."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.core.ladder import State
from bridge.core.looking import Batch, Busy, Get, Hold, Listing, Missing, Seen, Trouble
from bridge.core.network.exchange import Request
from bridge.providers.http import Provider
from tests.providers.describing import described, source, written
from tests.providers.talking import KEY, answer, talk

PLAIN: dict[str, Any] = {
    "base_url": "https://api.acme.example/v1",
    "get": {"url": "/jobs/{id}"},
    "read": {"state": "status", "states": {"dreaming": ["running"], "completed": ["done"]}},
}


def acme(**more: Any) -> Provider:
    return described({**PLAIN, **more})


def asked(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(request.url).query)


def test_a_hold_adds_parameters_and_headers_to_the_question() -> None:
    hold = {
        "query": {"for": "{until}"},
        "headers": {"prefer": "wait=25", "Authorization": "Waiter {key}"},
        "words": {"completed": "finished"},
    }
    with_hold = acme(hold=hold)

    plain = talk(with_hold, Get(id="a"), answer({})).request
    held = talk(with_hold, Hold(id="a", until=State.COMPLETED), answer({})).request
    dreaming = talk(with_hold, Hold(id="a", until=State.DREAMING), answer({})).request

    assert asked(plain) == []
    assert dict(plain.headers)["authorization"] == f"Bearer {KEY}"
    assert asked(held) == [("for", "finished")]
    assert dict(held.headers)["prefer"] == "wait=25"
    assert dict(held.headers)["authorization"] == f"Waiter {KEY}"
    assert asked(dreaming) == [("for", "dreaming")]
    assert with_hold.abilities.hold == timedelta(seconds=30)


def test_an_api_without_a_key_gets_no_authorization() -> None:
    text = written(PLAIN).replace(f'"api_key": "{KEY}", ', "")
    provider = source(text).provider

    assert isinstance(provider, Provider)
    headers = dict(talk(provider, Get(id="a"), answer({})).request.headers)
    assert headers == {"accept": "application/json"}


def test_a_question_may_be_a_post() -> None:
    get = {
        "url": "/find",
        "method": "POST",
        "json": {"jobs": ["{id}"], "n": 1, "all": None},
    }

    request = talk(acme(get=get), Get(id="a/b"), answer({})).request

    assert (request.method, request.url) == ("POST", "https://api.acme.example/v1/find")
    assert json.loads(request.body) == {"jobs": ["a/b"], "n": 1, "all": None}
    assert dict(request.headers)["content-type"] == "application/json"


def test_one_of_many_may_be_read_otherwise_and_keeps_the_words() -> None:
    batch = {"url": "/b", "query": {"id": "{ids}"}, "read": {"id": "job", "state": "now"}}
    document = {"x": [{"job": 1, "now": "RUNNING"}, {"job": 2, "now": "done"}]}

    told = talk(acme(batch=batch), Batch(ids=("1", "2", "3")), answer(document))

    assert asked(told.request) == [("id", "1"), ("id", "2"), ("id", "3")]
    assert isinstance(told.reading, Seen)
    assert [seen.state for seen in told.reading.observations] == [
        State.DREAMING,
        State.COMPLETED,
    ]
    assert told.reading.unseen == ("3",)


@pytest.mark.parametrize(
    ("query", "size"),
    [({}, 1), ({"limit": "100"}, 100), ({"page_size": "500"}, 500), ({"kind": "7"}, 1)],
)
def test_a_page_has_what_the_question_asks_for(query: dict[str, str], size: int) -> None:
    listing = acme(list={"url": "/l", "query": {**query, "page": "{page}"}})

    assert listing.abilities.page == size


def test_where_the_size_of_a_page_is_unknown_only_an_empty_one_is_the_last() -> None:
    listing = acme(list={"url": "/l", "query": {"page": "{page}"}})
    full = talk(listing, Listing(), answer([{"id": "1", "status": "done"}])).reading
    empty = talk(listing, Listing(cursor="2"), answer([])).reading

    assert isinstance(full, Seen)
    assert isinstance(empty, Seen)
    assert (full.next, empty.next) == ("2", None)


def test_complaints_are_added_to_those_that_all_apis_share() -> None:
    provider = acme(trouble={"code": "err", "busy": [7], "missing_if": "gone"})

    def read(document: Any) -> object:
        return talk(provider, Get(id="a"), answer(document)).reading

    assert isinstance(read({"err": "7", "retry_after": 3}), Busy)
    assert isinstance(read({"gone": True}), Missing)
    assert isinstance(read({"err": "task_not_exist"}), Missing)
    assert isinstance(read({"statusCode": "404"}), Missing)
    assert isinstance(read({"gone": False, "err": 8}), Trouble)


def test_a_link_that_the_api_gives_is_followed_at_home_only() -> None:
    result = {"url": "{link}", "with": {"link": "link"}, "outputs": {"every": "@"}}
    provider = acme(result=result)
    made = {"made": "https://cdn.acme.example/1.png"}

    def followed(link: str) -> int:
        first = answer({"status": "done", "link": link})
        return len(talk(provider, Get(id="a"), first, answer(made)).requests)

    assert followed("https://api.acme.example/files/7") == 2
    assert followed("https://evil.example/files/7") == 1


def test_without_options_the_defaults_hold() -> None:
    provider = acme()

    assert provider.abilities.floor == timedelta(seconds=5)
    assert provider.abilities.rate == 5
    assert not provider.abilities.listing
    assert provider.abilities.batch is None
    assert acme() == acme()
    assert acme() != acme(floor="1s")
    assert KEY not in repr(provider)


def test_every_expression_tells_what_it_found() -> None:
    result = {"url": "/f/{file}", "with": {"file": "file.id"}, "outputs": "[url]"}
    provider = acme(result=result, trouble={"ok": "code == `0`"})
    first = {"status": "done", "file": {"id": 7}, "code": 1}

    found = {f.key: f.value for f in provider.trace([first, {"url": "https://x.example"}])}

    assert found == {
        "read.state": "done",
        "trouble.ok": False,
        "result.with.file": 7,
        "result.outputs": ["https://x.example"],
    }
    assert {f.key for f in provider.trace([[first]])} == set(found) - {"result.outputs"}
