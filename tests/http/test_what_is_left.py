"""What a request leaves behind that was cancelled, was too late, or met the end: nothing."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from bridge.core.network.exchange import Answer, Phase, Response
from bridge.core.network.way import DIRECT, Way
from bridge.http import Client
from tests.fakes.clock import VirtualClock
from tests.http.conftest import (
    LOOPBACK,
    NO_CONTENT,
    Receive,
    Receiver,
    answered,
    full,
    sender,
    unanswered,
)

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\n"


def sockets() -> int:
    """Count the open sockets; uvloop keeps a descriptor of /dev/null besides."""
    kept = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one of this very walk is gone by then
            kept += str(descriptor.readlink()).startswith("socket:")
    return kept


async def settled(what: Callable[[], bool]) -> None:
    """Wait until the loop has closed what was aborted."""
    async with asyncio.timeout(5):
        while not what():  # noqa: ASYNC110  (nobody tells of a closed socket)
            await asyncio.sleep(0.01)


async def never(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def unfinished(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"content-length: 9\r\n\r\nabc")
    await asyncio.sleep(60)


class Stuck:
    """A receiver at which a request comes to a stop in one phase."""

    def __init__(self, url: str, *, way: Way = DIRECT, body: bytes = b"{}") -> None:
        self._url = url
        self._way = way
        self._body = body
        self.receiver: Receiver | None = None

    def send(self, http: Client, seconds: float) -> Coroutine[Any, Any, Answer]:
        return sender(http)(self._url, body=self._body, seconds=seconds, way=self._way)

    async def end(self) -> None:
        """Close the receiver's own ends: they are in this process too."""
        if self.receiver is not None:
            await self.receiver.end()


@pytest.fixture(
    params=["name", "connection", "TLS", "sending", "waiting", "body", "CONNECT"]
)
async def stuck(request: pytest.FixtureRequest, receive: Receive) -> AsyncIterator[Stuck]:
    with contextlib.ExitStack() as stack:

        def deaf() -> str:
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            return f"127.0.0.1:{listening.getsockname()[1]}"

        match request.param:
            case "name":
                yield Stuck("http://hangs.example/")
            case "connection":
                yield Stuck(f"http://127.0.0.1:{stack.enter_context(full())}/")
            case "TLS":
                yield Stuck(f"https://{deaf()}/")
            case "CONNECT":
                yield Stuck("https://127.0.0.1:9/", way=Way(proxy=f"http://{deaf()}"))
            case "sending":
                yield Stuck(f"http://{deaf()}/", body=bytes(5 << 20))
            case what:
                receiver = await receive(never if what == "waiting" else unfinished)
                at = Stuck(receiver.url + "/")
                at.receiver = receiver
                yield at


async def hanging(_host: str) -> Sequence[str]:
    await asyncio.sleep(60)
    return ()


def client() -> Client:
    return Client(clock=VirtualClock(), allow=LOOPBACK, lookup=hanging)


async def test_a_cancelled_request_leaves_neither_a_socket_nor_a_task(stuck: Stuck) -> None:
    before = sockets()
    async with client() as http:
        tasks = asyncio.all_tasks()
        sending = [asyncio.create_task(stuck.send(http, 10)) for _ in range(5)]
        await asyncio.sleep(0.1)
        for task in sending:
            task.cancel()
        done = await asyncio.gather(*sending, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in done)
        await stuck.end()
        await settled(lambda: sockets() <= before)
    await settled(lambda: asyncio.all_tasks() <= tasks)


async def test_a_request_ends_at_its_deadline_in_every_phase(stuck: Stuck) -> None:
    before = sockets()
    async with client() as http:
        answer = await stuck.send(http, 0.2)
        if isinstance(answer, Response):
            assert (answer.body, answer.cut) == (b"abc", True)
        else:
            # A proxy that says nothing is the one that is late.
            assert answer.phase in (Phase.DEADLINE, Phase.PROXY)
        await stuck.end()
        await settled(lambda: sockets() <= before)


async def test_the_end_of_the_client_ends_requests_in_every_phase(stuck: Stuck) -> None:
    before = sockets()
    async with client() as http:
        sending = [asyncio.create_task(stuck.send(http, 10)) for _ in range(3)]
        await asyncio.sleep(0.1)
    async with asyncio.timeout(2):
        answers = await asyncio.gather(*sending)
    assert {unanswered(one).phase for one in answers} == {Phase.LOCAL}
    assert {unanswered(one).reason for one in answers} == {"genbridge is shutting down"}
    await stuck.end()
    await settled(lambda: sockets() <= before)


async def test_without_any_time_nothing_is_sent(receive: Receive) -> None:
    receiver = await receive(keep=True)
    async with client() as http:
        answered(await sender(http)(receiver.url + "/"))
        for seconds in (0, -1):
            answer = unanswered(await sender(http)(receiver.url + "/", seconds=seconds))
            assert answer.phase is Phase.DEADLINE
        assert len(receiver.requests) == 1


async def test_a_way_first_used_while_another_connects_leaves_it_alone(
    receive: Receive,
) -> None:
    receiver = await receive(keep=True)
    before = sockets()
    let_go = asyncio.Event()

    async def slow(_host: str) -> Sequence[str]:
        await let_go.wait()
        return ("127.0.0.1",)

    async with Client(clock=VirtualClock(), allow=LOOPBACK, lookup=slow) as http:
        send = sender(http)
        named = receiver.url.replace("127.0.0.1", "slow.example")
        waiting = asyncio.create_task(send(named + "/"))
        await asyncio.sleep(0.02)
        unanswered(await send(receiver.url + "/", way=Way(proxy="http://127.0.0.1:9")))
        let_go.set()
        answered(await waiting)
        answered(await send(named + "/"))
        assert receiver.connections == 1
    await receiver.end()
    await settled(lambda: sockets() <= before)


async def test_without_descriptors_it_is_this_machines_fault_and_nothing_stays(
    receive: Receive,
) -> None:
    receiver = await receive(NO_CONTENT)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with client() as http:
        before = sockets()
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            answers = [await sender(http)(receiver.url + "/") for _ in range(5)]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert {unanswered(one).phase for one in answers} == {Phase.LOCAL}
        assert answered(await sender(http)(receiver.url + "/")).status == 204
        await settled(lambda: sockets() <= before)
