"""What goes over the wire, and what is made of an ordinary answer."""

import asyncio
from datetime import timedelta

import pytest

from bridge.core.network.exchange import Phase, Request
from bridge.http import Client
from tests.fakes.clock import EPOCH, VirtualClock
from tests.http.conftest import LOOPBACK, NO_CONTENT, Receive, Send, answered, unanswered

pytestmark = pytest.mark.anyio


async def test_the_request_arrives_as_it_was_given_and_with_three_headers_more(
    receive: Receive, send: Send
) -> None:
    receiver = await receive()
    headers = (("Content-Type", "application/json"), ("x-team", "video"), ("X-Team", "two"))
    await send(receiver.url + "/hook", headers=headers, body=b'{"a": 1}')
    host = receiver.url.removeprefix("http://").encode()
    assert receiver.requests == [
        b"POST /hook HTTP/1.1\r\n"
        b"host: " + host + b"\r\n"
        b"Content-Type: application/json\r\n"
        b"x-team: video\r\n"
        b"X-Team: two\r\n"
        b"accept-encoding: identity\r\n"
        b"content-length: 8\r\n"
        b"\r\n"
        b'{"a": 1}'
    ]


async def test_a_get_has_no_body_and_no_length(receive: Receive, send: Send) -> None:
    receiver = await receive()
    await send(receiver.url + "/", method="GET", body=b"")
    host = receiver.url.removeprefix("http://").encode()
    assert receiver.requests == [
        b"GET / HTTP/1.1\r\nhost: " + host + b"\r\naccept-encoding: identity\r\n\r\n"
    ]


async def test_a_post_without_a_body_says_so(receive: Receive, send: Send) -> None:
    receiver = await receive()
    await send(receiver.url + "/", body=b"")
    assert b"content-length: 0\r\n" in receiver.requests[0]


async def test_a_head_has_no_body_whatever_its_length(receive: Receive, send: Send) -> None:
    receiver = await receive(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", keep=True)
    answer = answered(await send(receiver.url + "/", method="HEAD", body=b""))
    assert (answer.body, answer.cut) == (b"", False)


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb?c=%2F&d=%3D",
        "/a/../b//c/./d",
        "/%zz%",
        "/a|b\"c'd;e=f,g[h]{i}^`~<>",
        "/?http://169.254.169.254/@x:y",
        "/Ab%c3%BC?x+y&&z=",
    ],
)
async def test_path_and_query_arrive_as_they_are_written(
    target: str, receive: Receive, send: Send
) -> None:
    receiver = await receive()
    answered(await send(receiver.url + target))
    assert receiver.requests[0].split(b" ")[1] == target.encode()


async def test_a_path_beyond_ascii_arrives_as_percent_codes(
    receive: Receive, send: Send
) -> None:
    receiver = await receive()
    answered(await send(receiver.url + "/z\u00fcrich"))
    assert receiver.requests[0].startswith(b"POST /z%C3%BCrich HTTP/1.1\r\n")


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\rb", "a\0b", "\u00fc"])
async def test_a_header_that_would_leave_its_line_is_never_sent(
    value: str, receive: Receive, send: Send
) -> None:
    receiver = await receive()
    answer = unanswered(await send(receiver.url + "/", headers=(("x-team", value),)))
    assert answer.phase is Phase.LOCAL
    assert receiver.connections == 0


async def test_a_large_body_arrives_whole(receive: Receive, send: Send) -> None:
    receiver = await receive()
    body = bytes(range(256)) * 8192
    answered(await send(receiver.url + "/", body=body))
    assert receiver.requests[0].endswith(b"\r\n\r\n" + body)


async def test_an_answer_has_its_status_its_headers_and_its_body(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(
        b"HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\nretry-after: 8\r\nX-Odd: \xfc\r\n"
        b"content-length: 5\r\n\r\nlater"
    )
    answer = answered(await send(receiver.url + "/"))
    assert answer.status == 429
    assert answer.headers == {"retry-after": "7", "x-odd": "\ufffd", "content-length": "5"}
    assert (answer.body, answer.cut) == (b"later", False)
    assert answer.received_at > EPOCH


@pytest.mark.parametrize(
    "body",
    [
        b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"\r\nabcde",
    ],
    ids=["chunked", "until the end"],
)
async def test_a_body_without_a_length_is_read(
    body: bytes, receive: Receive, send: Send
) -> None:
    receiver = await receive(b"HTTP/1.1 200 OK\r\n" + body)
    answer = answered(await send(receiver.url + "/"))
    assert (answer.body, answer.cut) == (b"abcde", False)


@pytest.mark.parametrize(
    ("limit", "body", "cut"), [(5, b"abcde", False), (4, b"abcd", True)]
)
async def test_no_more_of_a_body_is_kept_than_was_allowed(
    limit: int, body: bytes, cut: bool, receive: Receive, send: Send
) -> None:
    receiver = await receive(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde")
    answer = answered(await send(receiver.url + "/", limit=limit))
    assert (answer.body, answer.cut) == (body, cut)


async def test_a_compressed_body_stays_as_it_came(receive: Receive, send: Send) -> None:
    receiver = await receive(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00"
    )
    answer = answered(await send(receiver.url + "/"))
    assert (answer.body, answer.cut) == (b"\x1f\x8b\x08\x00", False)


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_an_answer_and_its_target_is_never_asked(
    status: int, receive: Receive, send: Send
) -> None:
    target = await receive()
    head = f"HTTP/1.1 {status} Go\r\nlocation: {target.url}/\r\ncontent-length: 0\r\n\r\n"
    receiver = await receive(head.encode())
    answer = answered(await send(receiver.url + "/"))
    assert answer.status == status
    assert answer.headers["location"] == target.url + "/"
    assert (len(receiver.requests), target.connections) == (1, 0)


async def test_no_status_makes_a_location_be_asked(receive: Receive, send: Send) -> None:
    target = await receive()
    statuses = iter(range(200, 600))

    async def redirect(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {next(statuses)} X\r\nlocation: {target.url}/\r\n"
        writer.write(head.encode() + b"refresh: 0; url=/\r\ncontent-length: 0\r\n\r\n")

    receiver = await receive(redirect, keep=True)
    for status in range(200, 600):
        assert answered(await send(receiver.url + "/")).status == status
    assert {request[:5] for request in receiver.requests} == {b"POST "}
    assert (len(receiver.requests), target.connections) == (400, 0)


async def test_a_cookie_is_never_sent_back(receive: Receive, send: Send) -> None:
    receiver = await receive(
        b"HTTP/1.1 200 OK\r\nset-cookie: a=b; path=/\r\ncontent-length: 0\r\n\r\n",
        keep=True,
    )
    for path in ("/one", "/two"):
        answered(await send(receiver.url + path))
    assert len(receiver.requests) == 2
    assert not any(b"cookie" in request.lower() for request in receiver.requests)


async def test_a_connection_is_kept_and_its_timings_say_so(
    receive: Receive, send: Send
) -> None:
    receiver = await receive(NO_CONTENT, keep=True)
    first = answered(await send(receiver.url + "/")).timings
    second = answered(await send(receiver.url + "/")).timings
    assert receiver.connections == 1
    assert (first.reused, second.reused) == (False, True)
    assert first.connect is not None
    assert second.connect is None
    assert first.wait is not None
    assert first.total >= first.connect + first.wait


async def test_there_is_no_limit_of_connections_to_one_host(
    receive: Receive, send: Send
) -> None:
    all_there = asyncio.Event()

    async def hold(writer: asyncio.StreamWriter) -> None:
        if receiver.connections == 300:
            all_there.set()
        await all_there.wait()
        writer.write(NO_CONTENT)

    receiver = await receive(hold)
    async with asyncio.TaskGroup() as tasks:
        holds = [
            tasks.create_task(send(receiver.url + "/", seconds=12)) for _ in range(300)
        ]
    assert {answered(hold.result()).status for hold in holds} == {204}


async def test_after_its_end_a_client_answers_that_it_is_over(receive: Receive) -> None:
    receiver = await receive()
    request = Request(method="POST", url=receiver.url + "/")
    async with Client(clock=VirtualClock(), allow=LOOPBACK) as client:
        pass
    answer = await client.send(request, timeout=timedelta(seconds=1), limit=1)
    assert unanswered(answer).phase is Phase.LOCAL


async def test_a_cancelled_request_leaves_no_connection_behind(
    receive: Receive, send: Send
) -> None:
    asked, let_go = asyncio.Event(), asyncio.Event()

    async def hold(writer: asyncio.StreamWriter) -> None:
        asked.set()
        try:
            while True:
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.01)
        finally:
            let_go.set()

    receiver = await receive(hold)
    task = asyncio.create_task(send(receiver.url + "/"))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await let_go.wait()


async def test_a_secret_in_path_or_header_is_in_no_reason_and_no_repr(send: Send) -> None:
    url = "http://127.0.0.1:1/services/secret?token=secret"
    answer = unanswered(await send(url, headers=(("authorization", "Bearer secret"),)))
    assert answer.phase is Phase.CONNECT
    assert answer.reason == "connection refused by 127.0.0.1:1"
    assert "secret" not in repr(answer)
