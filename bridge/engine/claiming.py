"""Claiming: asks the store for the deliveries of the webhooks that have room."""

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

import anyio

from bridge.core.delivering.delivery import Delivery, WebhookState
from bridge.core.delivering.receipt import Receipt
from bridge.core.ports import Clock, Log, Room
from bridge.engine.bell import Bell
from bridge.engine.lane import Lane
from bridge.errors import StoreBroken, StoreError

SWEEP = 60.0
"""Seconds after which the store is asked what is due, whatever memory says.

Memory knows all that one process writes; where replicas share the work, STORE.md wants 5 s.
"""

EMPTY = 0.01
"""Seconds until a webhook that gave less than it was asked for is asked again, at least."""

AGAIN = 1.0
"""Seconds between claims while the store is away."""

MOST = 200
"""Webhooks in one claim: each costs statements of its own, and others wait for the transaction."""


class Outbox(Protocol):
    """The part of the store that the sender needs."""

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        """Claim what is due."""
        ...

    async def next_due(self) -> Mapping[int, timedelta]:
        """Return per webhook how long until something is due."""
        ...

    async def set_webhook(self, state: WebhookState) -> None:
        """Set how a webhook stands."""
        ...

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        """Return what names the message that tells of a watch's progress; None: there is none."""
        ...


class Claimant(Protocol):
    """The sender, as claims see it."""

    def is_idle(self) -> bool:
        """Return whether nothing may begin now."""
        ...

    def room(self, lane: Lane) -> Room | None:
        """Return what a lane can take now; None: nothing."""
        ...

    def aloft(self) -> AbstractContextManager[None]:
        """Hold up the end while something is under way."""
        ...

    def take(self, delivery: Delivery) -> bool:
        """Take over a claimed delivery; False: we have it already, or nobody may send it."""
        ...

    def touch(self, lane: Lane) -> None:
        """Plan what comes next for a lane."""
        ...


class Claims:
    """Claims one transaction after the other, for the lanes that want it, in their order."""

    def __init__(
        self,
        claimant: Claimant,
        *,
        outbox: Outbox,
        lanes: Mapping[int, Lane],
        clock: Clock,
        log: Log,
        sweep: float,
    ) -> None:
        self._claimant = claimant
        self._outbox = outbox
        self._lanes = lanes
        self._clock = clock
        self._log = log
        self._sweep = sweep
        self._wanted: dict[int, None] = {}
        self._hasty: dict[int, WebhookState] = {}
        self._bell = Bell()
        self.turned = clock.monotonic()
        """When the loop last turned over."""

    def want(self, lane: Lane) -> None:
        """Claim for a lane as soon as possible."""
        self._wanted.setdefault(lane.id)
        self._bell.ring()

    def hasten(self, state: WebhookState) -> None:
        """Set how a webhook stands before anything else is claimed."""
        self._hasty[state.id] = state
        self._bell.ring()

    def ring(self) -> None:
        """Let the loop turn over once."""
        self._bell.ring()

    async def run(self) -> None:
        """Claim for ever."""
        while True:
            self.turned = self._clock.monotonic()
            if self._claimant.is_idle() or not (self._wanted or self._hasty):
                await self._bell.wait()
                continue
            try:
                await self._turn()
            except StoreBroken:
                raise
            except StoreError as error:
                self._log.debug("no claim", reason=str(error))
                await anyio.sleep(AGAIN)

    async def _turn(self) -> None:
        while self._hasty:
            webhook, state = next(iter(self._hasty.items()))
            await self._outbox.set_webhook(state)
            self._hasty.pop(webhook, None)
        lanes = self._next_lanes()
        rooms = [room for lane in lanes if (room := self._claimant.room(lane)) is not None]
        for lane in lanes:
            lane.asking = True
        try:
            with self._claimant.aloft():
                await self._claim(rooms)
        finally:
            for lane in lanes:
                lane.asking = False
                if lane.id in self._lanes:
                    self._claimant.touch(lane)

    def _next_lanes(self) -> list[Lane]:
        lanes: list[Lane] = []
        while self._wanted and len(lanes) < MOST:
            webhook = next(iter(self._wanted))
            del self._wanted[webhook]
            if (lane := self._lanes.get(webhook)) is not None:
                lanes.append(lane)
        return lanes

    async def _claim(self, rooms: Sequence[Room]) -> None:
        if not rooms:
            return
        left = {room.webhook: room.slots for room in rooms}
        for webhook in left:
            self._lanes[webhook].noted = math.inf
        for delivery in await self._outbox.claim_deliveries(rooms):
            left[delivery.webhook] -= 1
            self._claimant.take(delivery)
        await self._learn_due([webhook for webhook, more in left.items() if more])

    async def _learn_due(self, emptied: Sequence[int]) -> None:
        """Ask when webhooks are next due; what was noted while asking counts as well."""
        if not emptied:
            return
        due = await self._outbox.next_due()
        now = self._clock.monotonic()
        for webhook in emptied:
            lane = self._lanes.get(webhook)
            if lane is not None:
                span = due.get(webhook)
                at = now + self._sweep if span is None else now + span.total_seconds()
                lane.due = max(min(at, lane.noted, now + self._sweep), now + EMPTY)
