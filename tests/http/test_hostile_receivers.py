"""Receivers that misbehave: each ends in time, in little memory, and as what it is."""

import asyncio
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from bridge.core.network.exchange import Phase
from tests.http.conftest import Receive, Send, answered, saying, unanswered

pytestmark = pytest.mark.anyio

Writes: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\n"
NOTHING = b"content-length: 0\r\n\r\n"
DEADLINE = 0.4
LIMIT = 65536


def dripping(start: bytes, drop: bytes) -> Writes:
    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)

    return script


async def never(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def resets(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def in_two_parts(first: bytes, second: bytes) -> Writes:
    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(second)

    return script


NO_ANSWER: dict[str, tuple[Writes, Phase, str]] = {
    "says nothing": (never, Phase.DEADLINE, "no answer from"),
    "drips the status line": (
        dripping(b"", b"H"),
        Phase.ANSWER,
        "not in HTTP",
    ),
    "drips a header": (
        dripping(OK + b"x: ", b"a"),
        Phase.DEADLINE,
        "did not finish the head",
    ),
    "drips headers": (dripping(OK, b"x: a\r\n"), Phase.DEADLINE, "did not finish the head"),
    "drips interim answers": (
        dripping(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
        Phase.ANSWER,
        "interim answers",
    ),
    "floods with interim answers": (
        saying(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20_000 + OK + NOTHING),
        Phase.ANSWER,
        "interim answers",
    ),
    "resets": (resets, Phase.ANSWER, "reset the connection"),
    "closes before the answer": (saying(b""), Phase.ANSWER, "closed the connection"),
    "closes in the status line": (
        saying(b"HTTP/1.1 2"),
        Phase.ANSWER,
        "closed the connection",
    ),
    "closes in the head": (saying(OK + b"x: y"), Phase.ANSWER, "closed the connection"),
    "sends garbage": (saying(b"\x00\xff\x13garbage\r\n\r\n"), Phase.ANSWER, "not in HTTP"),
    "is an SSH server": (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), Phase.ANSWER, "not in HTTP"),
    "is a mail server": (
        saying(b"220 mail.example ESMTP ready\r\n"),
        Phase.ANSWER,
        "not in HTTP",
    ),
    "speaks HTTP/0.9": (saying(b"<html>hello</html>"), Phase.ANSWER, "not in HTTP"),
    "has a status that is no number": (
        saying(b"HTTP/1.1 abc OK\r\n" + NOTHING),
        Phase.ANSWER,
        "not in HTTP",
    ),
    "has a status of four digits": (
        saying(b"HTTP/1.1 2000 OK\r\n" + NOTHING),
        Phase.ANSWER,
        "not in HTTP",
    ),
    "has a huge header": (
        saying(OK + b"x: " + b"a" * 200_000 + b"\r\n" + NOTHING),
        Phase.ANSWER,
        "longer than 8190 bytes",
    ),
    "has a huge status line": (
        saying(b"HTTP/1.1 200 " + b"a" * 200_000 + b"\r\n" + NOTHING),
        Phase.ANSWER,
        "longer than 8190 bytes",
    ),
    "has 129 headers": (
        saying(OK + b"x: y\r\n" * 128 + NOTHING),
        Phase.ANSWER,
        "more than 128 header lines",
    ),
    "has a header bomb": (
        saying(OK + b"x: y\r\n" * 100_000 + NOTHING),
        Phase.ANSWER,
        "more than 128 header lines",
    ),
    "has two lengths": (
        saying(OK + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd"),
        Phase.ANSWER,
        "not in HTTP",
    ),
    "has a length and chunks": (
        saying(OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        Phase.ANSWER,
        "not in HTTP",
    ),
    "has a negative length": (
        saying(OK + b"content-length: -1\r\n\r\n"),
        Phase.ANSWER,
        "not in HTTP",
    ),
    "has a length beyond 64 bits": (
        saying(OK + b"content-length: 99999999999999999999\r\n\r\n"),
        Phase.ANSWER,
        "not in HTTP",
    ),
    "has a header with a NUL": (
        saying(OK + b"x: a\0b\r\n" + NOTHING),
        Phase.ANSWER,
        "not in HTTP",
    ),
}

CUT: dict[str, tuple[Writes, bytes]] = {
    "drips its body": (dripping(OK + b"content-length: 999\r\n\r\n", b""), b""),
    "ends within its length": (saying(OK + b"content-length: 100\r\n\r\nabc"), b"abc"),
    "ends within its chunks": (
        saying(OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        b"abc",
    ),
    "has a bad chunk beside the head": (
        saying(OK + b"transfer-encoding: chunked\r\n\r\nZZ\r\nabc"),
        b"",
    ),
    "has a bad chunk later": (
        in_two_parts(OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", b"ZZ\r\nabc"),
        b"abc",
    ),
}

ODD_STATUS = {
    "000": 0,
    "001": 1,
    "099": 99,
    "101": 101,
    "600": 600,
    "999": 999,
}


@pytest.mark.parametrize("name", NO_ANSWER)
async def test_a_receiver_without_a_whole_head_has_not_answered(
    name: str, receive: Receive, send: Send
) -> None:
    script, phase, reason = NO_ANSWER[name]
    receiver = await receive(script)
    answer = unanswered(await send(receiver.url + "/secret", seconds=DEADLINE))
    assert answer.phase is phase
    assert reason in answer.reason
    assert "secret" not in answer.reason


async def test_what_a_receiver_sends_back_is_not_quoted(
    receive: Receive, send: Send
) -> None:
    async def echo(writer: asyncio.StreamWriter) -> None:
        writer.write(receiver.requests[0])

    receiver = await receive(echo)
    answer = unanswered(
        await send(receiver.url + "/secret", headers=(("authorization", "Bearer secret"),))
    )
    assert answer.phase is Phase.ANSWER
    assert "secret" not in answer.reason


@pytest.mark.parametrize("name", CUT)
async def test_a_body_that_breaks_or_drips_is_cut_but_the_head_counts(
    name: str, receive: Receive, send: Send
) -> None:
    script, body = CUT[name]
    receiver = await receive(script)
    answer = answered(await send(receiver.url + "/", seconds=DEADLINE))
    assert (answer.status, answer.cut) == (200, True)
    # What was read before the end of the connection is a race; never more than was sent.
    assert body.startswith(answer.body)


async def test_what_dripped_before_the_deadline_is_kept(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(dripping(OK + b"content-length: 999\r\n\r\n", b"x"))
    answer = answered(await send(receiver.url + "/", seconds=DEADLINE))
    assert answer.cut
    assert answer.body.strip(b"x") == b""
    assert 1 < len(answer.body) < 999


async def test_an_endless_body_is_left_unread(receive: Receive, send: Send) -> None:
    written = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(OK + b"\r\n")
        while True:
            writer.write(b"x" * LIMIT)
            await writer.drain()
            written += LIMIT

    receiver = await receive(endless)
    answer = answered(await send(receiver.url + "/", limit=LIMIT))
    assert (answer.cut, len(answer.body)) == (True, LIMIT)
    # What the sockets of both sides hold, and no more (measured: 3 to 7 MB).
    assert written < 32 << 20


async def test_a_compressed_bomb_stays_small(receive: Receive, send: Send) -> None:
    bomb = gzip.compress(bytes(20 << 20))
    head = b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    receiver = await receive(OK + head + bomb)
    answer = answered(await send(receiver.url + "/", limit=LIMIT))
    assert answer.body == bomb[: len(answer.body)]


@pytest.mark.parametrize("written", ODD_STATUS)
async def test_an_odd_status_is_an_answer(
    written: str, receive: Receive, send: Send
) -> None:
    receiver = await receive(b"HTTP/1.1 " + written.encode() + b" Odd\r\n" + NOTHING)
    answer = answered(await send(receiver.url + "/", seconds=DEADLINE))
    assert answer.status == ODD_STATUS[written]


async def test_what_follows_a_switch_of_protocols_is_not_waited_for(
    receive: Receive, send: Send
) -> None:
    head = b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n"
    receiver = await receive(
        in_two_parts(head + b"content-length: 9\r\n\r\n", b"abc"), keep=True
    )
    answer = answered(await send(receiver.url + "/"))
    assert (answer.status, answer.body) == (101, b"")
    answered(await send(receiver.url + "/"))
    assert receiver.connections == 2


async def test_a_few_interim_answers_are_read_over(receive: Receive, send: Send) -> None:
    receiver = await receive(b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" * 3 + OK + NOTHING)
    answer = answered(await send(receiver.url + "/"))
    assert (answer.status, dict(answer.headers)) == (200, {"content-length": "0"})


async def test_128_headers_and_a_line_of_8000_bytes_are_read(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(
        OK + b"x: y\r\n" * 126 + b"z: " + b"a" * 8000 + b"\r\n" + NOTHING
    )
    answer = answered(await send(receiver.url + "/"))
    assert len(answer.headers["z"]) == 8000


async def test_a_receiver_that_answers_before_it_has_read_all_is_heard(
    receive: Receive, send: Send
) -> None:
    async def refuse(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\n" + NOTHING)
        await writer.drain()
        await asyncio.sleep(60)

    receiver = await receive(refuse, takes_bodies=False)
    for _ in range(2):
        answer = answered(await send(receiver.url + "/", body=bytes(8 << 20)))
        assert answer.status == 413
    assert receiver.connections == 2


async def test_a_receiver_that_never_takes_the_request_ends_at_the_deadline(
    send: Send,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        answer = unanswered(await send(url, body=bytes(64 << 20), seconds=DEADLINE))
    assert answer.phase is Phase.DEADLINE


async def test_hostile_receivers_do_not_hold_up_a_good_one(
    receive: Receive, send: Send
) -> None:
    silent, good = await receive(never), await receive(OK + NOTHING)
    async with asyncio.TaskGroup() as tasks:
        late = [tasks.create_task(send(silent.url + "/", seconds=2)) for _ in range(50)]
        answered(await send(good.url + "/"))
        assert not any(task.done() for task in late)
    assert {unanswered(task.result()).phase for task in late} == {Phase.DEADLINE}
