"""The store without a disk: the same promises in dicts, for tests on virtual time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

from anyio.lowlevel import checkpoint

from bridge.core.change import Born, Change, Recipient, Recorded
from bridge.core.delivering.delivery import (
    Alert,
    Attempt,
    Condition,
    Delivery,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.delivering.receipt import Receipt
from bridge.core.ladder import State
from bridge.core.message import Message
from bridge.core.ports import Census, Clock, Enlisted, Room, Written
from bridge.core.watch import Generation, Watch, WatchWish
from bridge.errors import StoreError
from bridge.store.disk import DeliveryRow, Disk, EventRow, WatchRow, WebhookRow
from bridge.store.forgetting import Forgetting
from bridge.store.keeping import LONGEST_WAIT
from bridge.store.learning import Learning
from bridge.store.moments import Moments
from bridge.store.recalling import Recalling, next_id, state_of
from bridge.store.resending import Resending
from bridge.store.sending import RECHECK, ROUNDS
from bridge.store.settling import ANSWER_LIMIT, HOUR, digest_of
from bridge.store.texts import ascii_text, metadata_of, micros, plain, span, storable
from bridge.store.uniting import FILE, UNWATCHED, added, begun, united

T = TypeVar("T")


class MemoryStore(Recalling, Resending, Learning, Forgetting):
    """A Store in memory. `broken`, once set, is raised by every call and nothing is done.

    A store made on the `disk` of another is the next run: it finds what that one left.
    """

    def __init__(
        self, clock: Clock, uid: Callable[[], UUID], *, disk: Disk | None = None
    ) -> None:
        self.disk = disk or Disk()
        self.broken: StoreError | None = None
        self._moments = Moments(clock)
        self.started_at = self._moments.now()
        self._uid = uid
        self._handed: set[int] = set()
        self._take_over()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def webhooks(self, keys: Sequence[str]) -> Mapping[str, WebhookState]:
        """Make the webhooks known by their keys (`name:studio`) and return their state."""
        now = await self._begin()
        known = {row.key: row for row in self.disk.webhooks.values()}
        for key in keys:
            if key not in known:
                known[key] = WebhookRow(id=next_id(self.disk.webhooks), key=key)
                self.disk.webhooks[known[key].id] = known[key]
        return {key: state_of(known[key], now) for key in keys}

    async def set_webhook(self, state: WebhookState) -> None:
        """Set a webhook's condition and gate."""
        now = await self._begin()
        if row := self.disk.webhooks.get(state.id):
            streak = max(row.health.streak, state.health.streak)
            row.condition = state.condition
            _set(row, replace(state, health=replace(state.health, streak=streak)), now)

    async def register(self, wishes: Sequence[WatchWish]) -> Enlisted:
        """Begin watches, or change those that are."""
        return self._register(wishes, await self._begin())

    async def configure(self, wishes: Sequence[WatchWish], digest: str) -> Enlisted:
        """Register the watches of the file and end those that it no longer names."""
        now = await self._begin()
        if digest == self.disk.digest:
            return Enlisted()
        enlisted = self._register(wishes, now)
        named = {wish.generation for wish in wishes}
        gone = [
            row
            for row in self.disk.watches.values()
            if row.standing.active
            and row.standing.origin == FILE
            and row.generation not in named
        ]
        for row in gone:
            self._end(row, now)
        self.disk.digest = digest
        return replace(enlisted, ended=(*enlisted.ended, *(row.generation for row in gone)))

    async def unwatch(self, generations: Sequence[Generation]) -> Enlisted:
        """End watches; pending deliveries still go out."""
        now = await self._begin()
        known = [one for one in dict.fromkeys(generations) if one in self.disk.generations]
        for generation in known:
            row = self._row(generation)
            if row.standing.active:
                self._end(row, now)
        return Enlisted(ended=tuple(known))

    async def claim_watches(self, limit: int) -> Sequence[Watch]:
        """Return up to `limit` running watches that this run has not been handed before."""
        now = await self._begin()
        running = (row for row in self.disk.watches.values() if row.standing.active)
        found = [row for row in running if row.id not in self._handed][:limit]
        return [self._hand(row, now) for row in found]

    async def watch(self, generation: Generation) -> Watch | None:
        """Return a running watch as it stands; None: it is over."""
        now = await self._begin()
        if generation not in self.disk.generations:
            return None
        row = self._row(generation)
        return self._hand(row, now) if row.standing.active else None

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        """Commit changes first, then settlements."""
        now = await self._begin()
        for change in changes:
            self._refuse_unstorable(change)
        woken: set[int] = set()
        recorded = tuple(self._record(change, now, woken) for change in changes)
        fenced = sum(not self._settle(one, now, woken) for one in settlements)
        return Written(recorded=recorded, woken=frozenset(woken), fenced=fenced)

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        """Claim due deliveries, oldest due first, never past a pending predecessor."""
        now = await self._begin()
        taken: list[DeliveryRow] = []
        hungry = [
            (room, room.slots) for room in {room.webhook: room for room in rooms}.values()
        ]
        for _ in range(ROUNDS):
            hungry = self._claim_round(hungry, now, taken)
        return tuple(self._delivery(row) for row in taken)

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        """Return what names the message that tells of a watch's progress."""
        await self._begin()
        return self.disk.receipts.get((watch, webhook))

    async def next_due(self) -> Mapping[int, timedelta]:
        """Return per webhook how long until something pending can be claimed."""
        now = await self._begin()
        due: dict[int, timedelta] = {}
        for id_, rows in sorted(self.disk.pending.items()):
            webhook = self.disk.webhooks[id_]
            if rows and webhook.condition is Condition.ACTIVE:
                first = min(row.due_at for row in rows.values())
                due[id_] = span(max(0, first - now, (webhook.gate_until or 0) - now))
        return due

    async def census(self) -> Census:
        """Count running watches, pending deliveries and events."""
        await self._begin()
        return Census(
            watches=sum(row.standing.active for row in self.disk.watches.values()),
            pending=sum(map(len, self.disk.pending.values())),
            events=len(self.disk.events),
        )

    async def pending(self) -> int:
        """Count pending deliveries."""
        await self._begin()
        return sum(map(len, self.disk.pending.values()))

    async def alive(self) -> None:
        """Prove that a durable write is possible now."""
        await self._begin()

    async def close(self) -> None:
        """Let go."""

    async def _begin(self) -> int:
        """Let others run, as a disk does; from here on nobody comes between."""
        await checkpoint()
        if self.broken is not None:
            raise self.broken
        return self._moments.now()

    def _take_over(self) -> None:
        """Free what the last run had claimed, and let nothing wait for ever."""
        now = self._moments.now()
        latest = now + micros(LONGEST_WAIT)
        for row in self._pending():
            if row.claimed:
                row.claimed, row.due_at, row.fence = False, now, row.fence + 1
            row.due_at = min(row.due_at, latest)
        for webhook in self.disk.webhooks.values():
            if webhook.gate_until is not None:
                webhook.gate_until = min(webhook.gate_until, latest)

    def _pending(self) -> Iterable[DeliveryRow]:
        return (row for rows in self.disk.pending.values() for row in rows.values())

    def _row(self, generation: Generation) -> WatchRow:
        return self.disk.watches[self.disk.generations[generation]]

    # Watches

    def _register(self, wishes: Sequence[WatchWish], now: int) -> Enlisted:
        for wish in wishes:
            storable(wish.generation)
        self._want(wishes, now)
        begun = {wish.generation for wish in wishes} - self.disk.generations.keys()
        started: dict[Generation, int] = {}
        ended: dict[Generation, None] = {}
        woken: set[int] = set()
        for wish in wishes:
            row = self._wished(wish, now, started, woken)
            if not row.standing.active:
                ended[wish.generation] = None
        return Enlisted(
            started=tuple(
                self._hand(self.disk.watches[id_], now) for id_ in sorted(started.values())
            ),
            ended=tuple(one for one in ended if one not in started),
            woken=frozenset(woken),
            begun=frozenset(begun),
        )

    def _want(self, wishes: Sequence[WatchWish], now: int) -> None:
        """Note until when the wishes want webhooks."""
        for wish in wishes:
            for id_ in wish.webhooks:
                if row := self.disk.webhooks.get(id_):
                    until = now + micros(wish.deadline)
                    row.wanted_until = max(row.wanted_until, until)

    def _wished(
        self, wish: WatchWish, now: int, started: dict[Generation, int], woken: set[int]
    ) -> WatchRow:
        if wish.generation not in self.disk.generations:
            row = self._born(wish, now)
            started[wish.generation] = row.id
            return row
        row = self._row(wish.generation)
        after = united(row.standing, wish)
        changed = after != row.standing
        if changed:
            woken |= self._catch_up(row, added(row.standing, wish), now)
            row.fence += 1
        if after.again:
            row.created_at, row.ended_at = now, None
        row.standing = replace(after, again=False)
        if after.active and (changed or row.id not in self._handed):
            started[wish.generation] = row.id
        return row

    def _born(self, wish: WatchWish, now: int) -> WatchRow:
        id_ = next_id(self.disk.watches)
        row = WatchRow(
            id=id_,
            uid=self._uid(),
            generation=wish.generation,
            standing=begun(wish),
            created_at=now,
        )
        self.disk.watches[id_] = row
        self.disk.generations[wish.generation] = id_
        return row

    def _catch_up(self, row: WatchRow, webhooks: Sequence[int], now: int) -> set[int]:
        """Tell added webhooks the latest event; return those that learn something."""
        events = [event for event in self.disk.events.values() if event.watch == row.id]
        if not events:
            return set()
        latest = max(events, key=lambda event: event.seq)
        return {hook for hook in webhooks if self._address(latest, hook, now)}

    def _end(self, row: WatchRow, now: int) -> None:
        row.standing = replace(row.standing, active=False, ended=UNWATCHED)
        row.ended_at = now
        row.fence += 1

    def _hand(self, row: WatchRow, now: int) -> Watch:
        self._handed.add(row.id)
        return Watch(
            id=row.id,
            uid=row.uid,
            fence=row.fence,
            generation=row.generation,
            until=State(row.standing.until),
            webhooks=row.standing.webhooks,
            metadata=metadata_of(row.standing.metadata),
            rank=row.standing.rank,
            native_state=row.native_state,
            seq=row.seq,
            age=span(now - row.created_at),
            left=span(row.created_at + row.standing.deadline - now),
            state_age=None if row.state_at is None else span(now - row.state_at),
        )

    # Changes

    def _record(self, change: Change, now: int, woken: set[int]) -> Recorded:
        row = self.disk.watches.get(change.watch.id)
        ours = row is not None and _fits(row, change)
        if row is not None and ours:
            _step(row, change, now)
            if self._is_new(change):
                born = self._announce(change, now, woken)
                return Recorded(accepted=True, deliveries=tuple(born))
        if change.message.id in self.disk.uids:
            return Recorded(accepted=True, deliveries=tuple(self._held(change)))
        return Recorded(accepted=ours)

    def _refuse_unstorable(self, change: Change) -> None:
        """Raise what a database would, before anything is done."""
        for json in (change.message.body, change.message.raw or b""):
            ascii_text(json)
        for to in change.recipients:
            if to.webhook not in self.disk.webhooks:
                raise StoreError(f"there is no webhook {to.webhook}")

    def _is_new(self, change: Change) -> bool:
        tags = ((event.watch, event.tag) for event in self.disk.events.values())
        return (
            change.message.id not in self.disk.uids
            and (change.watch.id, change.tag) not in tags
        )

    def _held(self, change: Change) -> Iterable[Born]:
        event = self.disk.uids[change.message.id]
        return (
            _birth(row)
            for row in self.disk.deliveries.values()
            if row.event == event and row.claimed
        )

    def _announce(self, change: Change, now: int, woken: set[int]) -> list[Born]:
        watch = change.watch.id
        event = self._happened(watch, change.tag, change.seq, change.message, now)
        for to in change.recipients:
            if to.latest:
                self._supersede(event, to.webhook, now)
        rows = [self._address(event, to.webhook, now, to) for to in change.recipients]
        born = [row for row in rows if row is not None]
        woken |= {row.webhook for row in born if not row.claimed and not self._ahead(row)}
        return [_birth(row) for row in born]

    def _happened(
        self, watch: int | None, tag: str, seq: int, message: Message, now: int
    ) -> EventRow:
        event = EventRow(
            id=next_id(self.disk.events),
            watch=watch,
            tag=tag,
            seq=seq,
            message=message,
            occurred_at=now,
        )
        self.disk.events[event.id] = event
        self.disk.uids[message.id] = event.id
        return event

    def _supersede(self, event: EventRow, webhook: int, now: int) -> None:
        for row in self._chain(event.watch, webhook):
            if row.seq < event.seq and not row.claimed:
                self._close(row, Status.SUPERSEDED, now)

    def _address(
        self, event: EventRow, webhook: int, now: int, to: Recipient | None = None
    ) -> DeliveryRow | None:
        """Make a delivery, claimed where its sender can take it; None: there is one."""
        if (event.id, webhook) in self.disk.addressed:
            return None
        mine = (
            to is not None
            and to.room
            and self._takes(webhook, now)
            and not self._chain(event.watch, webhook)
        )
        row = DeliveryRow(
            id=next_id(self.disk.deliveries),
            event=event.id,
            watch=event.watch,
            webhook=webhook,
            seq=event.seq,
            attempt=int(mine),
            due_at=now + micros(to.lease) if mine and to else now,
            claimed=mine,
            first_at=now,
        )
        self.disk.deliveries[row.id] = row
        self.disk.addressed[event.id, webhook] = row.id
        self.disk.pending.setdefault(webhook, {})[row.id] = row
        return row

    def _chain(self, watch: int | None, webhook: int) -> list[DeliveryRow]:
        """Return what is pending for a generation at a webhook; replays stand outside."""
        if watch is None:
            return []
        rows = self.disk.pending.get(webhook, {}).values()
        return [row for row in rows if row.watch == watch and not row.manual]

    def _ahead(self, row: DeliveryRow) -> list[DeliveryRow]:
        """Return what a delivery has to wait for."""
        if row.manual:
            return []
        return [one for one in self._chain(row.watch, row.webhook) if one.seq < row.seq]

    def _takes(self, webhook: int, now: int) -> bool:
        row = self.disk.webhooks.get(webhook)
        return (
            row is not None
            and row.condition is Condition.ACTIVE
            and (row.gate_until is None or row.gate_until <= now)
        )

    def _close(self, row: DeliveryRow, status: Status, now: int) -> None:
        row.status, row.claimed, row.settled_at = status, False, now
        del self.disk.pending[row.webhook][row.id]

    # Settlements

    def _settle(self, one: Settlement, now: int, woken: set[int]) -> bool:
        row = self.disk.deliveries.get(one.delivery.id)
        ours = (
            row is not None
            and row.status is Status.PENDING
            and row.claimed
            and row.fence == one.delivery.fence
        )
        if row is not None and one.attempt is not None:
            self._log(row, one.attempt, now)
        if row is not None and ours:
            self._settled(row, one, now, woken)
            self._keep(one)
        if one.webhook is not None and (webhook := self.disk.webhooks.get(one.webhook.id)):
            _note(webhook, one.webhook, now)
        for alert in one.alerts:
            woken |= self._raise(alert, now)
        return ours

    def _keep(self, one: Settlement) -> None:
        delivery, receipt = one.delivery, one.receipt
        if receipt is not None and delivery.watch is not None:
            kept = replace(receipt, text=plain(receipt.text) or "")
            self.disk.receipts[delivery.watch, delivery.webhook] = kept

    def _raise(self, alert: Alert, now: int) -> set[int]:
        """Store an alert that is not there yet; return whom it wakes."""
        if alert.message.id in self.disk.uids or alert.webhook not in self.disk.webhooks:
            return set()
        event = self._happened(None, alert.tag, 0, alert.message, now)
        return {alert.webhook} if self._address(event, alert.webhook, now) else set()

    def _log(self, row: DeliveryRow, attempt: Attempt, now: int) -> None:
        kept = replace(attempt, why=plain(attempt.why))
        self.disk.attempts.setdefault((row.id, attempt.number), (now, kept))
        if answer := attempt.answer[:ANSWER_LIMIT]:
            digest = digest_of(answer)
            at, _ = self.disk.bodies.get(digest, (now - 2 * HOUR, b""))
            if at < now - HOUR:
                self.disk.bodies[digest] = (now, answer)

    def _settled(
        self, row: DeliveryRow, one: Settlement, now: int, woken: set[int]
    ) -> None:
        row.tries += one.step
        row.claimed = False
        row.due_at = now + micros(one.wait)
        if one.attempt is None:
            row.attempt -= 1  # given back unsent
        else:
            row.last_code, row.last_why = one.attempt.code, plain(one.attempt.why)
        if one.status is Status.PENDING:
            woken |= set() if one.wait else {row.webhook}
            return
        self._close(row, one.status, now)
        if not row.manual:
            woken |= self._release(row, now)

    def _release(self, settled: DeliveryRow, now: int) -> set[int]:
        """Let the successors of a finished delivery come due."""
        freed = [
            row
            for row in self._chain(settled.watch, settled.webhook)
            if row.seq > settled.seq and not row.tries and not row.claimed
        ]
        for row in freed:
            row.due_at = min(row.due_at, now)
        return {row.webhook for row in freed}

    # Claims

    def _claim_round(
        self, hungry: list[tuple[Room, int]], now: int, taken: list[DeliveryRow]
    ) -> list[tuple[Room, int]]:
        """Claim what need not wait; return the rooms that met what must."""
        still, moves = [], []
        for room, slots in hungry:
            found = self._due(room.webhook, slots, now)
            free = [row for row in found if not self._ahead(row)]
            moves += [
                (row, self._wait(row, room, now), not self._ahead(row)) for row in found
            ]
            taken += free
            if len(free) < len(found):
                still.append((room, slots - len(free)))
        for row, wait, take in moves:
            row.due_at, row.claimed = now + wait, take
            row.fence, row.attempt = row.fence + 1, row.attempt + take
        return still

    def _due(self, webhook: int, slots: int, now: int) -> list[DeliveryRow]:
        if not self._takes(webhook, now):
            return []
        due = [
            row for row in self.disk.pending.get(webhook, {}).values() if row.due_at <= now
        ]
        due.sort(key=lambda row: (row.due_at, row.id))
        live = [row for row in due if not row.manual][:slots]
        manual = [row for row in due if row.manual][:slots]
        share = min(len(manual), max(slots // 2, slots - len(live)))
        return [*live[: slots - share], *manual[:share]]

    def _wait(self, row: DeliveryRow, room: Room, now: int) -> int:
        ahead = self._ahead(row)
        if not ahead:
            return micros(room.lease)
        until = max(one.due_at for one in ahead)
        flying = any(one.claimed for one in ahead)
        return RECHECK if flying or until <= now else until - now

    def _delivery(self, row: DeliveryRow) -> Delivery:
        return Delivery(
            id=row.id,
            fence=row.fence,
            webhook=row.webhook,
            watch=row.watch,
            seq=row.seq,
            attempt=row.attempt,
            tries=row.tries,
            manual=row.manual,
            message=self.disk.events[row.event].message,
        )


def _fits(row: WatchRow, change: Change) -> bool:
    return (
        row.standing.active
        and row.fence == change.watch.fence
        and row.seq == change.seq - 1
        and row.standing.rank <= change.rank
    )


def _step(row: WatchRow, change: Change, now: int) -> None:
    if change.rank > row.standing.rank:
        row.state_at = now
    row.standing = replace(
        row.standing,
        rank=change.rank,
        active=change.ended is None,
        ended=plain(change.ended),
    )
    row.ended_at = None if change.ended is None else now
    row.native_state, row.seq = plain(change.native_state), change.seq


def _birth(row: DeliveryRow) -> Born:
    return Born(id=row.id, webhook=row.webhook, fence=row.fence, claimed=row.claimed)


def _note(row: WebhookRow, state: WebhookState, now: int) -> None:
    """Note what an answer has shown; whatever holds more back counts."""
    shut, why = row.gate_until or 0, row.why
    longer = state.gate is not None and now + micros(state.gate) > shut
    switched = state.condition > row.condition
    kept = row.condition > state.condition or (shut > now and not (longer or switched))
    streak = max(row.health.streak, state.health.streak)
    row.condition = max(row.condition, state.condition)
    _set(row, replace(state, health=replace(state.health, streak=streak)), now)
    row.gate_until = row.gate_until if longer else (shut or None)
    row.why = why if kept else row.why


def _set(row: WebhookRow, state: WebhookState, now: int) -> None:
    failing = state.health.failing
    row.gate_until = None if state.gate is None else now + micros(state.gate)
    row.why = plain(state.why)
    row.health = replace(state.health, failing=None)
    row.failing_since = None if failing is None else now - micros(failing)
