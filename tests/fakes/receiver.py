"""A webhook receiver as an Http, without sockets: for engine tests on virtual time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

import anyio
import anyio.lowlevel

from bridge.core.network.exchange import Answer, Phase, Request, Response, Unanswered
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Clock
from tests.fakes.answers import Chosen, answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """An answer that comes only after a while, if the sender waits that long."""

    after: timedelta
    then: Chosen


Choice: TypeAlias = Chosen | Slow
Rule: TypeAlias = Callable[[timedelta, Request], Choice]
"""Chooses the answer by how long the receiver has lived, and by the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A request as it arrived; `at` is the monotonic moment, `age` the receiver's age."""

    at: float
    age: timedelta
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    answered: Chosen

    @property
    def id(self) -> str:
        """The `webhook-id`."""
        return self.headers["webhook-id"]

    @property
    def accepted(self) -> bool:
        """Whether the receiver took it."""
        status = (
            self.answered.status if isinstance(self.answered, Response) else self.answered
        )
        return isinstance(status, int) and 200 <= status < 300

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class FakeReceiver:
    """An Http that is one receiver: a rule chooses each answer; all that came is kept.

    It is made inside the running loop, where its age begins. What came too slowly for its sender
    was still taken: that is how a receiver gets an event twice.
    """

    def __init__(self, clock: Clock, rule: Rule = lambda _age, _request: 204) -> None:
        self.clock = clock
        self.rule = rule
        self.posted: list[Posted] = []
        self.open = 0
        self.most_open = 0
        self._born = clock.monotonic()

    @property
    def accepted(self) -> list[Posted]:
        """What the receiver took, in order."""
        return [posted for posted in self.posted if posted.accepted]

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        """Keep the request and answer as the rule says, within `timeout`."""
        choice = self._keep(request)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            with anyio.move_on_after(timeout.total_seconds()):
                return await self._answer(choice, limit)
            return Unanswered(phase=Phase.DEADLINE, reason="no answer in time")
        finally:
            self.open -= 1

    def _keep(self, request: Request) -> Choice:
        age = timedelta(seconds=self.clock.monotonic() - self._born)
        choice = self.rule(age, request)
        self.posted.append(
            Posted(
                at=self.clock.monotonic(),
                age=age,
                url=request.url,
                headers={name.lower(): value for name, value in request.headers},
                body=request.body,
                answered=choice.then if isinstance(choice, Slow) else choice,
            )
        )
        return choice

    async def _answer(self, choice: Choice, limit: int) -> Answer:
        if isinstance(choice, Slow):
            await anyio.sleep(choice.after.total_seconds())
            choice = choice.then
        else:
            await anyio.lowlevel.checkpoint()
        return answered(choice, self.clock, limit)
