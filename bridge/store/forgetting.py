"""Forgetting: what a store in memory deletes, as `retention` does in tables."""

from datetime import timedelta

from bridge.core.delivering.delivery import Status
from bridge.store.disk import Disk, EventRow, WatchRow, WebhookRow
from bridge.store.retention import PRUNED, PRUNED_WATCHES
from bridge.store.texts import micros


class Forgetting:
    """The part of the store in memory that lets go of what is over."""

    disk: Disk

    async def _begin(self) -> int:
        """Let others run; return the time."""
        raise NotImplementedError

    async def prune(
        self, *, attempts: timedelta, bodies: timedelta, deliveries: timedelta
    ) -> int:
        """Delete what is older; a watch goes whole, and counts as one row."""
        now = await self._begin()
        gone = self._prune_attempts(now - micros(attempts), PRUNED)
        gone += self._prune_bodies(now - micros(bodies), PRUNED - gone)
        old = now - micros(deliveries)
        over = self._over(old)[: min(PRUNED - gone, PRUNED_WATCHES)]
        for watch in over:
            self._forget(watch)
        gone += len(over)
        told = self._operational(old)[: min(PRUNED - gone, PRUNED_WATCHES)]
        for event in told:
            self._forget_event(event)
        gone += len(told) + self._prune_replays(old) + self._prune_learnt(old)
        return gone + self._prune_webhooks(old)

    def _prune_learnt(self, before: int) -> int:
        gone = 0
        for tables in self.disk.pace.values():
            for key in [key for key, (at, _) in tables.items() if at < before]:
                del tables[key]
                gone += 1
        rounds = self.disk.discoveries
        for source in [one for one, (at, _) in rounds.items() if at < before]:
            del rounds[source]
            gone += 1
        return gone

    def _prune_attempts(self, before: int, limit: int) -> int:
        rows = self.disk.attempts.items()
        old = sorted((at, key) for key, (at, _) in rows if at < before)[:limit]
        for _, key in old:
            del self.disk.attempts[key]
        return len(old)

    def _prune_bodies(self, before: int, limit: int) -> int:
        rows = self.disk.bodies.items()
        old = sorted((at, digest) for digest, (at, _) in rows if at < before)[:limit]
        for _, digest in old:
            del self.disk.bodies[digest]
        return len(old)

    def _over(self, before: int) -> list[WatchRow]:
        pending = (row for rows in self.disk.pending.values() for row in rows.values())
        busy = {row.watch for row in pending}
        over = [
            row
            for row in self.disk.watches.values()
            if row.ended_at is not None and row.ended_at < before and row.id not in busy
        ]
        return sorted(over, key=lambda row: (row.ended_at or 0, row.id))

    def _operational(self, before: int) -> list[EventRow]:
        busy = {
            row.event
            for row in self.disk.deliveries.values()
            if row.status is Status.PENDING
        }
        return [
            event
            for event in self.disk.events.values()
            if event.watch is None and event.occurred_at < before and event.id not in busy
        ]

    def _prune_replays(self, before: int) -> int:
        rows = self.disk.replays.values()
        old = [one.id for one in rows if one.over_at is not None and one.over_at < before]
        for id_ in old:
            del self.disk.replays[id_]
        return len(old)

    def _prune_webhooks(self, before: int) -> int:
        disk = self.disk
        used = {row.webhook for row in disk.deliveries.values()}
        for watch in disk.watches.values():
            used |= set(watch.standing.webhooks) if watch.standing.active else set()
        old = [row.id for row in disk.webhooks.values() if _stale(row, before)]
        gone = [id_ for id_ in old if id_ not in used]
        for id_ in gone:
            del disk.webhooks[id_]
        return len(gone)

    def _forget(self, watch: WatchRow) -> None:
        """Delete a watch and all that is its own."""
        disk = self.disk
        del disk.watches[watch.id]
        del disk.generations[watch.generation]
        for event in [event for event in disk.events.values() if event.watch == watch.id]:
            self._forget_event(event)
        for key in [key for key in disk.receipts if key[0] == watch.id]:
            del disk.receipts[key]

    def _forget_event(self, event: EventRow) -> None:
        disk = self.disk
        del disk.events[event.id]
        del disk.uids[event.message.id]
        gone = {row.id for row in disk.deliveries.values() if row.event == event.id}
        for id_ in gone:
            row = disk.deliveries.pop(id_)
            del disk.addressed[row.event, row.webhook]
        for key in [key for key in disk.attempts if key[0] in gone]:
            del disk.attempts[key]


def _stale(row: WebhookRow, before: int) -> bool:
    return row.callback is not None and row.wanted_until < before
