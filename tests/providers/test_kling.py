"""Kling: tokens that are made of a key, and lists that are kept per family."""

import hmac
import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.core.looking import Busy, Get, Listing, Rejected, Seen
from bridge.providers import kling
from tests.providers.talking import NOW, Talk, answer, talk

ACCESS, SECRET = "ak-4711", "sk-very-secret"


def kling_of(*families: str, key: str = f"{ACCESS}:{SECRET}") -> kling.Provider:
    if not families:
        return kling.Provider(api_key=key)
    return kling.Provider(api_key=key, families=families)


def bearer(asked: Talk) -> str:
    return dict(asked.request.headers)["authorization"].removeprefix("Bearer ")


def opened(part: str) -> Any:
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_key_in_two_halves_is_made_into_a_token() -> None:
    token = bearer(talk(kling_of(), Get(id="text2video/7"), answer({})))

    head, claims, signature = token.split(".")
    wanted = hmac.digest(SECRET.encode(), f"{head}.{claims}".encode(), "sha256")
    now = int(NOW.timestamp())
    assert opened(head) == {"alg": "HS256", "typ": "JWT"}
    assert opened(claims) == {"iss": ACCESS, "exp": now + 1800, "nbf": now - 5}
    assert urlsafe_b64decode(signature + "=") == wanted
    assert "=" not in token


def test_a_token_is_made_anew_before_it_ends() -> None:
    look = Get(id="text2video/7", at=NOW + timedelta(minutes=40))

    request = next(kling_of().ask(look))

    claims = opened(dict(request.headers)["authorization"].split(".")[1])
    assert claims["exp"] > (NOW + timedelta(minutes=40)).timestamp()


def test_a_key_without_a_colon_goes_as_it_is() -> None:
    asked = talk(kling_of(key="relay-key"), Get(id="text2video/7"), answer({}))

    assert bearer(asked) == "relay-key"


def test_neither_half_of_a_key_nor_the_token_is_ever_shown() -> None:
    provider = kling_of()
    token = bearer(talk(provider, Get(id="text2video/7"), answer({})))
    echo = answer({"message": f"bad: {token} {ACCESS} {SECRET}", "code": 1002}, 401)

    asked = talk(provider, Get(id="text2video/7"), echo)

    for secret in (SECRET, ACCESS, token, token.split(".")[2]):
        assert secret not in repr(asked) + repr(provider)


def tasks(*ids: int, count: int = 0) -> dict[str, Any]:
    entries = [{"task_id": i, "task_status": "processing"} for i in (*ids, *range(count))]
    return {"code": 0, "message": "SUCCEED", "data": entries}


def paths(asked: Talk) -> list[str]:
    return [urlsplit(request.url).path for request in asked.requests]


def page_of(asked: Talk) -> Seen:
    assert isinstance(asked.reading, Seen)
    return asked.reading


def test_a_page_is_the_same_page_of_every_family() -> None:
    provider = kling_of("text2video", "images/generations", "lip-sync")
    whole, last = answer(tasks(count=500)), answer(tasks(1))

    first = talk(provider, Listing(), whole, last, whole)
    second = talk(provider, Listing(cursor=page_of(first).next), last)

    assert paths(first) == [
        "/v1/videos/text2video",
        "/v1/images/generations",
        "/v1/videos/lip-sync",
    ]
    assert paths(second) == ["/v1/videos/text2video", "/v1/videos/lip-sync"]
    asked = [dict(parse_qsl(urlsplit(r.url).query)) for r in second.requests]
    assert asked == [{"pageNum": "2", "pageSize": "500"}] * 2
    assert len(page_of(first).observations) == 1001
    assert page_of(second).next is None


def test_the_newest_of_all_families_stand_first() -> None:
    def made(at: int | None, one: int) -> dict[str, Any]:
        task = {"task_id": one, "task_status": "succeed", "created_at": at}
        return {"code": 0, "data": [task]}

    provider = kling_of("a", "b", "c")
    bodies = (made(None, 1), made(1772445600000, 2), made(1772445700000, 3))

    asked = talk(provider, Listing(), *map(answer, bodies))

    assert [one.id for one in page_of(asked).observations] == ["c/3", "b/2", "a/1"]


def test_what_a_list_shows_can_be_asked_about() -> None:
    provider = kling_of("images/generations")
    (one,) = page_of(
        talk(provider, Listing(), answer(tasks(866168216002236456)))
    ).observations

    asked = talk(provider, Get(id=one.id), answer({}))

    assert paths(asked) == ["/v1/images/generations/866168216002236456"]


@pytest.mark.parametrize(
    "cursor",
    ["2", "2 lip-sync", "text2video", "x text2video", "-1 text2video", " text2video"],
)
def test_a_cursor_that_no_page_gave_is_refused(cursor: str) -> None:
    asked = talk(kling_of(), Listing(cursor=cursor), answer(tasks(1)))

    assert not asked.requests
    assert isinstance(asked.reading, Rejected)


def test_one_family_that_cannot_be_read_breaks_the_page_off() -> None:
    busy = answer({"code": 1302, "message": "slow"})

    asked = talk(kling_of("a", "b", "c"), Listing(), answer(tasks(1)), busy)

    assert paths(asked) == ["/v1/videos/a", "/v1/videos/b"]
    assert isinstance(asked.reading, Busy)


def test_without_families_there_is_no_list() -> None:
    provider = replace(kling_of(), families=())

    asked = talk(provider, Listing(), answer(tasks(1)))

    assert not asked.requests
    assert isinstance(asked.reading, Rejected)


@pytest.mark.parametrize("family", ["", "/", "../x", "a b", "a//b", "images/", "{id}"])
def test_a_family_is_a_path_and_nothing_else(family: str) -> None:
    with pytest.raises(ValueError, match="families are such as"):
        kling_of(family)
