"""The simulated upstream APIs on a port of the loopback address."""

from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from random import Random
from types import TracebackType
from typing import Any, Self

import anyio
from aiohttp import web

from bridge.core.ports import Clock
from bridge.simulator.apis import Apis
from bridge.simulator.clock import ScaledClock
from bridge.simulator.exchange import Answering, Call, Manner, Reply, call
from bridge.simulator.lines import asked_line
from bridge.simulator.posting import Postman
from bridge.simulator.serving import LoopbackServer, close, drip, reset, silence
from bridge.simulator.switches import Switches
from bridge.simulator.timeline import DEFAULT_SCRIPT, Script


class Upstream:
    """Serves every simulated API while its block is open, each beneath its own prefix.

    `speed` scales all simulated spans, those told to clients included. `key` is the only good key;
    None: any Bearer key is good. `say` is given a line of text for every answer.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        switches: Switches | None = None,
        chance: Random | None = None,
        speed: float = 1.0,
        port: int = 0,
        key: str | None = None,
        say: Callable[[str], object] | None = None,
    ) -> None:
        self.clock = ScaledClock(clock, speed)
        self.apis = Apis(
            clock=self.clock,
            chance=chance or Random(0),
            switches=switches or Switches(),
            key=key,
            wall=clock,
        )
        self._say = say
        self._server = LoopbackServer(self._handle, port=port)
        self._postman = Postman(self.clock)
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:
            await opened.enter_async_context(self._server)
            await opened.enter_async_context(self._postman)
            self._opened = opened.pop_all()
        self.apis.move(self._server.origin)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.__aexit__(kind, error, traceback)

    @property
    def requests(self) -> deque[Call]:
        """Every call, in the order of arrival: method, provider, path, query, at."""
        return self.apis.requests

    @property
    def open(self) -> int:
        """How many calls are being answered now; a held one is among them."""
        return self.apis.open

    def url(self, provider: str) -> str:
        """Return the base URL to configure for a provider."""
        return self.apis.url(provider)

    def add(
        self,
        provider: str,
        *,
        id: str | None = None,  # noqa: A002  (the domain's word)
        script: Script = DEFAULT_SCRIPT,
        age: float = 0.0,
        **details: str,
    ) -> str:
        """Add a generation that began `age` seconds ago, and return its id."""
        return self.apis.add(provider, id=id, script=script, age=age, **details)

    def switch(self, provider: str | None = None, **changes: Any) -> None:  # noqa: ANN401  (the fields of Switches)
        """Change switches of one API or of all, from the next call on."""
        self.apis.switch(provider, **changes)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        asked = call(
            request.method,
            request.raw_path,
            at=self.clock.monotonic(),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        with closing(self.apis.answer(asked)) as answering:
            reply = await self._waited(answering)
        while self.apis.outbox:
            self._postman.take(self.apis.outbox.pop())
        if self._say is not None:
            self._say(asked_line(asked, reply, self.clock.monotonic() - asked.at))
        return await self._sent(request, reply)

    async def _waited(self, answering: Answering) -> Reply:
        try:
            moment = next(answering)
            while True:
                await anyio.sleep(self.clock.left(moment))
                moment = answering.send(self.clock.monotonic())
        except StopIteration as stop:
            reply: Reply = stop.value
            return reply

    async def _sent(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        response = web.Response(status=reply.status, headers=reply.headers, body=reply.body)
        match reply.manner:
            case Manner.DRIP:
                await drip(request, response, self.clock.real(1.0))
            case Manner.SILENT:
                await silence()
            case Manner.CLOSED:
                await close(request)
            case Manner.RESET:
                await reset(request)
            case Manner.WHOLE:
                pass
        return response
