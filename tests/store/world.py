"""A store with everything around it: a clock to turn, a disk to look at, a next run to begin."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from bridge.core.change import Change, Recipient, Recorded
from bridge.core.delivering.delivery import (
    Attempt,
    Delivery,
    Settlement,
    Status,
    WebhookState,
)
from bridge.core.event import event_id
from bridge.core.ladder import State
from bridge.core.message import Message
from bridge.core.network.exchange import Timings
from bridge.core.ports import Room, Store
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.store.memory import MemoryStore
from bridge.store.sqlite import SqliteStore

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


class HandClock:
    """A Clock that moves when the test moves it."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
        self.steady = 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def pass_(self, span: timedelta) -> None:
        self.wall += span
        self.steady += span.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A delivery as it lies on the disk."""

    id: int
    watch: int | None
    webhook: int
    seq: int
    status: Status
    manual: bool
    attempt: int
    tries: int
    claimed: bool
    fence: int
    code: int | None
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An attempt as it lies on the disk."""

    delivery: int
    number: int
    code: int | None
    why: str | None
    answer: bytes | None


class World(Protocol):
    """What a test of the suite sees of a kind of store."""

    @property
    def clock(self) -> HandClock:
        """The clock to turn."""
        ...

    @property
    def store(self) -> Store:
        """The store of this run."""
        ...

    async def restart(self) -> None:
        """End this run, whatever it has claimed, and begin the next."""
        ...

    async def deliveries(self) -> list[Kept]:
        """Return all deliveries, in the order of their making."""
        ...

    async def attempts(self) -> list[Logged]:
        """Return the log of attempts."""
        ...

    async def make_manual(self, delivery: int) -> None:
        """Mark a delivery as a replay."""
        ...

    async def close(self) -> None:
        """End."""
        ...


class MemoryWorld:
    """The twin."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self._uids = uids()
        self.store: MemoryStore = MemoryStore(self.clock, self._uids.__next__)

    async def restart(self) -> None:
        self.store = MemoryStore(self.clock, self._uids.__next__, disk=self.store.disk)

    async def deliveries(self) -> list[Kept]:
        return [
            Kept(
                id=row.id,
                watch=row.watch,
                webhook=row.webhook,
                seq=row.seq,
                status=row.status,
                manual=row.manual,
                attempt=row.attempt,
                tries=row.tries,
                claimed=row.claimed,
                fence=row.fence,
                code=row.last_code,
                why=row.last_why,
            )
            for row in self.store.disk.deliveries.values()
        ]

    async def attempts(self) -> list[Logged]:
        bodies = {body for _, body in self.store.disk.bodies.values()}
        return [
            Logged(
                delivery=delivery,
                number=number,
                code=attempt.code,
                why=attempt.why,
                answer=attempt.answer[:65536] if attempt.answer[:65536] in bodies else None,
            )
            for (delivery, number), (_, attempt) in sorted(self.store.disk.attempts.items())
        ]

    async def make_manual(self, delivery: int) -> None:
        self.store.disk.deliveries[delivery].manual = True

    async def close(self) -> None:
        await self.store.close()


class SqliteWorld:
    """The file."""

    store: SqliteStore

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = HandClock()
        self._uids = uids()

    async def open(self) -> None:
        self.store = await SqliteStore.open(
            self.path, clock=self.clock, uid=self._uids.__next__
        )

    async def restart(self) -> None:
        await self.store.close()
        await self.open()

    async def deliveries(self) -> list[Kept]:
        rows = self.sql(
            "SELECT id, watch_id, webhook_id, seq, status, manual, attempt, tries, claimed_by,"
            " fence, last_code, last_why FROM deliveries ORDER BY id"
        )
        return [
            Kept(
                id=row[0],
                watch=row[1],
                webhook=row[2],
                seq=row[3],
                status=Status(row[4]),
                manual=bool(row[5]),
                attempt=row[6],
                tries=row[7],
                claimed=row[8] is not None,
                fence=row[9],
                code=row[10],
                why=row[11],
            )
            for row in rows
        ]

    async def attempts(self) -> list[Logged]:
        rows = self.sql(
            "SELECT delivery_id, attempt, code, why, body FROM attempts"
            " LEFT JOIN bodies ON sha256 = answer ORDER BY delivery_id, attempt, attempts.at"
        )
        return [
            Logged(delivery=delivery, number=number, code=code, why=why, answer=answer)
            for delivery, number, code, why, answer in rows
        ]

    async def make_manual(self, delivery: int) -> None:
        self.sql("UPDATE deliveries SET manual = 1 WHERE id = ?", delivery)

    async def close(self) -> None:
        await self.store.close()

    def sql(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            return connection.execute(text, values).fetchall()
        finally:
            connection.close()


def uids() -> Iterator[UUID]:
    """Return uuids that are the same in every run."""
    return (UUID(int=number) for number in count(1))


def wish(
    id_: str = "g1",
    *webhooks: int,
    until: State = State.COMPLETED,
    origin: Origin = Origin.API,
    **more: Any,
) -> WatchWish:
    """Return a wish for a generation of the source `luma`."""
    return WatchWish(
        generation=Generation("luma", id_),
        origin=origin,
        until=until,
        webhooks=webhooks or (1,),
        **more,
    )


def to(webhook: int = 1, *, room: bool = True, latest: bool = False) -> Recipient:
    """Return a recipient with a lease of 30 s."""
    return Recipient(webhook=webhook, room=room, lease=LEASE, latest=latest)


def step(watch: Watch, state: State, *recipients: Recipient, ended: bool = False) -> Change:
    """Return the change that a state makes of a watch."""
    return Change(
        watch=watch,
        rank=state,
        native_state=state.word,
        ended=state.word if ended else None,
        tag=state.word,
        message=message(watch, state.word),
        recipients=recipients,
    )


def message(watch: Watch, tag: str) -> Message:
    """Return a message of a watch."""
    body = b'{"type":"generation.%b","data":{}}' % tag.encode()
    return Message(id=event_id(watch.uid, tag), body=body, raw=b'{"a":1}')


def after(change: Change) -> Watch:
    """Return the watch as its owner knows it once a change has been accepted."""
    return replace(change.watch, rank=change.rank, seq=change.seq)


def sent(change: Change, recorded: Recorded) -> Delivery:
    """Return the first delivery that a change has made, as its sender holds it."""
    (born, *_) = recorded.deliveries
    return Delivery(
        id=born.id,
        fence=born.fence,
        webhook=born.webhook,
        watch=change.watch.id,
        seq=change.seq,
        attempt=1,
        tries=0,
        manual=False,
        message=change.message,
    )


def settled(
    delivery: Delivery,
    status: Status = Status.DELIVERED,
    *,
    code: int | None = 204,
    wait: timedelta = timedelta(),
    why: str | None = None,
    answer: bytes = b"",
    webhook: WebhookState | None = None,
    **more: Any,
) -> Settlement:
    """Return a settlement after an attempt."""
    attempt = Attempt(
        number=delivery.attempt,
        code=code,
        why=why,
        timings=Timings(total=2.5),
        answer=answer,
    )
    return Settlement(
        delivery=delivery,
        status=status,
        wait=wait,
        attempt=attempt,
        webhook=webhook,
        **more,
    )


def room(webhook: int = 1, slots: int = 10, lease: timedelta = LEASE) -> Room:
    """Return room at a webhook."""
    return Room(webhook=webhook, slots=slots, lease=lease)


async def watching(store: Store, id_: str = "g1", *webhooks: int, **more: Any) -> Watch:
    """Make two webhooks known and begin a watch."""
    await store.webhooks(["name:one", "name:two"])
    (watch,) = (await store.register([wish(id_, *webhooks, **more)])).started
    return watch


async def announced(store: Store, watch: Watch, *states: State, **more: Any) -> Watch:
    """Commit states of a watch, each told to webhook 1 without room; return the watch after."""
    for state in states:
        change = step(watch, state, to(room=False, **more))
        (recorded,) = (await store.write([change], [])).recorded
        assert recorded.accepted
        watch = after(change)
    return watch


async def claimed(store: Store, *rooms: Room) -> Sequence[Delivery]:
    """Claim what is due, by default at webhook 1."""
    return await store.claim_deliveries(rooms or [room()])
