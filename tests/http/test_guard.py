"""The address guard on real sockets: what is forbidden is never connected to."""

import codecs
import itertools
import socket
from collections.abc import Callable, Sequence
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import anyio
import pytest

from bridge.core.network.addresses import Allow
from bridge.core.network.exchange import Phase, Request
from bridge.http import Client
from bridge.http.failure import Forbidden
from bridge.http.guard import guarded_socket, system_lookup
from tests.fakes.clock import VirtualClock
from tests.http.conftest import (
    LOOPBACK,
    NO_CONTENT,
    Receive,
    Send,
    answered,
    full,
    sender,
    unanswered,
)

pytestmark = pytest.mark.anyio

CORPUS = Path(__file__).parent.parent / "fixtures" / "ssrf_addresses.txt"


def corpus() -> tuple[dict[str, list[str]], list[str]]:
    """Return what the resolver says, and every refused URL; an address stands in one."""
    answers, urls = {}, []
    for line in CORPUS.read_text().splitlines():
        if line.startswith("#resolve "):
            _, name, *addresses = line.split()
            answers[name] = addresses
        elif line.startswith("deny"):
            urls.append(codecs.decode(line.split("\t")[1], "unicode_escape"))
    bracketed = (f"[{text}]" if text.count(":") > 1 else text for text in urls)
    return answers, [
        u if "/" in u or "http:" in u else f"http://{b}/"
        for u, b in zip(urls, bracketed, strict=True)
    ]


ANSWERS, REFUSED = corpus()


def client(allow: Allow, lookup: Callable[[str], Sequence[str]]) -> Client:
    async def asked(host: str) -> Sequence[str]:
        await anyio.lowlevel.checkpoint()
        return lookup(host)

    return Client(clock=VirtualClock(), allow=allow, lookup=asked)


class Asked(list[str]):
    """Keeps the names that a resolver was asked for."""

    def __call__(self, host: str) -> Sequence[str]:
        self.append(host)
        return ()


def known(host: str) -> Sequence[str]:
    if host not in ANSWERS:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")
    return ANSWERS[host]


async def test_no_refused_address_or_url_of_the_corpus_reaches_a_socket() -> None:
    async with client((), known) as guarded:
        phases = {url: unanswered(await sender(guarded)(url)).phase for url in REFUSED}
    assert len(phases) > 80
    assert {url: phase for url, phase in phases.items() if phase is not Phase.GUARD} == {}


async def test_an_address_in_the_url_reaches_no_resolver_and_is_refused_at_the_socket(
    receive: Receive,
) -> None:
    receiver = await receive()
    asked = Asked()
    async with client((), asked) as guarded:
        answer = unanswered(await sender(guarded)(receiver.url + "/"))
    assert answer.phase is Phase.GUARD
    assert (
        answer.reason == "127.0.0.1 is a loopback address; network.allow does not list it"
    )
    assert (asked, receiver.connections) == ([], 0)


async def test_network_allow_opens_what_it_lists(receive: Receive) -> None:
    receiver = await receive()
    async with client((ip_network("127.0.0.1/32"),), known) as guarded:
        assert answered(await sender(guarded)(receiver.url + "/")).status == 204


async def test_one_forbidden_answer_refuses_the_name(receive: Receive) -> None:
    receiver = await receive(host="127.0.0.2")
    port = receiver.url.rpartition(":")[2]
    allow = (ip_network("127.0.0.2/32"),)
    async with client(allow, lambda _: ["127.0.0.2", "10.0.0.1"]) as guarded:
        answer = unanswered(await sender(guarded)(f"http://mixed.test:{port}/"))
    assert answer.phase is Phase.GUARD
    assert answer.reason == (
        "mixed.test must not be contacted: 10.0.0.1 is a private address"
    )
    assert receiver.connections == 0


async def test_a_translated_answer_is_skipped(receive: Receive) -> None:
    receiver = await receive()
    port = receiver.url.rpartition(":")[2]
    async with client(LOOPBACK, lambda _: ["64:ff9b::7f00:1", "127.0.0.1"]) as guarded:
        assert answered(await sender(guarded)(f"http://dns64.test:{port}/")).status == 204


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "LOCALHOST."])
async def test_localhost_is_loopback_and_no_resolver_is_asked(
    host: str, receive: Receive
) -> None:
    receiver = await receive()
    port = receiver.url.rpartition(":")[2]
    asked = Asked()
    async with client(LOOPBACK, asked) as open_:
        assert answered(await sender(open_)(f"http://{host}:{port}/")).status == 204
    async with client((), asked) as closed:
        answer = unanswered(await sender(closed)(f"http://{host}:{port}/"))
    assert answer.phase is Phase.GUARD
    assert asked == []


@pytest.mark.parametrize(
    "anyio_backend", [("asyncio", {"use_uvloop": True})], ids=["uvloop"]
)
async def test_a_name_that_flips_to_a_forbidden_address_gets_none_of_10000_through(
    receive: Receive,
) -> None:
    good = await receive(host="127.0.0.2")
    port = int(good.url.rpartition(":")[2])
    trap = await receive(host="127.0.0.1", port=port)
    flips = itertools.cycle(["127.0.0.2", "127.0.0.1"])
    allow = (ip_network("127.0.0.2/32"),)
    async with client(allow, lambda _: [next(flips)]) as guarded:
        for i in range(10_000):
            request = Request(method="POST", url=f"http://n{i}.rebind.test:{port}/")
            await guarded.send(request, timeout=timedelta(seconds=5), limit=0)
    assert (trap.connections, good.connections) == (0, 5000)


def test_no_socket_is_made_for_a_forbidden_address() -> None:
    make = guarded_socket((ip_network("127.0.0.1/32"),))
    where = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    with pytest.raises(Forbidden, match="private"):
        make((*where, ("10.0.0.1", 80)))
    make((*where, ("127.0.0.1", 80))).close()


async def test_an_unknown_name_is_said_to_be_unknown() -> None:
    async with client((), known) as guarded:
        answer = unanswered(await sender(guarded)("http://nobody.test/secret"))
    assert answer.phase is Phase.RESOLVE
    assert answer.reason == "the name nobody.test is unknown"


async def test_a_name_that_takes_too_long_ends_at_the_deadline() -> None:
    async def never(host: str) -> Sequence[str]:
        await anyio.sleep(60)
        return ()

    async with Client(clock=VirtualClock(), lookup=never) as waiting:
        answer = unanswered(await sender(waiting)("http://slow.test/", seconds=0.2))
    assert answer.phase is Phase.DEADLINE
    assert answer.reason == "the name slow.test was not resolved in 0.2 s"


async def test_a_name_may_take_only_its_share_of_the_time() -> None:
    async def never(host: str) -> Sequence[str]:
        await anyio.sleep(60)
        return ()

    share = timedelta(seconds=0.1)
    async with Client(clock=VirtualClock(), lookup=never, connect=share) as waiting:
        answer = unanswered(await sender(waiting)("http://slow.test/", seconds=14))
    assert answer.reason == "the name slow.test was not resolved in 0.1 s"


async def test_a_resolver_that_answers_for_nobody_is_this_machines_fault() -> None:
    def again(host: str) -> Sequence[str]:
        if host == "good.test":
            return ["127.0.0.1"]
        raise socket.gaierror(socket.EAI_AGAIN, "again")

    async with client(LOOPBACK, again) as guarded:
        send = sender(guarded)
        phases = [unanswered(await send(f"http://n{i}.test:1/")).phase for i in range(3)]
        assert phases == [Phase.RESOLVE, Phase.RESOLVE, Phase.LOCAL]
        assert unanswered(await send("http://good.test:1/")).phase is Phase.CONNECT
        assert unanswered(await send("http://n9.test:1/")).phase is Phase.RESOLVE


async def test_many_names_without_an_answer_do_not_hold_up_one_with(
    receive: Receive,
) -> None:
    async def slow_but_one(host: str) -> Sequence[str]:
        if host != "good.test":
            await anyio.sleep(60)
        return ["127.0.0.1"]

    receiver = await receive()
    port = receiver.url.rpartition(":")[2]
    async with Client(clock=VirtualClock(), allow=LOOPBACK, lookup=slow_but_one) as waiting:
        send = sender(waiting)
        async with anyio.create_task_group() as tasks:
            for i in range(100):
                tasks.start_soon(send, f"http://n{i}.test/")
            assert answered(await send(f"http://good.test:{port}/")).status == 204
            tasks.cancel_scope.cancel()


async def test_the_systems_resolver_is_asked_in_a_thread_of_its_own() -> None:
    assert list(await system_lookup("127.0.0.1")) == ["127.0.0.1"]
    with pytest.raises(socket.gaierror):
        await system_lookup("a" * 64 + ".test")


async def test_an_answer_to_nobody_is_no_error(receive: Receive, send: Send) -> None:
    with anyio.move_on_after(0):
        await system_lookup("127.0.0.1")
    receiver = await receive(NO_CONTENT)
    assert answered(await send(receiver.url + "/")).status == 204


async def test_a_name_is_asked_for_once_by_many_and_again_when_it_leads_nowhere(
    receive: Receive,
) -> None:
    receiver = await receive()
    port = receiver.url.rpartition(":")[2]
    asked: list[str] = []

    async def slowly(host: str) -> Sequence[str]:
        asked.append(host)
        await anyio.sleep(0.05)
        return ["127.0.0.1"]

    async with Client(clock=VirtualClock(), allow=LOOPBACK, lookup=slowly) as waiting:
        send = sender(waiting)
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(send, f"http://good.test:{port}/")
        assert asked == ["good.test"]
        assert unanswered(await send("http://good.test:1/")).phase is Phase.CONNECT
        assert answered(await send(f"http://good.test:{port}/")).status == 204
    assert asked == ["good.test", "good.test"]


async def test_one_who_stops_waiting_for_a_name_does_not_end_the_wait_of_another(
    receive: Receive,
) -> None:
    receiver = await receive()
    url = f"http://good.test:{receiver.url.rpartition(':')[2]}/"

    async def slowly(host: str) -> Sequence[str]:
        await anyio.sleep(0.1)
        return ["127.0.0.1"]

    async with Client(clock=VirtualClock(), allow=LOOPBACK, lookup=slowly) as waiting:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sender(waiting), url)
            await anyio.sleep(0.02)
            tasks.cancel_scope.cancel()
        assert answered(await sender(waiting)(url)).status == 204


@pytest.mark.skipif(not socket.has_ipv6, reason="needs ::1")
async def test_an_address_that_does_not_answer_does_not_hold_up_the_others(
    receive: Receive,
) -> None:
    receiver = await receive()
    port = int(receiver.url.rpartition(":")[2])
    allow = (*LOOPBACK, ip_network("::1/128"))
    with full("::1", port):
        async with client(allow, lambda _: ("::1", "127.0.0.1")) as http:
            answer = answered(await sender(http)(f"http://both.example:{port}/"))
            assert answer.peer is not None
            assert answer.peer.address == f"127.0.0.1:{port}"
            alone = await sender(http)(f"http://[::1]:{port}/", seconds=0.3)
            assert unanswered(alone).phase is Phase.DEADLINE


@pytest.mark.parametrize(
    "answers", [("8.8.8.8", "fe80::1%lo"), ("fe80::1%1",), ("8.8.8.8", "::1%lo"), ("x",)]
)
async def test_an_answer_with_a_scope_or_that_is_none_refuses_the_name(
    answers: Sequence[str],
) -> None:
    async with client((ip_network("::/0"),), lambda _: answers) as http:
        answer = unanswered(await sender(http)("http://odd.example/"))
    assert answer.phase is Phase.GUARD
