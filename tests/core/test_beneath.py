"""How a format's own path and query are put behind a webhook's URL, and headers are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.network.masking import MASK, MOST_HEARD, heard
from bridge.core.network.urls import beneath, parsed

JOINED = [
    ("https://h.example/a", "", "", "https://h.example/a"),
    ("https://h.example/a", "/b", "", "https://h.example/a/b"),
    ("https://h.example/a/", "/b", "", "https://h.example/a/b"),
    ("https://h.example/", "b", "", "https://h.example/b"),
    ("https://h.example/a?k=1", "/b", "w=2", "https://h.example/a/b?k=1&w=2"),
    ("https://h.example/a?k=1", "", "w=2", "https://h.example/a?k=1&w=2"),
    ("https://h.example/a?k=1", "/b", "", "https://h.example/a/b?k=1"),
    ("https://h.example/a?", "", "w=2", "https://h.example/a?w=2"),
    ("https://h.example/a?k=x/y", "/b", "", "https://h.example/a/b?k=x/y"),
]


@pytest.mark.parametrize(("url", "path", "query", "whole"), JOINED)
def test_a_path_goes_behind_the_path_and_a_query_behind_the_query(
    url: str, path: str, query: str, whole: str
) -> None:
    assert beneath(url, path, query) == whole


words = st.text("abcXYZ019-._~%&=+:@!$'()*,;", max_size=20)


@given(words, words, words, words)
def test_whatever_is_added_the_request_goes_to_the_same_place(
    own: str, more: str, path: str, query: str
) -> None:
    url = f"https://h.example:8443/{own}?{more}"
    there = parsed(beneath(url, f"/{path}", query))
    assert (there.scheme, there.authority) == ("https", "h.example:8443")
    assert there.target.startswith(f"/{own.removesuffix('/')}")
    assert there.target.endswith(query)


def test_headers_of_an_answer_are_shown_without_what_is_secret() -> None:
    answer = {"content-type": "text/html", "set-cookie": "canary=1", "x-a": "b"}
    assert heard(answer) == (
        ("content-type", "text/html"),
        ("set-cookie", MASK),
        ("x-a", "b"),
    )


def test_no_more_headers_are_kept_than_there_is_room_for() -> None:
    answer = {f"x-{number}": "v" * 1000 for number in range(100)}
    kept = heard(answer)
    assert sum(len(name) + len(value) for name, value in kept) <= MOST_HEARD
    assert kept[0] == ("x-0", "v" * 1000)
