"""What a durable delivery costs: recorded, settled and its attempt logged, on a real file.

Each round records `batch` changes (one event, one delivery each, a body of 1 KiB) in one commit
and settles them in the next. CPU counts the whole process, worker thread and all.
"""

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import anyio

from bridge.core.change import Change, Recipient
from bridge.core.delivering.delivery import Attempt, Delivery, Settlement, Status
from bridge.core.event import event_id
from bridge.core.message import Message
from bridge.core.network.exchange import Timings
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.store.sqlite import SqliteStore

BODY = b'{"type":"generation.dreaming","data":{"text":"' + b"x" * 900 + b'"}}'
RAW = b'{"id":"1","state":"dreaming","url":"https://example.com/' + b"y" * 100 + b'"}'
LEASE = timedelta(seconds=30)


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return the wall time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one size of batch reached."""

    batch: int
    per_second: float
    micros: float


def main() -> None:
    """Print the figures as a table."""
    print("SQLite, synchronous=FULL      batch   deliveries/s   CPU µs per delivery")
    for batch, rounds in ((1, 400), (10, 100), (100, 60)):
        figure = anyio.run(_measure, batch, rounds)
        print(f"{'':29}{figure.batch:6}{figure.per_second:15,.0f}{figure.micros:22.1f}")
    anyio.run(_watches, 100_000)


async def _measure(batch: int, rounds: int) -> Figure:
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        store = await _opened(Path(folder))
        async with store:
            (webhook,) = (await store.webhooks(["name:studio"])).values()
            watches = (
                await store.register(_wishes(batch * (rounds + 2), webhook.id))
            ).started
            groups = [watches[i : i + batch] for i in range(0, len(watches), batch)]
            works = [[_change(watch, webhook.id) for watch in group] for group in groups]
            for work in works[:2]:
                await _deliver(store, work)
            seconds, cpu = await _timed(store, works[2:])
    count = batch * rounds
    return Figure(batch=batch, per_second=count / seconds, micros=cpu / count * 1e6)


async def _timed(
    store: SqliteStore, works: Sequence[Sequence[Change]]
) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), _cpu()
    for work in works:
        await _deliver(store, work)
    return time.perf_counter() - wall, _cpu() - cpu


async def _deliver(store: SqliteStore, changes: Sequence[Change]) -> None:
    written = await store.write(changes, [])
    settlements = [
        Settlement(
            delivery=Delivery(
                id=born.id,
                fence=born.fence,
                webhook=born.webhook,
                watch=change.watch.id,
                seq=change.seq,
                attempt=1,
                tries=0,
                manual=False,
                message=change.message,
            ),
            status=Status.DELIVERED,
            attempt=Attempt(
                number=1,
                code=204,
                why=None,
                timings=Timings(wait=3.5, total=3.75, reused=True),
            ),
        )
        for change, recorded in zip(changes, written.recorded, strict=True)
        for born in recorded.deliveries
    ]
    done = await store.write([], settlements)
    if done.fenced or len(settlements) != len(changes):
        raise RuntimeError("a delivery was lost")


def _change(watch: Watch, webhook: int) -> Change:
    return Change(
        watch=replace(watch),
        rank=1,
        native_state="dreaming",
        ended=None,
        tag="dreaming",
        message=Message(id=event_id(watch.uid, "dreaming"), body=BODY, raw=RAW),
        recipients=(Recipient(webhook=webhook, room=True, lease=LEASE),),
    )


def _wishes(count: int, webhook: int) -> list[WatchWish]:
    return [
        WatchWish(
            generation=Generation("aiml", str(uuid4())),
            origin=Origin.FILE,
            webhooks=(webhook,),
            metadata={"order": i},
        )
        for i in range(count)
    ]


async def _watches(count: int) -> None:
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        async with await _opened(Path(folder)) as store:
            (webhook,) = (await store.webhooks(["name:studio"])).values()
            wishes = _wishes(count, webhook.id)
            begun = await _seconds(lambda: store.configure(wishes, "a"))
            changed = await _seconds(lambda: store.configure(wishes, "b"))
        start = time.perf_counter()
        async with await _opened(Path(folder)) as store:
            opened = time.perf_counter() - start
            loaded = await _seconds(lambda: _load(store))
    print(
        f"{count:,} watches: from the file {begun:.2f} s, the same from another file ",
        end="",
    )
    print(f"{changed:.2f} s; next start: open {opened:.2f} s, load {loaded:.2f} s")


async def _load(store: SqliteStore) -> None:
    while await store.claim_watches(5000):
        pass


async def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    await work()  # type: ignore[misc]  # any awaitable
    return time.perf_counter() - start


async def _opened(folder: Path) -> SqliteStore:
    return await SqliteStore.open(folder / "bench.db", clock=SystemClock(), uid=uuid4)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
