"""Recalling: what a store in memory tells people, as `answering` does over tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import WebhookState
from bridge.core.ladder import State
from bridge.core.listing import (
    ListedDelivery,
    ListedEvent,
    ListedWatch,
    ListedWebhook,
    Replica,
    Timeline,
    ToldDelivery,
    WatchFilter,
    WatchPage,
)
from bridge.core.watch import Generation, Origin
from bridge.store.disk import DeliveryRow, Disk, EventRow, WatchRow, WebhookRow
from bridge.store.listing import instant, maybe
from bridge.store.searching import BEYOND
from bridge.store.telling import HEAD, type_of
from bridge.store.texts import metadata_of, span

T = TypeVar("T")


class Recalling:
    """The part of the store in memory that answers people."""

    disk: Disk
    started_at: int

    async def _begin(self) -> int:
        """Let others run; return the time."""
        raise NotImplementedError

    async def adopt(self, callbacks: Sequence[Callback]) -> Mapping[str, WebhookState]:
        """Make callers' webhooks known and return their states by their keys."""
        now = await self._begin()
        known = {row.key: row for row in self.disk.webhooks.values()}
        for one in callbacks:
            if one.key not in known:
                row = WebhookRow(
                    id=next_id(self.disk.webhooks),
                    key=one.key,
                    callback=one,
                    wanted_until=now,
                )
                self.disk.webhooks[row.id] = known[one.key] = row
        return {one.key: state_of(known[one.key], now) for one in callbacks}

    async def webhooks_by_id(self, webhooks: Sequence[int]) -> Sequence[ListedWebhook]:
        """Return webhooks by their ids; those that there are."""
        now = await self._begin()
        rows = [row for id_, row in self.disk.webhooks.items() if id_ in webhooks]
        return tuple(_webhook(row, now) for row in rows)

    async def list_watches(
        self, wanted: WatchFilter, *, before: int | None = None, limit: int
    ) -> WatchPage:
        """Return watches below an id, newest first."""
        await self._begin()
        below = BEYOND if before is None else before
        newest = sorted(self.disk.watches.values(), key=lambda row: -row.id)
        rows = [row for row in newest if row.id < below and _is_wanted(row, wanted)][:limit]
        return WatchPage(
            watches=tuple(_listed(row) for row in rows),
            before=rows[-1].id if len(rows) == limit else None,
        )

    async def listed(self, generations: Sequence[Generation]) -> Sequence[ListedWatch]:
        """Return the watches of generations, running or over."""
        await self._begin()
        known = [one for one in dict.fromkeys(generations) if one in self.disk.generations]
        ids = [self.disk.generations[one] for one in known]
        return tuple(_listed(self.disk.watches[id_]) for id_ in ids)

    async def timeline(self, generation: Generation) -> Timeline | None:
        """Return a watch with its events and their deliveries."""
        await self._begin()
        id_ = self.disk.generations.get(generation)
        if id_ is None:
            return None
        events = [event for event in self.disk.events.values() if event.watch == id_]
        events.sort(key=lambda event: (event.seq, event.id))
        return Timeline(
            watch=_listed(self.disk.watches[id_]),
            events=tuple(self._event(event) for event in events),
        )

    async def list_webhooks(self, *, after: int = 0, limit: int) -> Sequence[ListedWebhook]:
        """Return the webhooks with the next higher ids."""
        now = await self._begin()
        rows = [row for id_, row in sorted(self.disk.webhooks.items()) if id_ > after]
        return tuple(_webhook(row, now) for row in rows[:limit])

    async def replicas(self) -> Sequence[Replica]:
        """Return the one replica that there is."""
        now = await self._begin()
        return (
            Replica(
                id=1,
                name="genbridge",
                version="0",
                started_at=instant(self.started_at),
                seen_at=instant(now),
                owned=sum(row.standing.active for row in self.disk.watches.values()),
                dead_at=None,
            ),
        )

    def _event(self, row: EventRow) -> ListedEvent:
        told = [one for one in self.disk.deliveries.values() if one.event == row.id]
        return ListedEvent(
            id=row.message.id,
            tag=row.tag,
            seq=row.seq,
            occurred_at=instant(row.occurred_at),
            body=row.message.body,
            deliveries=tuple(_delivery(one) for one in told),
        )


def next_id(rows: dict[int, T]) -> int:
    """Return the id that SQLite would give: one more than the last."""
    return next(reversed(rows), 0) + 1


def state_of(row: WebhookRow, now: int) -> WebhookState:
    """Return how a webhook stands."""
    left = None if row.gate_until is None else row.gate_until - now
    return WebhookState(
        id=row.id,
        key=row.key,
        condition=row.condition,
        gate=span(left) if left is not None and left > 0 else None,
        why=row.why,
        health=replace(
            row.health,
            failing=None
            if row.failing_since is None
            else span(max(0, now - row.failing_since)),
        ),
    )


def told(disk: Disk, row: DeliveryRow) -> ToldDelivery:
    """Return a delivery beside the event that it carries."""
    event = disk.events[row.event]
    head = event.message.body[:HEAD].decode("ascii")
    return ToldDelivery(
        delivery=_delivery(row),
        event=event.message.id,
        type=type_of(head, event.tag),
        seq=row.seq,
        generation=None if row.watch is None else disk.watches[row.watch].generation,
        manual=row.manual,
        first_at=instant(row.first_at),
    )


def _is_wanted(row: WatchRow, wanted: WatchFilter) -> bool:
    return (
        wanted.source in (None, row.generation.source)
        and wanted.state in (None, row.standing.rank)
        and wanted.active in (None, row.standing.active)
    )


def _webhook(row: WebhookRow, now: int) -> ListedWebhook:
    return ListedWebhook(state=state_of(row, now), callback=row.callback)


def _listed(row: WatchRow) -> ListedWatch:
    standing = row.standing
    return ListedWatch(
        id=row.id,
        generation=row.generation,
        origin=Origin(standing.origin),
        until=State(standing.until),
        webhooks=standing.webhooks,
        metadata=metadata_of(standing.metadata),
        rank=standing.rank,
        native_state=row.native_state,
        seq=row.seq,
        active=standing.active,
        ended=standing.ended,
        created_at=instant(row.created_at),
        deadline_at=instant(row.created_at + standing.deadline),
        state_at=maybe(row.state_at),
        ended_at=maybe(row.ended_at),
    )


def _delivery(row: DeliveryRow) -> ListedDelivery:
    return ListedDelivery(
        id=row.id,
        webhook=row.webhook,
        status=row.status,
        attempts=row.attempt,
        due_at=instant(row.due_at),
        settled_at=maybe(row.settled_at),
        code=row.last_code,
        why=row.last_why,
    )
