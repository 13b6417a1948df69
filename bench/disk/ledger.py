"""A process that uses the store and says what it was promised.

    python -m bench.disk.ledger write DIR [COUNT]

It records an event and settles its delivery, again and again, or COUNT times. It prints
`ack N` with an even N once an event is committed, with the next odd N once its settlement is;
`err …` where the store could not, and then it goes on. BUG=early says `ack` before the commit,
BUG=blind in spite of an error, BUG=normal leaves synchronous=FULL away: each must be caught.
"""

import os
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import anyio

from bridge.core.change import Born, Change, Recipient, Recorded
from bridge.core.delivering.delivery import Attempt, Delivery, Settlement, Status
from bridge.core.event import event_id
from bridge.core.ladder import State
from bridge.core.listing import WatchFilter
from bridge.core.message import Message
from bridge.core.network.exchange import Timings
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.errors import StoreBroken, StoreUnavailable
from bridge.store.sqlite import SqliteStore
from bridge.telemetry.clock import SystemClock

T = TypeVar("T")

BUG = os.environ.get("BUG")
BODY = b'{"type":"generation.completed","data":{"text":"' + b"x" * 500 + b'"}}'


class Ledger:
    """A store, and the number of what is written next."""

    def __init__(self, store: SqliteStore, webhook: int, number: int) -> None:
        self._store = store
        self._webhook = webhook
        self._number = number

    @classmethod
    async def open(cls, path: Path) -> "Ledger":
        """Open the store and see how far an earlier run has come."""
        store = await SqliteStore.open(path, clock=SystemClock(), uid=uuid4)
        if BUG == "normal":
            connection = store._file._connected()  # noqa: SLF001  (no setting leads there)
            connection.execute("PRAGMA synchronous = NORMAL")
        (webhook,) = (await store.webhooks(["name:studio"])).values()
        newest = (await store.list_watches(WatchFilter(), limit=1)).watches
        number = int(newest[0].generation.id) + 1 if newest else 0
        return cls(store, webhook.id, number)

    async def step(self) -> None:
        """Record one event and settle its delivery."""
        name, self._number = str(self._number), self._number + 1
        written = await _acknowledged(int(name) * 2, lambda: self._record(name))
        if written is not None:
            change, recorded = written
            (born,) = recorded.deliveries
            await _acknowledged(int(name) * 2 + 1, lambda: self._settle(change, born))

    async def _record(self, name: str) -> tuple[Change, Recorded]:
        (watch,) = (await self._store.register([self._wish(name)])).started
        change = self._change(watch)
        (recorded,) = (await self._store.write([change], [])).recorded
        return change, recorded

    async def _settle(self, change: Change, born: Born) -> None:
        delivery = Delivery(
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
        attempt = Attempt(number=1, code=204, why=None, timings=Timings(total=1.0))
        settlement = Settlement(delivery=delivery, status=Status.DELIVERED, attempt=attempt)
        await self._store.write([], [settlement])

    def _wish(self, name: str) -> WatchWish:
        return WatchWish(
            generation=Generation("luma", name),
            origin=Origin.API,
            webhooks=(self._webhook,),
        )

    def _change(self, watch: Watch) -> Change:
        return Change(
            watch=watch,
            rank=State.COMPLETED,
            native_state="completed",
            ended="completed",
            tag="completed",
            message=Message(id=event_id(watch.uid, "completed"), body=BODY, raw=BODY),
            recipients=(
                Recipient(webhook=self._webhook, room=True, lease=timedelta(minutes=1)),
            ),
        )

    async def close(self) -> None:
        """Let go of the file."""
        await self._store.close()


async def _acknowledged(number: int, work: Callable[[], Awaitable[T]]) -> T | None:
    if BUG == "early":
        print(f"ack {number}", flush=True)
    result = None
    try:
        result = await work()
    except StoreUnavailable:
        if BUG != "blind":
            raise
    if BUG != "early":
        print(f"ack {number}", flush=True)
    return result


async def write(path: Path, count: int | None) -> None:
    """Write until COUNT or for ever; a database that is given up ends it."""
    ledger = await Ledger.open(path) if count == 0 else None
    while count is None or count > 0:
        count = None if count is None else count - 1
        try:
            ledger = ledger or await Ledger.open(path)
            await ledger.step()
        except StoreUnavailable as error:
            print("err", str(error).rpartition(":")[2], flush=True)
            await anyio.sleep(0.01)
    if ledger is not None:
        await ledger.close()


def there(connection: sqlite3.Connection) -> set[int]:
    """Return every number that is in the ledger."""
    rows = connection.execute(
        "SELECT generation_id * 2, d.status FROM events e JOIN watches w ON w.id = e.watch_id"
        " LEFT JOIN deliveries d ON d.event_id = e.id"
    ).fetchall()
    delivered = {number + 1 for number, status in rows if status == Status.DELIVERED}
    return {number for number, _ in rows} | delivered


def main() -> None:
    """Do what the command line says."""
    _, folder, *more = sys.argv[1:]
    path = Path(folder) / "genbridge.db"
    try:
        anyio.run(write, path, int(more[0]) if more else None)
    except StoreBroken as error:
        print("err", error, flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
