"""The simulated upstream APIs as an Http, without sockets: for engine tests on virtual time."""

from collections import deque
from contextlib import closing
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

import anyio

from bridge.core.network.exchange import Answer, Phase, Request, Response, Unanswered
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Clock
from bridge.simulator.apis import Apis
from bridge.simulator.exchange import Answering, Call, Manner, Reply, call
from bridge.simulator.switches import Switches
from bridge.simulator.timeline import DEFAULT_SCRIPT, Script
from tests.fakes.answers import Chosen, answered

ORIGIN = "https://upstream.example"


class FakeUpstream:
    """An Http behind which the simulated APIs live; every request takes `latency`.

    `requests` are the calls as the APIs saw them (method, provider, path, query, at), `open`
    counts those being answered. `instead` is used up first, one entry a request; `always`,
    while it is set, answers all the others. Neither of them reaches the APIs' log: `sent` does.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        switches: Switches | None = None,
        seed: int = 0,
        latency: timedelta = timedelta(),
    ) -> None:
        self.apis = Apis(
            clock=clock,
            chance=Random(seed),
            switches=switches or Switches(),
            origin=ORIGIN,
        )
        self.clock = clock
        self.latency = latency
        self.instead: deque[Chosen] = deque()
        self.always: Chosen | None = None
        self.sent: list[tuple[float, Request]] = []

    @property
    def requests(self) -> deque[Call]:
        """The calls that reached the APIs, in order."""
        return self.apis.requests

    @property
    def open(self) -> int:
        """How many calls the APIs are answering now."""
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

    def switch(self, provider: str | None = None, **changes: Any) -> None:
        """Change switches of one API or of all."""
        self.apis.switch(provider, **changes)

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        """Answer as the simulated API does, within `timeout`."""
        self.sent.append((self.clock.monotonic(), request))
        instead = self.instead.popleft() if self.instead else self.always
        with anyio.move_on_after(timeout.total_seconds()):
            await anyio.sleep(self.latency.total_seconds())
            if instead is not None:
                return answered(instead, self.clock, limit)
            return await self._answered(request, limit)
        return Unanswered(phase=Phase.DEADLINE, reason="no answer in time")

    async def _answered(self, request: Request, limit: int) -> Answer:
        parts = urlsplit(request.url)
        asked = call(
            request.method,
            f"{parts.path}?{parts.query}",
            at=self.clock.monotonic(),
            headers={name.lower(): value for name, value in request.headers},
            body=request.body,
        )
        with closing(self.apis.answer(asked)) as answering:
            reply = await self._waited(answering)
        return await self._transported(reply, limit)

    async def _waited(self, answering: Answering) -> Reply:
        try:
            moment = next(answering)
            while True:
                await anyio.sleep_until(moment)
                moment = answering.send(self.clock.monotonic())
        except StopIteration as stop:
            reply: Reply = stop.value
            return reply

    async def _transported(self, reply: Reply, limit: int) -> Answer:
        match reply.manner:
            case Manner.DRIP:
                await anyio.sleep(len(reply.body))
            case Manner.SILENT:
                await anyio.sleep_forever()
            case Manner.CLOSED | Manner.RESET:
                return Unanswered(phase=Phase.ANSWER, reason="the connection broke")
            case Manner.WHOLE:
                pass
        response = Response(
            status=reply.status,
            headers=dict(reply.headers),
            body=reply.body,
            received_at=self.clock.now(),
        )
        return answered(response, self.clock, limit)
