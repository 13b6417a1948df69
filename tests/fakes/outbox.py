"""A store of deliveries alone, without rows: for tests of the sender with very many of them."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import anyio
import anyio.lowlevel

from bridge.core.delivering.delivery import Delivery, Settlement, Status, WebhookState
from bridge.core.delivering.receipt import Receipt
from bridge.core.message import Message
from bridge.core.ports import Clock, Room, Written
from bridge.engine.sender import Sender
from bridge.errors import StoreUnavailable

BODY = b'{"type":"generation.completed","timestamp":"2026-11-21T08:30:00Z","data":{"a":1}}'
GATHER = 0.03


@dataclass
class Pile:
    """What is due for webhooks, oldest first; settles in groups, as the writer does.

    A delivery without a generation of its own waits for nobody. While it is `away` nothing is
    read or written; what is `off` is not claimed.
    """

    clock: Clock
    waiting: dict[int, list[tuple[float, int, Delivery]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    gates: dict[int, float] = field(default_factory=dict)
    born: dict[int, float] = field(default_factory=dict)
    settled: list[tuple[float, Settlement]] = field(default_factory=list)
    claimed: Counter[int] = field(default_factory=Counter)
    claims: int = 0
    sender: Sender | None = None
    away: bool = False
    off: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self._inbox: list[Settlement] = []
        self._bell = anyio.Event()

    def add(self, webhook: int, *, manual: bool = False, watch: int | None = None) -> int:
        """Make a delivery that is due now; return its id."""
        delivery = self.make(webhook, manual=manual, watch=watch)
        now = self.clock.monotonic()
        heapq.heappush(self.waiting[webhook], (now, delivery.id, delivery))
        if self.sender is not None:
            self.sender.woken([webhook])
        return delivery.id

    def make(
        self, webhook: int, *, manual: bool = False, watch: int | None = None
    ) -> Delivery:
        """Return a new delivery, which is not on the pile."""
        id_ = next(self._numbers)
        self.born[id_] = self.clock.monotonic()
        return Delivery(
            id=id_,
            fence=0,
            webhook=webhook,
            watch=watch or id_,
            seq=0,
            attempt=0,
            tries=0,
            manual=manual,
            message=Message(id=UUID(int=id_), body=BODY),
        )

    def settle(self, settlement: Settlement) -> None:
        """Commit soon."""
        self._inbox.append(settlement)
        self._bell.set()

    async def run(self) -> None:
        """Commit for ever."""
        while True:
            await self._bell.wait()
            await anyio.sleep(GATHER)
            while self.away:  # noqa: ASYNC110  (a store that is away is asked again)
                await anyio.sleep(1.0)
            self._bell = anyio.Event()
            some, self._inbox = self._inbox, []
            woken = {w for one in some if (w := self._settle(one)) is not None}
            if self.sender is not None:
                self.sender.written(Written(woken=frozenset(woken)), some)

    def _settle(self, one: Settlement) -> int | None:
        now = self.clock.monotonic()
        self.settled.append((now, one))
        if one.webhook is not None:
            self._gate(one.webhook)
        if one.status is not Status.PENDING:
            return None
        delivery = replace(
            one.delivery,
            tries=one.delivery.tries + one.step,
            attempt=one.delivery.attempt - (one.attempt is None),
        )
        due = now + one.wait.total_seconds()
        heapq.heappush(self.waiting[delivery.webhook], (due, delivery.id, delivery))
        return None if one.wait else delivery.webhook

    def _gate(self, state: WebhookState) -> None:
        gate = 0.0 if state.gate is None else state.gate.total_seconds()
        self.gates[state.id] = self.clock.monotonic() + gate

    async def set_webhook(self, state: WebhookState) -> None:
        """Set a gate."""
        await self._there()
        self._gate(state)

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        """Nothing is edited."""
        await self._there()
        return None

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        """Claim what is due, replays at most half of it while live ones wait."""
        await self._there()
        self.claims += 1
        return [one for room in rooms for one in self._claim(room)]

    def _claim(self, room: Room) -> list[Delivery]:
        now = self.clock.monotonic()
        queue = self.waiting[room.webhook]
        found: list[Delivery] = []
        if self.gates.get(room.webhook, 0.0) > now or room.webhook in self.off:
            return []
        while queue and queue[0][0] <= now and len(found) < room.slots:
            delivery = heapq.heappop(queue)[2]
            found.append(
                replace(delivery, fence=delivery.fence + 1, attempt=delivery.attempt + 1)
            )
        self.claimed.update(one.id for one in found)
        return found

    async def next_due(self) -> Mapping[int, timedelta]:
        """Return per webhook how long until something is due."""
        await self._there()
        now = self.clock.monotonic()
        return {
            webhook: timedelta(seconds=max(0.0, queue[0][0] - now))
            for webhook, queue in self.waiting.items()
            if queue and webhook not in self.off
        }

    async def _there(self) -> None:
        await anyio.lowlevel.checkpoint()
        if self.away:
            raise StoreUnavailable("locked")

    def accepted(self) -> list[tuple[float, int]]:
        """Return which deliveries were accepted, and when that was known."""
        return [
            (at, one.delivery.id)
            for at, one in self.settled
            if one.status is Status.DELIVERED
        ]
