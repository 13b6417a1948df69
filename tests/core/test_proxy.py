"""What a proxy's URL means, and which are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.network.proxy import Proxy, read_proxy


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://p.example", Proxy(scheme="http", host="p.example", port=80)),
        ("HTTPS://P.example/", Proxy(scheme="https", host="p.example", port=443)),
        ("socks5://10.0.0.1", Proxy(scheme="socks5", host="10.0.0.1", port=1080)),
        ("socks5h://[::1]:9", Proxy(scheme="socks5h", host="::1", port=9)),
        (
            "http://us%3Aer:p%40ss@p.example:3128",
            Proxy(
                scheme="http",
                host="p.example",
                port=3128,
                username="us:er",
                password="p@ss",
            ),
        ),
        (
            "socks5://user@p.example:1",
            Proxy(scheme="socks5", host="p.example", port=1, username="user"),
        ),
    ],
)
def test_a_url_is_read_into_its_parts(text: str, proxy: Proxy) -> None:
    assert read_proxy(text) == proxy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p.example:3128",
        "ftp://p.example",
        "socks4://p.example",
        "http://",
        "http://p.example:0",
        "http://p.example/path",
        "http://p.example?x",
        "http://a@b@p.example",
        "http://127.1:3128",
        "http://%00:x@p.example",
        f"http://{'u' * 256}:x@p.example",
        "http://canary:canary@p.example:x",
    ],
)
def test_what_is_no_proxy_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        read_proxy(text)
    assert "canary" not in str(caught.value)


@given(st.sampled_from(["", "http://", "socks5://u:p@"]), st.text(max_size=60))
def test_any_text_is_a_proxy_or_a_plain_reason(begin: str, text: str) -> None:
    try:
        port = read_proxy(begin + text).port
    except ValueError:
        return
    assert 0 < port <= 65535


def test_its_password_is_not_shown() -> None:
    assert "canary" not in repr(read_proxy("http://user:canary@p.example"))


def test_host_and_port_are_shown_for_people() -> None:
    assert read_proxy("socks5://u:p@[::1]:9").shown == "[::1]:9"
