"""The store in one SQLite file, for one process."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

from anyio import CancelScope, CapacityLimiter, to_thread

from bridge.core.change import Change
from bridge.core.delivering.delivery import Delivery, Settlement, WebhookState
from bridge.core.delivering.receipt import Receipt
from bridge.core.listing import Replica
from bridge.core.pacing.heirloom import Heirloom
from bridge.core.pacing.saved import SavedTable
from bridge.core.ports import Census, Clock, Enlisted, Room, Written
from bridge.core.watch import Generation, Watch, WatchWish
from bridge.store import (
    adopting,
    budgeting,
    keeping,
    pacing,
    place,
    receipts,
    retention,
    sending,
    watching,
    writing,
)
from bridge.store.answering import Answering
from bridge.store.file import File
from bridge.store.handed import Handed
from bridge.store.moments import Moments
from bridge.store.sql import Transaction

T = TypeVar("T")

ME = 1
"""The one replica that a SQLite file has."""


class SqliteStore(Answering):
    """A Store in one file: transactions run whole in a worker thread, one at a time.

    Reads share the connection that writes: they are a handful of index probes each, and a
    second connection would see no more than what is committed anyway.
    """

    def __init__(self, file: File, moments: Moments, uid: Callable[[], UUID]) -> None:
        self._file = file
        self._moments = moments
        self._uid = uid
        self._one_at_a_time = CapacityLimiter(1)
        self._one_beside = CapacityLimiter(1)
        self._handed = Handed()
        self._certain = True

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        uid: Callable[[], UUID],
        name: str = "genbridge",
        version: str = "0",
        kind: Callable[[Path], int] = place.magic,
    ) -> Self:
        """Open the file, made where it is missing, and free what the last run had claimed.

        `uid` makes the uuid of a new watch; `kind` tells a folder's file system. Raises
        StoreRefused, StoreBroken or StoreUnavailable.
        """
        store = cls(File(path, kind=kind), Moments(clock), uid)
        await store._in_thread(partial(store._file.open, store._moments.now()))
        try:
            await store._write(keeping.begin(me=ME, name=name, version=version))
        except BaseException:
            await store.close()
            raise
        return store

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
        return await self._write(keeping.known_webhooks(keys))

    async def set_webhook(self, state: WebhookState) -> None:
        """Set a webhook's condition and gate."""
        await self._write(keeping.set_webhook(state))

    async def register(self, wishes: Sequence[WatchWish]) -> Enlisted:
        """Begin watches, or change those that are."""
        return await self._enlist(
            watching.register(wishes, uid=self._uid, me=ME, known=self._known)
        )

    async def configure(self, wishes: Sequence[WatchWish], digest: str) -> Enlisted:
        """Register the watches of the file and end those of an earlier file that it lacks.

        The same digest as last time: nothing is written, nothing is returned.
        """
        return await self._enlist(
            watching.configure(
                wishes,
                digest,
                uid=self._uid,
                me=ME,
                known=self._known,
                anyway=not self._certain,
            )
        )

    async def unwatch(self, generations: Sequence[Generation]) -> Enlisted:
        """End watches; pending deliveries still go out."""
        return await self._write(watching.unwatch(generations, me=ME))

    async def claim_watches(self, limit: int) -> Sequence[Watch]:
        """Return up to `limit` running watches that this run has not been handed before."""
        found, cursor = await self._read(
            watching.running(self._handed.cursor, limit, self._handed.__contains__)
        )
        self._handed.walked(cursor, [watch.id for watch in found])
        return found

    async def watch(self, generation: Generation) -> Watch | None:
        """Return a running watch as it stands; None: it is over."""
        found = await self._read(watching.one(generation, me=ME))
        self._handed.add([found.id] if found else [])
        return found

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        """Commit changes first, then settlements, in one transaction."""
        return await self._write(writing.write(changes, settlements, me=ME))

    async def claim_deliveries(self, rooms: Sequence[Room]) -> Sequence[Delivery]:
        """Claim due deliveries, oldest due first, never past a pending predecessor."""
        return await self._write(sending.claim(rooms, ME))

    async def receipt(self, watch: int, webhook: int) -> Receipt | None:
        """Return what names the message that tells of a watch's progress."""
        return await self._read(receipts.find(watch, webhook))

    async def next_due(self) -> Mapping[int, timedelta]:
        """Return per webhook how long until something pending can be claimed."""
        return await self._read(sending.next_due())

    async def prune(
        self, *, attempts: timedelta, bodies: timedelta, deliveries: timedelta
    ) -> int:
        """Delete what is older; a watch goes whole, and counts as one row."""
        gone = await self._write(
            retention.prune(attempts=attempts, bodies=bodies, deliveries=deliveries)
        )
        if gone:
            await self._in_thread(self._file.shrink)
        return gone

    async def chunk(self, key: str, length: timedelta) -> timedelta:
        """Take the next `length` of a rate; return when it begins, from now. It is durable."""
        ahead = length + budgeting.STEPPED
        return await self._write(budgeting.chunk(key, length, ahead))

    async def pace(self, source: str) -> Heirloom:
        """Return the learned tables of a source."""
        return await self._write(pacing.inherit(source, me=ME))

    async def save_pace(self, source: str, tables: Sequence[SavedTable]) -> None:
        """Set what was learnt of some models' states."""
        await self._write(pacing.save(source, tables, me=ME))

    async def replicas(self) -> Sequence[Replica]:
        """Return the one replica of this file."""
        return await self._read(adopting.alone())

    async def census(self) -> Census:
        """Count running watches, pending deliveries and events, beside what is written."""
        return await self._glance(keeping.census())

    async def pending(self) -> int:
        """Count pending deliveries, beside what is written."""
        return await self._glance(keeping.pending())

    async def alive(self) -> None:
        """Prove that a durable write is possible now."""
        await self._write(keeping.prove())

    async def close(self) -> None:
        """Checkpoint and let go of the file."""
        with CancelScope(shield=True):
            async with self._one_beside:
                await self._in_thread(self._file.close)

    async def _enlist(self, transaction: Transaction[Enlisted]) -> Enlisted:
        """Run a registration and note what it hands out.

        After one that failed, its outcome is unknown: the next hands out whatever runs.
        """
        try:
            enlisted = await self._write(transaction)
        except BaseException:
            self._certain = False
            raise
        self._certain = True
        self._handed.add(watch.id for watch in enlisted.started)
        return enlisted

    def _known(self, id_: int) -> bool:
        return self._certain and id_ in self._handed

    async def _alter(self, make: Callable[[], Transaction[T]]) -> T:
        return await self._write(make())

    async def _ask(self, make: Callable[[], Transaction[T]]) -> T:
        return await self._read(make())

    async def _write(self, transaction: Transaction[T]) -> T:
        return await self._in_thread(
            partial(self._file.write, transaction, self._moments.now())
        )

    async def _read(self, transaction: Transaction[T]) -> T:
        return await self._in_thread(
            partial(self._file.read, transaction, self._moments.now())
        )

    async def _glance(self, transaction: Transaction[T]) -> T:
        look = partial(self._file.glance, transaction, self._moments.now())
        return await to_thread.run_sync(look, limiter=self._one_beside)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=self._one_at_a_time)
