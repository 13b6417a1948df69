"""What a durable delivery costs, and what a million stored rows do to claims, lists and a move.

usage: python -m bench.store [--stored 1000000] [--only deliveries|watches|claims|lists|move]

Each round records `batch` changes (one event, one delivery each, a body of 1 KiB) in one commit
and settles them in the next, on a real file. CPU counts the whole process, worker thread and all,
but for the records that this script makes (4 µs a delivery).
Beside what waits for a disk stands what an empty durable commit takes in the same run: on a busy
machine both grow.
"""

import argparse
import resource
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import anyio

from bridge.core.change import Change, Recipient
from bridge.core.delivering.delivery import Attempt, Delivery, Settlement, Status
from bridge.core.event import event_id
from bridge.core.listing import DeliveryFilter, WatchFilter
from bridge.core.message import Message
from bridge.core.network.exchange import Timings
from bridge.core.ports import Store, Written
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.store.moving import move
from bridge.store.postgres import PostgresStore
from bridge.store.sqlite import SqliteStore
from tests.fakes.postgres import Server, serving

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, default=1_000_000)
    parser.add_argument("--only", choices=list(PARTS))
    options = parser.parse_args()
    for name, part in PARTS.items():
        if options.only in (None, name):
            part(options.stored)


def _deliveries(_: int) -> None:
    print("SQLite, synchronous=FULL      batch   deliveries/s   CPU µs per delivery")
    for batch, rounds in ((1, 400), (10, 100), (100, 60)):
        figure = anyio.run(_measure, batch, rounds)
        asked = f"  {figure.per_second / 5000:.1f} x the 5,000 asked" * (batch == 100)
        print(
            f"{'':29}{figure.batch:6}{figure.per_second:15,.0f}{figure.micros:22.1f}{asked}"
        )


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
    wall = cpu = 0.0
    for work in works:
        used = await _deliver(store, work)
        wall, cpu = wall + used[0], cpu + used[1]
    return wall, cpu


async def _deliver(store: SqliteStore, changes: Sequence[Change]) -> tuple[float, float]:
    """Record and settle; return the seconds that it took, and those of CPU."""
    wall, cpu = time.perf_counter(), _cpu()
    written = await store.write(changes, [])
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    settlements = _settlements(changes, written)
    wall, cpu = wall - time.perf_counter(), cpu - _cpu()
    done = await store.write([], settlements)
    wall, cpu = wall + time.perf_counter(), cpu + _cpu()
    if done.fenced or len(settlements) != len(changes):
        raise RuntimeError("a delivery was lost")
    return wall, cpu


def _settlements(changes: Sequence[Change], written: Written) -> list[Settlement]:
    return [
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


# ---------------------------------------------------------------- a million rows

CLAIMS = 670
"""Claims that are timed."""

FILL_SERVER = """
INSERT INTO webhooks (key, state) SELECT 'name:' || i, 0 FROM generate_series(1, 20) i;
INSERT INTO watches (uid, source, generation_id, origin, until_rank, webhooks, metadata,
    deadline_at, rank, seq, active, due_at, fence, dirty, created_at)
    SELECT gen_random_uuid(), 'luma', gen_random_uuid()::text, 1, 2, '[1]', '{"order":1042}',
    1e15, 0, 0, true, i, 0, false, i FROM generate_series(1, %(count)d) i;
INSERT INTO events (uid, watch_id, tag, seq, body, occurred_at)
    SELECT gen_random_uuid(), id, 'completed', 0, '{"type":"generation.completed"}',
    id * 100000 FROM watches;
INSERT INTO deliveries (event_id, watch_id, webhook_id, seq, status, manual, attempt, tries,
    due_at, first_at, fence)
    SELECT id, watch_id, 1 + id %% 20, 0, CASE WHEN id %% 100 = 0 THEN 2 ELSE 1 END, false, 1, 0,
    id, id * 100000, 0 FROM events;
VACUUM ANALYZE
"""

FILL_FILE = """
INSERT INTO webhooks (key, state) SELECT 'name:' || i, 0 FROM n WHERE i <= 20;
INSERT INTO watches (uid, source, generation_id, origin, until_rank, webhooks, metadata,
    deadline_at, rank, seq, active, due_at, owner, fence, dirty, created_at)
    SELECT substr(x, 1, 8) || '-0000-5000-' || substr(x, 9, 4) || '-' || substr(x, 13),
    'luma', hex(randomblob(16)), 1, 2, '[1]', '{"order":1042}', 1000000000000000, 0, 0, 1, i,
    1, 0, 0, i
    FROM (SELECT i, lower(hex(randomblob(12))) AS x FROM n);
INSERT INTO events (uid, watch_id, tag, seq, body, occurred_at)
    SELECT replace(uid, '-5000-', '-5001-'), id, 'completed', 0,
    '{"type":"generation.completed"}', id * 100000 FROM watches;
INSERT INTO deliveries (event_id, watch_id, webhook_id, seq, status, manual, attempt, tries,
    due_at, first_at, fence)
    SELECT id, watch_id, 1 + id % 20, 0, CASE WHEN id % 100 = 0 THEN 2 ELSE 1 END, 0, 1, 0,
    id, id * 100000, 0 FROM events;
INSERT INTO attempts (delivery_id, attempt, at, replica, code, timings, particulars)
    SELECT id, 1, 1795000000000000 + id * 100000, 1, 204, '{"total":3.5}', '{"step":0}'
    FROM deliveries
"""

PAGES: Mapping[str, Callable[[Store], Awaitable[object]]] = {
    "watches, first page": lambda s: s.list_watches(WatchFilter(), limit=100),
    "watches in the middle": lambda s: s.list_watches(
        WatchFilter(), before=500_000, limit=100
    ),
    "running watches of a source": lambda s: s.list_watches(
        WatchFilter(source="luma", active=True), limit=100
    ),
    "deliveries, first page": lambda s: s.list_deliveries(DeliveryFilter(), limit=100),
    "failed deliveries": lambda s: s.list_deliveries(
        DeliveryFilter(status=Status.FAILED), limit=100
    ),
    "a webhook's deliveries": lambda s: s.list_deliveries(
        DeliveryFilter(webhook=7), limit=100
    ),
    "a webhook's, between two moments": lambda s: s.list_deliveries(
        DeliveryFilter(webhook=7, since=_moment(20_000), until=_moment(60_000)), limit=100
    ),
    "none waiting, among a million": lambda s: s.list_deliveries(
        DeliveryFilter(status=Status.PENDING), limit=100
    ),
    "one with its attempts": lambda s: s.history(4711),
}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _claims(stored: int) -> None:
    with serving(memory=False) as server:
        url = server.database()
        anyio.run(_on_server, server, url, stored)


async def _on_server(server: Server, url: str, stored: int) -> None:
    async with await PostgresStore.open(url, uid=uuid4) as store:
        for statement in (FILL_SERVER % {"count": stored}).split(";"):
            server.sql(statement, url)
        proof = await _times(store.alive, CLAIMS)
        claims = await _times(lambda: store.claim_watches(500), CLAIMS)
        print(f"PostgreSQL, {stored:,} watches       p50    p99    max ms")
        _told("an empty durable commit", proof)
        _told("claims of 30 watches", claims, proof)
        for name, ask in PAGES.items():
            _told(name, await _times(partial(ask, store), 100), proof)


def _lists(stored: int) -> None:
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        anyio.run(_on_file, Path(folder), stored)


async def _on_file(folder: Path, stored: int) -> None:
    await _closed(folder)
    _fill(folder / "bench.db", stored)
    async with await _opened(folder) as store:
        proof = await _times(store.alive, CLAIMS)
        print(f"SQLite, {stored:,} watches           p50    p99    max ms")
        _told("an empty durable commit", proof)
        for name, ask in PAGES.items():
            _told(name, await _times(partial(ask, store), 100), proof)
        _told("a census, beside the writer", await _times(store.census, 10))
        _told("what is pending, beside it", await _times(store.pending, 10))


def _fill(path: Path, stored: int) -> None:
    count = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < {stored})"  # noqa: S608  (a number)
    )
    with closing(sqlite3.connect(path)) as connection:
        for statement in FILL_FILE.split(";"):
            connection.execute(f"{count} {statement}")
        connection.commit()


def _move(stored: int) -> None:
    with (
        serving(memory=False) as server,
        TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder,
    ):
        path = Path(folder, "bench.db")
        anyio.run(_closed, Path(folder))
        _fill(path, stored // 4)
        start, cpu = time.perf_counter(), _cpu()
        rows = move(str(path), server.database(), lambda _table, _rows: None)
        seconds, cpu = time.perf_counter() - start, _cpu() - cpu
    print(
        f"db move to PostgreSQL, checked on both sides: {rows:,} rows in {seconds:.0f} s"
        f" ({cpu:.0f} s of our CPU), {rows / seconds:,.0f} rows/s"
    )


async def _closed(folder: Path) -> None:
    await (await _opened(folder)).close()


async def _times(work: Callable[[], Awaitable[object]], count: int) -> list[float]:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        await work()
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)


def _told(name: str, times: Sequence[float], proof: Sequence[float] = ()) -> None:
    """Print times; beside them how they stand to 20 ms, and to an empty commit."""
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    ratio = f"   {p50 / proof[len(proof) // 2]:5.1f} x" if proof else ""
    asked = "" if not proof else f"  p99 {p99 / 20:4.1f} x the 20 ms asked"
    print(f"  {name:34}{p50:7.1f}{p99:7.1f}{times[-1]:7.1f}{ratio}{asked}", flush=True)


PARTS: Mapping[str, Callable[[int], None]] = {
    "deliveries": _deliveries,
    "watches": lambda _: anyio.run(_watches, 100_000),
    "claims": _claims,
    "lists": _lists,
    "move": _move,
}


if __name__ == "__main__":
    main()
