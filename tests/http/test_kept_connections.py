"""Connections that are kept: a dead one costs no attempt, a poisoned one is not used."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest

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


class Scripted:
    """Plays another script for each request."""

    def __init__(self, *steps: bytes | None) -> None:
        self._steps: Iterator[bytes | None] = iter(steps)

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        step = next(self._steps)
        if step is None:
            writer.close()
        else:
            writer.write(step)


async def test_a_kept_connection_that_ends_without_a_byte_is_replaced_at_once(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(Scripted(NO_CONTENT, None, NO_CONTENT), keep=True)
    answered(await send(receiver.url + "/one"))
    answer = answered(await send(receiver.url + "/two"))
    assert answer.status == 204
    assert not answer.timings.reused
    assert [r.split(b" ")[1] for r in receiver.requests] == [b"/one", b"/two", b"/two"]
    assert receiver.connections == 2


async def test_a_short_deadline_counts_after_a_long_one(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(Scripted(NO_CONTENT, b""), keep=True)
    answered(await send(receiver.url + "/", seconds=600))
    answer = unanswered(await send(receiver.url + "/", seconds=0.1))
    assert answer.phase is Phase.DEADLINE
    assert receiver.connections == 1


async def test_the_deadline_of_a_request_ends_no_later_one(
    receive: Receive, send: Send
) -> None:
    async def script(writer: asyncio.StreamWriter) -> None:
        if len(receiver.requests) == 2:
            await asyncio.sleep(0.3)
        writer.write(NO_CONTENT)

    receiver = await receive(script, keep=True)
    answered(await send(receiver.url + "/", seconds=0.2))
    assert answered(await send(receiver.url + "/", seconds=10)).timings.reused


async def test_the_second_connection_that_ends_is_the_receivers_fault(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(Scripted(NO_CONTENT, None, None, NO_CONTENT), keep=True)
    answered(await send(receiver.url + "/"))
    answer = unanswered(await send(receiver.url + "/"))
    assert answer.phase is Phase.ANSWER
    assert len(receiver.requests) == 3


async def test_the_new_connection_is_never_another_kept_one(
    receive: Receive, send: Send
) -> None:
    first = asyncio.Event()
    ending = False

    async def script(writer: asyncio.StreamWriter) -> None:
        if receiver.connections == 2:
            first.set()
        await first.wait()
        if ending and receiver.connections == 2:
            writer.close()
        else:
            writer.write(NO_CONTENT)

    receiver = await receive(script, keep=True)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(send(receiver.url + "/"))
    ending = True
    assert answered(await send(receiver.url + "/")).status == 204
    assert receiver.connections == 3


async def test_a_kept_connection_that_ends_within_its_answer_is_not_asked_again(
    receive: Receive, send: Send
) -> None:
    async def script(writer: asyncio.StreamWriter) -> None:
        if len(receiver.requests) == 2:
            writer.write(b"HTTP/1.1 204")
            await writer.drain()
            writer.close()
        else:
            writer.write(NO_CONTENT)

    receiver = await receive(script, keep=True)
    answered(await send(receiver.url + "/"))
    answer = unanswered(await send(receiver.url + "/"))
    assert answer.phase is Phase.ANSWER
    assert "within the head" in answer.reason
    assert len(receiver.requests) == 2


async def test_a_kept_connection_that_stays_silent_is_not_asked_again(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(Scripted(NO_CONTENT, b"", NO_CONTENT), keep=True)
    answered(await send(receiver.url + "/"))
    answer = unanswered(await send(receiver.url + "/", seconds=0.3))
    assert answer.phase is Phase.DEADLINE
    assert answer.reason.startswith("no answer from")
    assert answer.timings.reused
    assert len(receiver.requests) == 2


async def test_a_connection_closed_while_idle_is_not_used(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(NO_CONTENT)
    for _ in range(2):
        assert answered(await send(receiver.url + "/")).status == 204
        await asyncio.sleep(0.05)
    assert (receiver.connections, len(receiver.requests)) == (2, 2)


@pytest.mark.parametrize("together", [True, False], ids=["at once", "later"])
async def test_an_answer_that_nobody_asked_for_answers_nothing(
    together: bool, receive: Receive, send: Send
) -> None:
    planted = b"HTTP/1.1 200 Planted\r\ncontent-length: 0\r\n\r\n"

    async def plant(writer: asyncio.StreamWriter) -> None:
        writer.write(NO_CONTENT + planted if together else NO_CONTENT)
        if not together:
            await asyncio.sleep(0.02)
            writer.write(planted)

    receiver = await receive(plant, keep=True)
    for _ in range(3):
        assert answered(await send(receiver.url + "/")).status == 204
        await asyncio.sleep(0.05)
    assert receiver.connections == 3


async def test_a_connection_that_was_idle_for_too_long_is_not_used(
    receive: Receive,
) -> None:
    receiver = await receive(NO_CONTENT, keep=True)
    idle = timedelta(milliseconds=50)
    async with Client(clock=VirtualClock(), allow=LOOPBACK, idle=idle) as client:
        for _ in range(2):
            assert answered(await sender(client)(receiver.url + "/")).status == 204
            await asyncio.sleep(0.1)
    assert receiver.connections == 2


async def test_a_connection_that_is_to_close_is_not_kept(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", keep=True
    )
    for _ in range(2):
        assert answered(await send(receiver.url + "/")).status == 200
    assert receiver.connections == 2


async def test_a_connection_with_an_unread_body_is_not_kept(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabcde", keep=True
    )
    for _ in range(2):
        assert answered(await send(receiver.url + "/", limit=2)).body == b"ab"
    assert receiver.connections == 2


async def test_one_after_the_other_many_requests_need_one_connection(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(NO_CONTENT, keep=True)
    for _ in range(200):
        assert answered(await send(receiver.url + "/")).status == 204
    assert (receiver.connections, len(receiver.requests)) == (1, 200)


async def test_an_answer_that_came_while_the_loop_was_busy_is_not_taken_for_the_next(
    client: Client,
) -> None:
    planted = b"HTTP/1.1 200 Planted\r\ncontent-length: 0\r\n\r\n"
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        one = asyncio.create_task(sender(client)(url))
        first, _ = await loop.sock_accept(listening)
        with first:
            await loop.sock_recv(first, 65536)
            first.sendall(NO_CONTENT)
            assert answered(await one).status == 204
            # From here to the next request the loop does not look at its sockets.
            first.sendall(planted)
            two = asyncio.create_task(sender(client)(url))
            second, _ = await asyncio.wait_for(loop.sock_accept(listening), 5)
            with second:
                await loop.sock_recv(second, 65536)
                second.sendall(NO_CONTENT)
                assert answered(await two).status == 204


async def test_a_204_with_a_body_answers_nothing_with_it(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(
        b"HTTP/1.1 204 No\r\ncontent-length: 43\r\n\r\n"
        b"HTTP/1.1 200 Planted\r\ncontent-length: 0\r\n\r\n",
        keep=True,
    )
    for _ in range(3):
        assert answered(await send(receiver.url + "/")).status == 204
    assert receiver.connections == 3


async def test_a_thousand_requests_by_eight_need_eight_connections(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(NO_CONTENT, keep=True)

    async def some() -> None:
        for _ in range(125):
            assert answered(await send(receiver.url + "/")).status == 204

    await asyncio.gather(*(some() for _ in range(8)))
    assert len(receiver.requests) == 1000
    assert receiver.connections <= 8


async def test_an_end_is_heard_though_the_request_is_not_taken(send: Send) -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        task = asyncio.create_task(send(url, body=bytes(8 << 20)))
        there, _ = await loop.sock_accept(listening)
        with there:
            await loop.sock_recv(there, 1)
            there.sendall(b"HTTP/1.1 413 Too Large\r\n\r\nno")
            there.shutdown(socket.SHUT_WR)
            answer = answered(await task)
    # Its end was seen, and not the deadline.
    assert (answer.status, answer.body, answer.cut) == (413, b"no", False)
