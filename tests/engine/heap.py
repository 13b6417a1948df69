"""A sender over a pile of deliveries: for tests with many webhooks or a long backlog."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio

from bridge.core.delivering.delivery import WebhookState
from bridge.core.settings import Webhook
from bridge.engine.courier import Courier
from bridge.engine.sender import Sender
from tests.engine.rig import Lines
from tests.fakes.clock import Dice, VirtualClock
from tests.fakes.network import FakeNetwork
from tests.fakes.outbox import Pile
from tests.fakes.receiver import FakeReceiver, Rule


class Heap:
    """A clock, a pile and receivers; webhooks are numbered from 1 in the order of their rules."""

    def __init__(self, rules: Sequence[Rule], clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.log = Lines()
        self.pile = Pile(self.clock)
        self.receivers = [FakeReceiver(self.clock, rule) for rule in rules]
        hosts = {f"w{n}.example": r for n, r in enumerate(self.receivers, start=1)}
        self.network = FakeNetwork(hosts)

    @asynccontextmanager
    async def sender(
        self, webhooks: Sequence[Webhook], **wiring: Any
    ) -> AsyncIterator[Sender]:
        """Run a sender; leaving is a crash."""
        sender = Sender(
            outbox=self.pile,
            settler=self.pile,
            courier=Courier(http=self.network, clock=self.clock, version="test"),
            clock=self.clock,
            chance=Dice(1),
            log=self.log,
            **wiring,
        )
        self.pile.sender = sender
        sender.set_lanes((one, self.state(n)) for n, one in enumerate(webhooks, start=1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.pile.run)
            tasks.start_soon(sender.run)
            yield sender
            tasks.cancel_scope.cancel()

    def state(self, number: int) -> WebhookState:
        """Return a webhook as it stands where nothing is wrong."""
        return WebhookState(id=number, key=f"name:w{number}")
