"""Answering: what every store with tables tells people, over its own way to run a transaction."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import WebhookState
from bridge.core.discovery import Discovery
from bridge.core.listing import (
    DeliveryFilter,
    DeliveryPage,
    History,
    ListedWatch,
    ListedWebhook,
    Replica,
    Timeline,
    WatchFilter,
    WatchPage,
)
from bridge.core.replay import Preview, Replay, Replayed, ReplayFilter
from bridge.core.watch import Generation
from bridge.store import adopting, discovering, listing, replaying, telling
from bridge.store.sql import Transaction

T = TypeVar("T")

FIRST = 10
"""Deliveries that a preview shows."""


class Answering:
    """The part of a Store that answers people.

    Who inherits it runs transactions; it may make and run one again where the database asks.
    """

    async def _alter(self, make: Callable[[], Transaction[T]]) -> T:
        """Run a transaction that writes."""
        raise NotImplementedError

    async def _ask(self, make: Callable[[], Transaction[T]]) -> T:
        """Run a transaction that only reads."""
        raise NotImplementedError

    async def adopt(self, callbacks: Sequence[Callback]) -> Mapping[str, WebhookState]:
        """Make callers' webhooks known and return their states by their keys."""
        return await self._alter(partial(adopting.adopt, callbacks))

    async def webhooks_by_id(self, webhooks: Sequence[int]) -> Sequence[ListedWebhook]:
        """Return webhooks by their ids; those that there are."""
        return await self._ask(partial(adopting.by_id, webhooks))

    async def list_watches(
        self, wanted: WatchFilter, *, before: int | None = None, limit: int
    ) -> WatchPage:
        """Return watches below an id, newest first."""
        return await self._ask(partial(listing.page, wanted, before=before, limit=limit))

    async def listed(self, generations: Sequence[Generation]) -> Sequence[ListedWatch]:
        """Return the watches of generations, running or over."""
        return await self._ask(partial(listing.named, generations))

    async def timeline(self, generation: Generation) -> Timeline | None:
        """Return a watch with its events and their deliveries."""
        return await self._ask(partial(listing.timeline, generation))

    async def list_webhooks(self, *, after: int = 0, limit: int) -> Sequence[ListedWebhook]:
        """Return the webhooks with the next higher ids."""
        return await self._ask(partial(adopting.all_webhooks, after, limit))

    async def list_deliveries(
        self, wanted: DeliveryFilter, *, before: int | None = None, limit: int
    ) -> DeliveryPage:
        """Return deliveries below an id, newest first."""
        return await self._ask(partial(telling.page, wanted, before=before, limit=limit))

    async def history(self, delivery: int) -> History | None:
        """Return a delivery with its message and every attempt."""
        return await self._ask(partial(telling.history, delivery))

    async def retry(self, delivery: int) -> int | None:
        """Make a delivery due now; return its webhook."""
        return await self._alter(partial(replaying.retry, delivery))

    async def preview_replay(self, wanted: ReplayFilter) -> Preview:
        """Return what a replay would do, found out in many short looks."""
        cursor, last = await self._ask(partial(replaying.begun, wanted))
        first: list[int] = []
        count, over = 0, False
        while not over:
            some = await self._ask(partial(replaying.stretch, wanted, cursor, last))
            first += [row[0] for row in some.found[: FIRST - len(first)] if len(row) == 1]
            count += len(some.found)
            cursor, over = some.cursor, some.over
        return Preview(count=count, first=await self._ask(partial(telling.some, first)))

    async def begin_replay(self, wanted: ReplayFilter) -> Replay:
        """Remember a replay."""
        return await self._alter(partial(replaying.begin, wanted))

    async def advance_replay(self) -> Replayed | None:
        """Do the next step of the oldest replay that is not over."""
        return await self._alter(replaying.advance)

    async def replays(self, *, limit: int) -> Sequence[Replay]:
        """Return the latest replays, newest first."""
        return await self._ask(partial(replaying.latest, limit))

    async def resume_webhook(
        self, webhook: int, *, since: datetime | None = None, discard: bool = False
    ) -> int:
        """Open a webhook, after what is no longer wanted was cancelled; return what waits."""
        cursor: int | None = 0 if discard or since is not None else None
        until = None if discard else since
        while cursor is not None:
            step = partial(replaying.discard, webhook, until, cursor)
            cursor = await self._alter(step)
        return await self._alter(partial(replaying.resume, webhook))

    async def discovery(self, source: str) -> Discovery | None:
        """Return how far the rounds through a source's list have come."""
        return await self._ask(partial(discovering.read, source))

    async def set_discovery(self, discovery: Discovery) -> None:
        """Set how far they have come."""
        await self._alter(partial(discovering.set_, discovery))

    async def replicas(self) -> Sequence[Replica]:
        """Return every replica that is remembered."""
        return await self._ask(adopting.all_replicas)
