"""Proxies: the way through them, what they are shown, and whose fault it is when they refuse."""

import socket
import ssl
from base64 import b64encode
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme

from bridge.core.network.exchange import Phase
from bridge.core.network.way import Way
from bridge.http import Client
from tests.fakes.clock import VirtualClock
from tests.fakes.proxy import proxying
from tests.http.conftest import (
    LOOPBACK,
    NO_CONTENT,
    Receive,
    answered,
    sender,
    unanswered,
)

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.216.34"


async def known(host: str) -> Sequence[str]:
    answers = {"example.com": [PUBLIC], "inside.test": ["10.0.0.1"]}
    if host not in answers:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")
    return answers[host]


def client(ca: Path | None = None, *, closed: bool = False) -> Client:
    return Client(
        clock=VirtualClock(), allow=() if closed else LOOPBACK, lookup=known, ca=ca
    )


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def context(authority: trustme.CA, name: str = "example.com") -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(made)
    return made


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


async def test_plain_http_goes_to_the_proxy_in_absolute_form(receive: Receive) -> None:
    receiver = await receive(keep=True)
    url = f"http://example.com:{port_of(receiver.url)}/hook?a=%2F"
    async with proxying() as proxy, client() as through:
        way = Way(proxy=f"http://127.0.0.1:{proxy.port}")
        answer = answered(await sender(through)(url, way=way))
    assert (answer.status, proxy.asked) == (204, [f"POST {url}"])
    assert answer.peer is not None
    assert answer.peer.address == f"127.0.0.1:{proxy.port}"


async def test_https_goes_through_a_tunnel_whose_end_is_verified(
    receive: Receive, authority: trustme.CA, ca_file: Path
) -> None:
    receiver = await receive(keep=True, tls=context(authority))
    port = port_of(receiver.url)
    async with proxying() as proxy, client(ca_file) as through:
        way = Way(proxy=f"http://127.0.0.1:{proxy.port}")
        await sender(through)(f"https://example.com:{port}/", way=way)
        answer = answered(await sender(through)(f"https://example.com:{port}/", way=way))
        other = await sender(through)(f"https://other.example:{port}/", way=way)
    assert answer.status == 204
    assert answer.peer is not None
    assert answer.peer.tls == "TLSv1.3"
    assert proxy.asked == [f"CONNECT example.com:{port}", f"CONNECT other.example:{port}"]
    assert unanswered(other).phase is Phase.TLS
    assert not any(b"proxy" in request for request in receiver.requests)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_speaks_tls_is_verified_and_used_for_both(
    scheme: str, receive: Receive, authority: trustme.CA, ca_file: Path
) -> None:
    tls = context(authority) if scheme == "https" else None
    receiver = await receive(keep=True, tls=tls)
    url = f"{scheme}://example.com:{port_of(receiver.url)}/"
    async with (
        proxying(tls=context(authority, "localhost")) as proxy,
        client(ca_file) as through,
    ):
        way = Way(proxy=f"https://localhost:{proxy.port}")
        assert answered(await sender(through)(url, way=way)).status == 204
        wrong = Way(proxy=f"https://127.0.0.1:{proxy.port}")
        answer = unanswered(await sender(through)(url, way=wrong))
    assert answer.phase is Phase.PROXY
    assert "proxy" in answer.reason
    assert "certificate" in answer.reason
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("scheme", "asked"), [("socks5", PUBLIC), ("socks5h", "example.com")]
)
async def test_a_socks_proxy_is_given_the_judged_address_or_with_socks5h_the_name(
    scheme: str, asked: str, receive: Receive
) -> None:
    receiver = await receive(keep=True)
    port = port_of(receiver.url)
    async with proxying(socks=True) as proxy, client() as through:
        way = Way(proxy=f"{scheme}://user:p%40ss@127.0.0.1:{proxy.port}")
        await sender(through)(f"http://example.com:{port}/x", way=way)
        answer = answered(await sender(through)(f"http://example.com:{port}/x", way=way))
    assert answer.status == 204
    assert proxy.asked == [f"{asked}:{port}"]
    assert proxy.shown == ["user:p@ss"]
    assert receiver.requests[0].startswith(b"POST /x HTTP/1.1\r\n")


async def test_tls_is_spoken_with_the_receiver_through_a_socks_proxy(
    receive: Receive, authority: trustme.CA, ca_file: Path
) -> None:
    receiver = await receive(keep=True, tls=context(authority))
    port = port_of(receiver.url)
    async with proxying(socks=True) as proxy, client(ca_file) as through:
        way = Way(proxy=f"socks5h://127.0.0.1:{proxy.port}")
        answer = answered(await sender(through)(f"https://example.com:{port}/", way=way))
    assert answer.status == 204


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_credentials_in_the_proxys_url_are_shown_to_the_proxy_alone(
    scheme: str, receive: Receive, authority: trustme.CA, ca_file: Path
) -> None:
    tls = context(authority) if scheme == "https" else None
    receiver = await receive(keep=True, tls=tls)
    url = f"{scheme}://example.com:{port_of(receiver.url)}/"
    async with proxying() as proxy, client(ca_file) as through:
        way = Way(proxy=f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        assert answered(await sender(through)(url, way=way)).status == 204
    expected = b64encode(b"user:p@ss").decode()
    assert proxy.shown == [f"proxy-authorization: Basic {expected}"]


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"HTTP/1.1 407 No\r\n\r\n", "wants other credentials (407)"),
        (b"HTTP/1.1 403 No\r\n\r\n", "refuses the way to example.com:443: status 403"),
        (b"HTTP/1.1 502 No\r\n\r\n", "refuses the way to example.com:443: status 502"),
        (b"SSH-2.0-x\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 20_000, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "does not speak HTTP"),
        (b"", "does not speak HTTP"),
    ],
)
async def test_a_refused_connect_is_our_fault(says: bytes, reason: str) -> None:
    async with proxying(refuses=says) as proxy, client() as through:
        way = Way(proxy=f"http://user:secret@127.0.0.1:{proxy.port}")
        answer = unanswered(await sender(through)("https://example.com/secret", way=way))
    assert answer.phase is Phase.PROXY
    assert reason in answer.reason
    assert "secret" not in answer.reason


async def test_a_407_for_plain_http_is_the_proxys_and_not_the_receivers() -> None:
    says = b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n"
    async with proxying(refuses=says) as proxy, client() as through:
        way = Way(proxy=f"http://127.0.0.1:{proxy.port}")
        answer = unanswered(await sender(through)("http://example.com/", way=way))
    assert answer.phase is Phase.PROXY


@pytest.mark.parametrize(
    ("reply", "phase"),
    [(1, Phase.PROXY), (2, Phase.PROXY), (4, Phase.CONNECT), (5, Phase.CONNECT)],
)
async def test_a_socks_proxy_says_whose_fault_it_is(reply: int, phase: Phase) -> None:
    async with proxying(socks=True, refuses=reply) as proxy, client() as through:
        way = Way(proxy=f"socks5h://127.0.0.1:{proxy.port}")
        answer = unanswered(await sender(through)("https://example.com/", way=way))
    assert answer.phase is phase


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_a_proxy_that_is_away_is_our_fault(scheme: str) -> None:
    async with client() as through:
        way = Way(proxy=f"{scheme}://user:secret@127.0.0.1:1")
        answer = unanswered(await sender(through)("https://example.com/", way=way))
    assert answer.phase is Phase.PROXY
    assert "127.0.0.1:1 cannot be reached" in answer.reason
    assert "secret" not in answer.reason


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_the_guard_holds_for_the_proxys_own_address(scheme: str) -> None:
    async with proxying(socks=scheme != "http") as proxy, client(closed=True) as through:
        way = Way(proxy=f"{scheme}://127.0.0.1:{proxy.port}")
        answer = unanswered(await sender(through)("https://example.com/", way=way))
    assert answer.phase is Phase.GUARD
    assert answer.reason.startswith("the proxy: ")
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "https://169.254.169.254/",
        "https://inside.test/",
        "http://inside.test/",
        "https://[::1]/",
        "http://a.localhost/",
    ],
)
async def test_no_proxy_is_asked_for_what_we_know_to_be_forbidden(
    scheme: str, url: str
) -> None:
    allow = (ip_network("127.0.0.9/32"),)
    client = Client(clock=VirtualClock(), allow=allow, lookup=known)
    async with client as through:
        way = Way(proxy=f"{scheme}://127.0.0.9:1")
        answer = unanswered(await sender(through)(url, way=way))
    assert answer.phase is Phase.GUARD, answer.reason


async def test_a_name_that_only_the_proxy_knows_is_left_to_it(receive: Receive) -> None:
    receiver = await receive(NO_CONTENT, keep=True)
    url = f"http://unknown.test:{port_of(receiver.url)}/"
    async with proxying(socks=True) as proxy, client() as through:
        ways = [f"{scheme}://127.0.0.1:{proxy.port}" for scheme in ("socks5h", "socks5")]
        assert answered(await sender(through)(url, way=Way(proxy=ways[0]))).status == 204
        answer = unanswered(await sender(through)(url, way=Way(proxy=ways[1])))
    assert answer.phase is Phase.RESOLVE


@pytest.mark.parametrize("socks", [False, True])
async def test_a_silent_proxy_ends_at_the_deadline_and_is_named(socks: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        way = Way(proxy=f"{'socks5h' if socks else 'http'}://127.0.0.1:{port}")
        async with client() as through:
            send = sender(through)
            answer = unanswered(await send("https://example.com/", way=way, seconds=0.3))
    assert answer.phase is Phase.PROXY
    assert answer.reason.startswith(
        f"the proxy 127.0.0.1:{port} made no way to example.com"
    )


async def test_two_ways_share_no_connection(receive: Receive) -> None:
    receiver = await receive(keep=True)
    url = f"http://example.com:{port_of(receiver.url)}/"
    async with proxying() as one, proxying() as two, client() as through:
        for proxy in (one, two, one, two):
            way = Way(proxy=f"http://127.0.0.1:{proxy.port}")
            assert answered(await sender(through)(url, way=way)).status == 204
    assert len(one.asked) == len(two.asked) == 1
