"""The desk: takes what callers order and call off, and answers once it is on the disk.

A commit costs the disk the same for one watch as for many. So what is ordered while a commit
runs waits for the next one, and shares it: one caller alone never waits for others.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import anyio

from bridge.core.delivering.callback import Callback
from bridge.core.listing import ListedWatch
from bridge.core.order import Ordered, WatchOrder
from bridge.core.ports import Enlisted
from bridge.core.watch import Generation, Origin, WatchWish

MOST = 1000
"""Watches that one commit registers: what the largest call may bring."""

Enlist: TypeAlias = Callable[[Enlisted], Awaitable[None]]
"""Lets the engine begin and end watches that are committed."""


class Registry(Protocol):
    """The part of the store that keeps watches."""

    async def register(self, wishes: Sequence[WatchWish]) -> Enlisted:
        """Begin watches, or change those that are."""
        ...

    async def unwatch(self, generations: Sequence[Generation]) -> Enlisted:
        """End watches."""
        ...

    async def listed(self, generations: Sequence[Generation]) -> Sequence[ListedWatch]:
        """Return the watches of generations."""
        ...


class Adopter(Protocol):
    """Makes callers' webhooks known."""

    async def adopt(self, callbacks: Iterable[Callback]) -> Mapping[str, int]:
        """Return the ids of callers' webhooks by their keys."""
        ...


@dataclass(slots=True)
class _Group:
    """Wishes that share a commit, and what came of them."""

    wishes: list[WatchWish] = field(default_factory=list)
    done: bool = False
    error: Exception | None = None
    watches: dict[Generation, ListedWatch] = field(default_factory=dict)
    begun: set[Generation] = field(default_factory=set)

    def ordered(self, wish: WatchWish) -> Ordered:
        """Return what became of a wish; of two for the same new generation the first began it."""
        begun = wish.generation in self.begun
        self.begun.discard(wish.generation)
        return Ordered(watch=self.watches[wish.generation], begun=begun)


class Desk:
    """Registers and ends watches for callers."""

    def __init__(self, registry: Registry, adopter: Adopter, enlist: Enlist) -> None:
        self._registry = registry
        self._adopter = adopter
        self._enlist = enlist
        self._next = _Group()
        self._writing = anyio.Lock()

    async def order(
        self, orders: Sequence[WatchOrder], webhooks: Mapping[str, int]
    ) -> Sequence[Ordered]:
        """Begin or change watches, at most 1,000; return them in their order.

        `webhooks` has the ids of those that the orders name. Raises StoreError: nothing of it
        is promised then. Raises LookupError for a name that has no id.
        """
        named = [[webhooks[name] for name in order.webhooks] for order in orders]
        brought = [order.callback for order in orders if order.callback is not None]
        ids = await self._adopter.adopt(brought) if brought else {}
        wishes = []
        for order, known in zip(orders, named, strict=True):
            own = [ids[order.callback.key]] if order.callback is not None else []
            wishes.append(_wish(order, (*known, *own)))
        return await self._registered(wishes)

    async def _registered(self, wishes: Sequence[WatchWish]) -> Sequence[Ordered]:
        if len(self._next.wishes) + len(wishes) > MOST:
            self._next = _Group()
        group = self._next
        group.wishes += wishes
        async with self._writing:
            if not group.done:
                if self._next is group:
                    self._next = _Group()
                await self._commit(group)
        if group.error is not None:
            raise group.error
        return [group.ordered(wish) for wish in wishes]

    async def _commit(self, group: _Group) -> None:
        # A caller that goes away must not leave the others of its group without an answer.
        with anyio.CancelScope(shield=True):
            try:
                enlisted = await self._registry.register(group.wishes)
                await self._enlist(enlisted)
                listed = await self._registry.listed([w.generation for w in group.wishes])
                group.watches = {watch.generation: watch for watch in listed}
                group.begun = set(enlisted.begun)
            except Exception as error:  # noqa: BLE001  (each caller of the group raises it)
                group.error = error
            group.done = True

    async def call_off(self, generation: Generation) -> ListedWatch | None:
        """End a watch; return it as it stands then. None: there never was one."""
        await self._enlist(await self._registry.unwatch([generation]))
        listed = await self._registry.listed([generation])
        return listed[0] if listed else None


def _wish(order: WatchOrder, webhooks: tuple[int, ...]) -> WatchWish:
    return WatchWish(
        generation=order.generation,
        origin=Origin.API,
        until=order.until,
        webhooks=webhooks,
        metadata=order.metadata,
        deadline=order.deadline,
    )
