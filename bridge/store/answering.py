"""Answering: what every store with tables tells people, over its own way to run a transaction."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import WebhookState
from bridge.core.listing import (
    ListedWatch,
    ListedWebhook,
    Replica,
    Timeline,
    WatchFilter,
    WatchPage,
)
from bridge.core.watch import Generation
from bridge.store import adopting, listing
from bridge.store.sql import Transaction

T = TypeVar("T")


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

    async def replicas(self) -> Sequence[Replica]:
        """Return every replica that is remembered."""
        return await self._ask(adopting.all_replicas)
