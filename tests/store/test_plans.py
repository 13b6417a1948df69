"""How PostgreSQL runs the statements: each goes by its index, whatever the planner guesses."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import anyio
import asyncpg
import pytest

from bridge.store import (
    adopting,
    alerting,
    keeping,
    listing,
    receipts,
    recording,
    replaying,
    retention,
    searching,
    sending,
    settling,
    share,
    telling,
    watching,
)
from bridge.store.driving import wording
from bridge.store.postgres import PostgresStore
from bridge.store.sql import Query, Row, Statement
from tests.fakes.postgres import Server
from tests.store.world import uids

pytestmark = pytest.mark.anyio

# Without the days to come: they are empty.
GROWING = {"watches", "events", "deliveries", "bodies", "attempts_default", "receipts"}

ROWS = """
INSERT INTO replicas (id, name, version, started_at, seen_at, owned) VALUES (1, 'a', '0', 1, 1, 0);
INSERT INTO webhooks (key, state) SELECT 'name:' || i, 0 FROM generate_series(1, 20) i;
INSERT INTO watches (uid, source, generation_id, origin, until_rank, webhooks, deadline_at, rank,
    seq, active, ended, ended_at, due_at, owner, fence, dirty, created_at)
    SELECT gen_random_uuid(), 'luma', i::text, 1, 2, '[1]', 1, 0, 0, i % 10 = 0,
    CASE WHEN i % 10 > 0 THEN 'completed' END, CASE WHEN i % 10 > 0 THEN i END, i,
    CASE WHEN i % 20 = 0 THEN 1 END, 0, false, i FROM generate_series(1, 100000) i;
INSERT INTO events (uid, watch_id, tag, seq, body, occurred_at)
    SELECT gen_random_uuid(), CASE WHEN i % 100 > 0 THEN i END, 'completed', 0,
    '{"type":"x"}', i FROM generate_series(1, 100000) i;
INSERT INTO deliveries (event_id, watch_id, webhook_id, seq, status, manual, attempt, tries, due_at,
    first_at, claimed_by, fence)
    SELECT id, watch_id, 1 + id % 20, 0, CASE WHEN id % 50 > 1 THEN 1 WHEN id % 50 = 1 THEN 2
    ELSE 0 END, false, 1, 0, id, id, CASE WHEN id % 500 = 0 THEN 1 END, 0 FROM events;
INSERT INTO attempts (delivery_id, attempt, at, replica, code, timings)
    SELECT id, 1, id, 1, 204, '{}' FROM deliveries;
INSERT INTO receipts (watch_id, webhook_id, place, receipt) SELECT id, 1, 'p', 'r' FROM watches;
INSERT INTO bodies (sha256, body, at) SELECT i::text, '', i FROM generate_series(1, 100000) i
"""


@pytest.fixture(scope="module")
def filled(server: Server) -> Iterator[str]:
    """A database with many rows, about which the planner knows everything."""
    url = server.database()
    anyio.run(made, url)
    for statement in (*ROWS.split(";"), "ANALYZE"):
        server.sql(statement, url)
    yield url
    server.drop(url)


async def made(url: str) -> None:
    async with await PostgresStore.open(url, uid=uids().__next__):
        pass


@pytest.fixture
async def connection(filled: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(filled)
    yield connection
    await connection.close()


def of_batch(width: int, rows: int = 100) -> Sequence[Row]:
    return [tuple([i * 7 + 1] * width) for i in range(rows)]


IDS = of_batch(1)
RANGE = {"since": -(2**62), "until": 2**62, "from": 0, "before": 2**62, "limit": 100}
SPAN = {"cursor": 5000, "last": 20000}
PRESENT = [("00000000-0000-0000-0000-000000000000", i, "queued") for i in range(1, 101)]
BORN = [(i, i, 1, 0, True, 1) for i in range(1, 101)]
STEPS = [(i, 0, 1, 1, None, None, True) for i in range(20, 2020, 20)]
SETTLED = [(i, 0, 1, 0, 1, True, 204, None) for i in range(50, 5050, 50)]
LOGGED = [(i, 2, 204, "{}", None, None, None) for i in range(1, 101)]

PLANS = [
    Query(recording.STEP, {"me": 1}, STEPS),
    Query(recording.PRESENT, {}, PRESENT),
    Query(recording.HELD, {"me": 1}, IDS),
    Query(recording.SUPERSEDE, {}, of_batch(3)),
    Query(recording.ADDRESS, {"me": 1}, BORN),
    Query(recording.FIRST, {}, IDS),
    Query(sending.DUE, {"hook": 3, "manual": False, "limit": 20}),
    Query(sending.DUE_AT_ALL, {}, [(i, False, 20) for i in range(1, 21)]),
    Query(sending.MOVE, {"me": 1}, [(i, True, 1) for i in range(1, 101)]),
    Query(sending.CLAIMED, {}, IDS),
    Query(sending.NEXT),
    Query(settling.SETTLE, {"me": 1}, SETTLED),
    Query(settling.LOG_ANYWAY, {"me": 1}, LOGGED),
    Query(settling.RELEASE, {}, of_batch(3)),
    Query(receipts.FIND, {"watch": 5, "hook": 1}),
    Query(receipts.KEEP, {}, [(i, 2, "p", "r") for i in range(1, 101)]),
    Query(share.TAKE, {"me": 1, "limit": 100}),
    Query(share.STEAL, {"me": 1, "limit": 100}),
    Query(share.RESCUE, {"me": 1, "limit": 100}),
    Query(share.GIVE_BACK, {"me": 1}, of_batch(3)),
    Query(share.CHANGED, {"me": 1}),
    Query(share.MINE, {"me": 1, "cursor": 0, "limit": 100}),
    Query(watching.ONE, {"me": 1, "source": "luma", "generation": "20"}),
    Query(watching.STANDING, {"me": 1}, [("luma", str(i)) for i in range(50)]),
    Query(watching.READ, {"me": 1}, IDS),
    Query(keeping.FREE),
    Query(keeping.PENDING),
    Query(retention.PRUNE_WATCHES, {"age": 10**15, "limit": 100}),
    Query(retention.PRUNE_OPERATIONAL, {"age": 10**15, "limit": 100}),
    Query(retention.PRUNE_BODIES, {"age": 10**15, "limit": 100}),
    Query(retention.PRUNE_STRAY, {"age": 10**15, "limit": 100}),
    Query(adopting.STALE, {"age": 10**15, "limit": 100}),
    Query(listing.TOP, {"before": 5000}),
    Query(
        listing.PAGES[None],
        {"before": 5000, "from": 0, "limit": 50, "source": None, "rank": None},
    ),
    Query(
        listing.PAGES[True],
        {"before": 5000, "from": 0, "limit": 50, "source": "luma", "rank": None},
    ),
    Query(listing.NAMED, {}, [("luma", str(i)) for i in range(50)]),
    Query(listing.EVENTS, {"watch": 5}),
    Query(listing.DELIVERIES, {"watch": 5}),
    Query(telling.OF_WEBHOOK, {**RANGE, "hook": 3, "status": 1}),
    Query(telling.FAILED, RANGE),
    Query(telling.ANY, {**RANGE, "before": 15000, "from": 10000, "status": None}),
    Query(telling.TOP, {"before": 5000}),
    Query(telling.SOME, {}, IDS[:10]),
    Query(telling.ONE, {"id": 5}),
    Query(telling.ATTEMPTS, {"id": 5}),
    Query(searching.DELIVERIES.ends),
    Query(searching.DELIVERIES.place, {"at": 5000}),
    Query(searching.EVENTS.place, {"at": 5000}),
    Query(replaying.RETRY, {"id": 5}),
    Query(replaying.HASTEN, {"id": 5}),
    Query(replaying.AGAIN, {}, IDS),
    Query(replaying.OF_WEBHOOK, {**SPAN, "hook": 3, "status": 2}),
    Query(replaying.FAILED, SPAN),
    Query(replaying.ANY, SPAN),
    Query(replaying.MISSING, {**SPAN, "hook": 3}),
    Query(replaying.MAKE, {"hook": 3}, of_batch(3)),
    Query(replaying.WAITING, {"hook": 3, "cursor": 0, "since": 2**62}),
    Query(replaying.CANCEL, {}, IDS),
    Query(replaying.COUNT, {"hook": 3}),
    Query(alerting.TELL, {}, of_batch(2)),
]


by_name = pytest.mark.parametrize(
    "query", PLANS, ids=lambda query: query.statement.name.replace(" ", "-")
)


@by_name
async def test_a_statement_of_the_hot_path_and_of_lists_walks_through_no_table(
    connection: Any, query: Query
) -> None:
    plan = await planned(connection, query)
    walked = set(re.findall(r"Seq Scan on (\w+)", plan))
    assert not walked & GROWING, plan


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (sending.DUE, "deliveries_due"),
        (sending.DUE_AT_ALL, "deliveries_due"),
        (sending.NEXT, "deliveries_due"),
        (settling.SETTLE, "deliveries_pkey"),
        (settling.RELEASE, "deliveries_order"),
        (recording.STEP, "watches_pkey"),
        (recording.SUPERSEDE, "deliveries_order"),
        (share.TAKE, "watches_unowned"),
        (share.STEAL, "watches_owned"),
        (share.CHANGED, "watches_dirty"),
        (telling.OF_WEBHOOK, "deliveries_listed"),
        (telling.FAILED, "deliveries_failed"),
        (telling.ANY, "deliveries_pkey"),
        (replaying.FAILED, "deliveries_failed"),
        (replaying.OF_WEBHOOK, "deliveries_listed"),
        (replaying.ANY, "deliveries_pkey"),
        (replaying.WAITING, "deliveries_listed"),
        (replaying.MISSING, "events_pkey"),
        (retention.PRUNE_WATCHES, "watches_ended"),
        (retention.PRUNE_OPERATIONAL, "events_operational"),
    ],
    ids=lambda case: case.name if isinstance(case, Statement) else "",
)
async def test_a_statement_takes_the_index_made_for_it(
    connection: Any, statement: Statement, index: str
) -> None:
    (query,) = [one for one in PLANS if one.statement is statement]
    assert index in await planned(connection, query)


async def planned(connection: Any, query: Query) -> str:
    known = wording(query.statement)
    rows = await connection.fetch(f"EXPLAIN {known.sql}", *known.values(query))
    return "\n".join(row[0] for row in rows)
