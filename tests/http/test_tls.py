"""TLS: names, dates, authorities and versions are checked, and a refusal says what it saw."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from bridge.core.network.exchange import Phase
from bridge.http import Client
from tests.fakes.clock import VirtualClock
from tests.http.conftest import (
    LOOPBACK,
    NO_CONTENT,
    Receive,
    Send,
    answered,
    sender,
    unanswered,
)

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
async def send(ca_file: Path) -> AsyncIterator[Send]:
    async with Client(clock=VirtualClock(), allow=LOOPBACK, ca=ca_file) as client:
        yield sender(client)


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


async def test_a_certificate_of_a_trusted_authority_is_accepted_and_the_connection_kept(
    receive: Receive, send: Send, authority: trustme.CA
) -> None:
    receiver = await receive(keep=True, tls=context(authority.issue_cert("localhost")))
    for _ in range(2):
        assert answered(await send(receiver.url + "/")).status == 204
    assert receiver.connections == 1


async def test_only_the_systems_authorities_are_trusted_without_a_file(
    receive: Receive, client: Client, authority: trustme.CA
) -> None:
    receiver = await receive(tls=context(authority.issue_cert("localhost")))
    answer = unanswered(await sender(client)(receiver.url + "/"))
    assert answer.phase is Phase.TLS
    assert receiver.requests == []


async def refusal(receive: Receive, send: Send, certificate: trustme.LeafCert) -> str:
    receiver = await receive(tls=context(certificate))
    answer = unanswered(await send(receiver.url + "/secret"))
    assert answer.phase is Phase.TLS
    assert receiver.requests == []
    assert receiver.url.removeprefix("https://") in answer.reason
    assert "secret" not in answer.reason
    return answer.reason


async def test_a_certificate_for_another_name_is_refused_and_its_names_are_said(
    receive: Receive, send: Send, authority: trustme.CA
) -> None:
    reason = await refusal(receive, send, authority.issue_cert("other.example"))
    assert "is for another name: it is for other.example, valid " in reason


async def test_an_expired_certificate_is_refused_and_its_dates_are_said(
    receive: Receive, send: Send, authority: trustme.CA
) -> None:
    end = NOW - DAY
    old = authority.issue_cert("localhost", not_before=end - DAY, not_after=end)
    reason = await refusal(receive, send, old)
    assert "has expired" in reason
    assert f"to {end:%Y-%m-%d}, issued by Test CA" in reason


async def test_a_certificate_of_tomorrow_is_refused(
    receive: Receive, send: Send, authority: trustme.CA
) -> None:
    begin = NOW + DAY
    early = authority.issue_cert("localhost", not_before=begin, not_after=begin + DAY)
    reason = await refusal(receive, send, early)
    assert "is not valid yet" in reason
    assert f"valid {begin:%Y-%m-%d} to" in reason


async def test_a_certificate_of_an_unknown_authority_is_refused_and_it_is_named(
    receive: Receive, send: Send
) -> None:
    other = trustme.CA(organization_name="Nobody CA").issue_cert("localhost")
    reason = await refusal(receive, send, other)
    assert "authority that is not trusted here" in reason
    assert "issued by Nobody CA" in reason


async def test_a_certificate_for_the_address_alone_does_not_serve_the_name(
    receive: Receive, send: Send, authority: trustme.CA
) -> None:
    reason = await refusal(receive, send, authority.issue_cert("127.0.0.1"))
    assert "it is for 127.0.0.1" in reason


async def test_a_tls_version_before_1_2_is_refused(
    receive: Receive, send: Send, authority: trustme.CA
) -> None:
    old = context(authority.issue_cert("localhost"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    receiver = await receive(tls=old)
    answer = unanswered(await send(receiver.url + "/"))
    assert answer.phase is Phase.TLS
    assert receiver.requests == []


async def test_a_port_that_speaks_plain_http_is_named_so(send: Send) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(99)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer = unanswered(await send(f"https://localhost:{port}/"))
    server.close()
    assert answer.phase is Phase.TLS
    assert "does not speak TLS" in answer.reason


@pytest.mark.parametrize(
    "says", [b"", b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x03\x03\xff\xff"]
)
async def test_a_handshake_that_breaks_is_told_from_a_refused_connection(
    says: bytes, send: Send
) -> None:
    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(99)
        writer.write(says)
        writer.close()

    server = await asyncio.start_server(breaks, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer = unanswered(await send(f"https://localhost:{port}/"))
    server.close()
    assert answer.phase is Phase.TLS
    assert f"localhost:{port}" in answer.reason


async def test_a_silent_handshake_ends_at_the_deadline(send: Send) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer = unanswered(await send(f"https://localhost:{port}/", seconds=0.3))
    server.close()
    assert answer.phase is Phase.DEADLINE
    assert answer.reason == f"no TLS connection to localhost:{port} in 0.3 s"


async def test_an_answer_over_tls_is_cut_like_any_other(
    receive: Receive, send: Send, authority: trustme.CA
) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(NO_CONTENT.replace(b"204 No Content", b"200 OK"))
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    receiver = await receive(endless, tls=context(authority.issue_cert("localhost")))
    answer = answered(await send(receiver.url + "/", limit=1000))
    assert (len(answer.body), answer.cut) == (1000, True)


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("127.0.0.1", None),
        ("localhost", "localhost"),
        ("xn--bcher-kva.localhost", "xn--bcher-kva.localhost"),
    ],
)
async def test_a_name_is_told_to_the_receiver_and_an_address_is_not(
    host: str, named: str | None, receive: Receive, send: Send, authority: trustme.CA
) -> None:
    told: list[str | None] = []
    made = context(authority.issue_cert(host))
    made.set_alpn_protocols(["h2", "http/1.1"])
    made.sni_callback = lambda _spoken, name, _context: told.append(name)
    spoken: list[str | None] = []

    async def script(writer: asyncio.StreamWriter) -> None:
        spoken.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.write(NO_CONTENT)

    receiver = await receive(script, tls=made)
    url = receiver.url.replace("localhost", host)
    assert answered(await send(url + "/")).status == 204
    assert (told, spoken) == ([named], ["http/1.1"])


async def test_a_certificate_for_another_address_or_name_does_not_serve_an_address(
    receive: Receive, send: Send, authority: trustme.CA
) -> None:
    for names in (["127.0.0.2"], ["localhost"]):
        receiver = await receive(tls=context(authority.issue_cert(*names)))
        url = receiver.url.replace("localhost", "127.0.0.1")
        answer = unanswered(await send(url + "/"))
        assert answer.phase is Phase.TLS
        assert "is for another address" in answer.reason
        assert receiver.requests == []
