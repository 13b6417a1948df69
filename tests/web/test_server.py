import signal
import socket

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bridge.errors import StartError
from bridge.web.server import bind, listening


class Slow:
    """An application whose one answer takes as long as the test wants."""

    def __init__(self) -> None:
        self.asked, self.go = anyio.Event(), anyio.Event()
        self.answers: list[str] = []
        self.application = Starlette(routes=[Route("/", self._answer)])

    async def _answer(self, _request: Request) -> PlainTextResponse:
        self.asked.set()
        await self.go.wait()
        return PlainTextResponse("whole")

    async def ask(self, url: str) -> None:
        async with httpx.AsyncClient() as client:
            self.answers.append((await client.get(url)).text)


async def at_once(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


HERE = Starlette(routes=[Route("/", at_once)])


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return ("asyncio", {"use_uvloop": request.param})


@pytest.mark.anyio
async def test_an_application_is_served_inside_the_block_and_no_longer() -> None:
    async with httpx.AsyncClient() as client:
        async with listening(HERE, host="127.0.0.1", port=0) as url:
            assert (await client.get(url)).text == "here"
        with pytest.raises(httpx.HTTPError):
            await client.get(url)


@pytest.mark.anyio
async def test_the_address_is_free_again_after_the_block() -> None:
    async with (
        listening(HERE, host="127.0.0.1", port=0) as url,
        httpx.AsyncClient() as client,
    ):
        await client.get(url)
    bind("127.0.0.1", int(url.rpartition(":")[2])).close()


@pytest.mark.anyio
async def test_the_signals_stay_with_the_daemon() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with (
        listening(HERE, host="127.0.0.1", port=0) as url,
        httpx.AsyncClient() as client,
    ):
        await client.get(url)
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.anyio
async def test_an_answer_under_way_is_finished() -> None:
    slow = Slow()
    async with (
        anyio.create_task_group() as asking,
        listening(slow.application, host="127.0.0.1", port=0) as url,
    ):
        asking.start_soon(slow.ask, url)
        await slow.asked.wait()
        asking.start_soon(_set_later, slow.go)
    assert slow.answers == ["whole"]


async def _set_later(event: anyio.Event) -> None:
    await anyio.sleep(0.1)
    event.set()


@pytest.mark.anyio
async def test_an_answer_that_never_comes_holds_nobody_up() -> None:
    slow = Slow()
    async with (
        anyio.create_task_group() as asking,
        listening(slow.application, host="127.0.0.1", port=0) as url,
    ):
        asking.start_soon(slow.ask, url)
        await slow.asked.wait()
    assert slow.answers == ["Internal Server Error"]


@pytest.mark.anyio
async def test_a_cancelled_block_ends_the_server_too() -> None:
    async with httpx.AsyncClient() as client:
        with anyio.CancelScope() as scope:
            async with listening(HERE, host="127.0.0.1", port=0) as url:
                assert (await client.get(url)).text == "here"
                scope.cancel()
                await anyio.sleep_forever()
        with pytest.raises(httpx.HTTPError):
            await client.get(url)


def test_an_address_in_use_is_named_with_the_way_out() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError) as refused:
            bind("127.0.0.1", port)
    assert str(refused.value) == (
        f"cannot listen at 127.0.0.1:{port}: another program listens there already; end it, or "
        "set `server.listen` to another address, or to `off`"
    )
    assert refused.value.exit_code == 1


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("192.0.2.1", "this machine has no such address"),
        ("no-such-name.invalid", "no such address"),
        ("2001:db8::1", r"\[2001:db8::1\]:8383"),
    ],
)
def test_an_address_that_is_not_here_is_named(host: str, reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        bind(host, 8383)


def test_a_name_that_means_loopback_can_be_bound() -> None:
    with bind("localhost", 0) as listener:
        assert listener.family in (socket.AF_INET, socket.AF_INET6)
        assert listener.getsockname()[0] in ("127.0.0.1", "::1")
