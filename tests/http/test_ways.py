"""Ways with PEM files: whom we trust, what we show, and what happens when files are wrong."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from bridge.core.network.exchange import Phase
from bridge.core.network.way import Way
from bridge.http import Client
from tests.fakes.clock import EPOCH, VirtualClock
from tests.http.conftest import (
    LOOPBACK,
    Receive,
    answered,
    sender,
    unanswered,
)

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@pytest.fixture
def other() -> trustme.CA:
    return trustme.CA(organization_name="Clients CA")


def context(authority: trustme.CA, clients: trustme.CA | None = None) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(made)
    if clients is not None:
        clients.configure_trust(made)
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def written(path: Path, *blobs: trustme.Blob) -> str:
    path.write_bytes(b"".join(blob.bytes() for blob in blobs))
    return str(path)


def shown_by(
    clients: trustme.CA, folder: Path, *, name: str = "genbridge"
) -> dict[str, str]:
    """Write a certificate of ours and its key; return them as keys of a way."""
    leaf = clients.issue_cert(name)
    return {
        "cert": written(folder / f"{name}.pem", *leaf.cert_chain_pems),
        "key": written(folder / f"{name}.key", leaf.private_key_pem),
    }


async def test_a_way_with_authorities_trusts_these_alone(
    receive: Receive,
    client: Client,
    authority: trustme.CA,
    other: trustme.CA,
    tmp_path: Path,
) -> None:
    receiver = await receive(keep=True, tls=context(authority))
    good = Way(ca=written(tmp_path / "ca.pem", authority.cert_pem))
    bad = Way(ca=written(tmp_path / "other.pem", other.cert_pem))
    send = sender(client)
    answer = answered(await send(receiver.url + "/", way=good))
    assert answer.peer is not None
    assert answer.peer.tls == "TLSv1.3"
    assert answer.peer.address == receiver.url.replace("https://localhost", "127.0.0.1")
    for way in (bad, Way()):
        refused = unanswered(await send(receiver.url + "/", way=way))
        assert refused.phase is Phase.TLS
        assert "authority that is not trusted here" in refused.reason
    assert len(receiver.requests) == 1


async def test_a_receiver_that_wants_a_certificate_is_shown_ours(
    receive: Receive,
    client: Client,
    authority: trustme.CA,
    other: trustme.CA,
    tmp_path: Path,
) -> None:
    receiver = await receive(keep=True, tls=context(authority, other))
    ca = written(tmp_path / "ca.pem", authority.cert_pem)
    send = sender(client)
    shown = Way(ca=ca, **shown_by(other, tmp_path))
    assert answered(await send(receiver.url + "/", way=shown)).status == 204
    stranger = Way(ca=ca, **shown_by(authority, tmp_path, name="stranger"))
    for way in (Way(ca=ca), stranger):
        refused = unanswered(await send(receiver.url + "/", way=way))
        assert refused.phase is Phase.ANSWER
        assert "it may want a client certificate (tls.cert), or another one" in (
            refused.reason
        )
    assert len(receiver.requests) == 1


async def test_two_ways_with_equal_files_share_their_connections(
    receive: Receive, client: Client, authority: trustme.CA, tmp_path: Path
) -> None:
    receiver = await receive(keep=True, tls=context(authority))
    ca = written(tmp_path / "ca.pem", authority.cert_pem)
    for _ in range(3):
        assert (
            answered(await sender(client)(receiver.url + "/", way=Way(ca=ca))).status == 204
        )
    assert receiver.connections == 1


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        ("ca", None, "tls.ca cannot be read: no such file or directory"),
        ("cert", None, "tls.cert cannot be read: no such file or directory"),
        ("key", None, "tls.key cannot be read: no such file or directory"),
        ("ca", b"", "tls.ca holds no certificate in PEM"),
        ("ca", b"\0garbage", "tls.ca holds no certificate in PEM"),
        ("cert", b"garbage", "tls.cert and tls.key are not a PEM certificate"),
        ("key", b"garbage", "tls.cert and tls.key are not a PEM certificate"),
    ],
)
async def test_a_wrong_file_is_our_fault_and_named(
    key: str,
    content: bytes | None,
    reason: str,
    *,
    receive: Receive,
    client: Client,
    authority: trustme.CA,
    tmp_path: Path,
) -> None:
    receiver = await receive(keep=True, tls=context(authority))
    ca = written(tmp_path / "ca.pem", authority.cert_pem)
    files = {"ca": ca, **shown_by(authority, tmp_path)}
    files[key] = str(tmp_path / "wrong.pem")
    if content is not None:
        (tmp_path / "wrong.pem").write_bytes(content)
    answer = unanswered(await sender(client)(receiver.url + "/", way=Way(**files)))
    assert answer.phase is Phase.LOCAL
    assert reason in answer.reason


async def test_a_folder_in_the_place_of_a_file_is_a_reason(
    receive: Receive, client: Client, authority: trustme.CA, tmp_path: Path
) -> None:
    receiver = await receive(keep=True, tls=context(authority))
    answer = unanswered(await sender(client)(receiver.url + "/", way=Way(ca=str(tmp_path))))
    assert answer.phase is Phase.LOCAL


async def test_an_expired_certificate_of_ours_is_not_shown_and_its_day_is_said(
    receive: Receive, authority: trustme.CA, tmp_path: Path
) -> None:
    receiver = await receive(keep=True, tls=context(authority))
    ca = written(tmp_path / "ca.pem", authority.cert_pem)
    end = EPOCH.replace(microsecond=0) - DAY
    leaf = authority.issue_cert("genbridge", not_before=end - DAY, not_after=end)
    cert = written(tmp_path / "old.pem", *leaf.cert_chain_pems)
    key = written(tmp_path / "old.key", leaf.private_key_pem)
    async with Client(clock=VirtualClock(), allow=LOOPBACK) as client:
        way = Way(ca=ca, cert=cert, key=key)
        answer = unanswered(await sender(client)(receiver.url + "/", way=way))
    assert answer.phase is Phase.LOCAL
    assert answer.reason == f"our own certificate (tls.cert) expired on {end:%Y-%m-%d}"


async def test_changed_files_are_read_again_when_told_to_and_unchanged_ones_kept(
    receive: Receive,
    client: Client,
    authority: trustme.CA,
    other: trustme.CA,
    tmp_path: Path,
) -> None:
    receiver = await receive(keep=True, tls=context(authority))
    same = Way(ca=written(tmp_path / "same.pem", authority.cert_pem))
    changing = Way(ca=written(tmp_path / "changing.pem", authority.cert_pem))
    send = sender(client)
    for way in (same, changing):
        assert answered(await send(receiver.url + "/", way=way)).status == 204
    written(tmp_path / "changing.pem", other.cert_pem, other.cert_pem)
    assert answered(await send(receiver.url + "/", way=changing)).timings.reused
    await client.renew()
    assert unanswered(await send(receiver.url + "/", way=changing)).phase is Phase.TLS
    assert answered(await send(receiver.url + "/", way=same)).timings.reused


async def test_the_parts_of_an_exchange_are_timed(
    receive: Receive, authority: trustme.CA, tmp_path: Path
) -> None:
    class Ticking(VirtualClock):
        """A clock that moves by a second whenever it is looked at."""

        def monotonic(self) -> float:
            self.ticks = getattr(self, "ticks", 0.0) + 1.0
            return self.ticks

    receiver = await receive(keep=True, tls=context(authority))
    way = Way(ca=written(tmp_path / "ca.pem", authority.cert_pem))
    async with Client(clock=Ticking(), allow=LOOPBACK) as client:
        first, second = [
            answered(await sender(client)(receiver.url + "/", way=way)).timings
            for _ in range(2)
        ]
    parts = (first.dns, first.connect, first.tls, first.send, first.wait, first.body)
    assert all(part == 1000 for part in parts), parts
    assert (second.dns, second.connect, second.tls) == (None, None, None)
    assert (first.reused, second.reused) == (False, True)
    assert first.total > second.total > 0


async def test_who_did_not_answer_is_said_too(receive: Receive, client: Client) -> None:
    receiver = await receive(b"")
    answer = unanswered(await sender(client)(receiver.url + "/"))
    assert answer.peer is not None
    assert answer.peer.address == receiver.url.removeprefix("http://")
    assert answer.peer.tls is None
