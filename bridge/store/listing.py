"""Listing: what people are told of watches, events and deliveries. It only reads.

Lists never read `raw`. A page looks at a bounded stretch of ids, whatever the filter, because
a read shares its connection with the commits of everybody else (SQLite) or its server.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import SmallInteger, Text, and_, false, func, or_, select, true

from bridge.core.delivering.delivery import Status
from bridge.core.ladder import State
from bridge.core.listing import (
    ListedDelivery,
    ListedEvent,
    ListedWatch,
    Timeline,
    WatchFilter,
    WatchPage,
)
from bridge.core.watch import Generation, Origin
from bridge.store.searching import BEYOND
from bridge.store.sql import Query, Row, Statement, Transaction, batch, given
from bridge.store.tables import TEXT, deliveries, events, watches
from bridge.store.texts import metadata_of, webhooks_of

STRETCH = 5000
"""Ids that one statement of a list looks at (≤ 5 ms, measured)."""

STRETCHES = 4
"""Statements of one list; after that the page is given as it is, with a place to go on."""

MOST_EVENTS = 500
"""Events that a timeline shows, the oldest of them."""

SIZE = 1000
"""Rows of one statement."""

_1970 = datetime(1970, 1, 1, tzinfo=UTC)

w, e, d = watches.c, events.c, deliveries.c
_LISTED = (
    w.id,
    w.source,
    w.generation_id,
    w.origin,
    w.until_rank,
    w.webhooks,
    w.metadata,
    w.rank,
    w.native_state,
    w.seq,
    w.active,
    w.ended,
    w.created_at,
    w.deadline_at,
    w.state_at,
    w.ended_at,
)

TOP = Statement(
    "find the next watch to list",
    select(func.max(w.id)).where(w.id < given("before")),
)
_wanted = (
    w.id < given("before"),
    w.id >= given("from"),
    or_(given("source", Text()).is_(None), w.source == given("source", Text())),
    or_(given("rank", SmallInteger()).is_(None), w.rank == given("rank", SmallInteger())),
)
_page = select(*_LISTED).order_by(w.id.desc()).limit(given("limit"))
PAGES = {
    # Literals, for a planner uses a partial index only where it sees them.
    None: Statement("list watches", _page.where(*_wanted)),
    True: Statement("list running watches", _page.where(*_wanted, w.active == true())),
    False: Statement("list ended watches", _page.where(*_wanted, w.active == false())),
}

n = batch(source=TEXT, generation_id=TEXT)
NAMED = Statement(
    "read watches for people",
    select(*_LISTED).join_from(
        n, watches, and_(w.source == n.c.source, w.generation_id == n.c.generation_id)
    ),
)
EVENTS = Statement(
    "read the events of a watch",
    select(e.id, e.uid, e.tag, e.seq, e.occurred_at, e.body)
    .where(e.watch_id == given("watch"))
    .order_by(e.seq, e.id)
    .limit(MOST_EVENTS),
)
_of_the_watch = select(e.id).where(e.watch_id == given("watch"))
DELIVERIES = Statement(
    "read the deliveries of a watch",
    select(
        d.event_id,
        d.id,
        d.webhook_id,
        d.status,
        d.attempt,
        d.due_at,
        d.settled_at,
        d.last_code,
        d.last_why,
    )
    .where(d.event_id.in_(_of_the_watch))
    .order_by(d.id),
)


def page(wanted: WatchFilter, *, before: int | None, limit: int) -> Transaction[WatchPage]:
    """Return watches below an id, newest first."""
    chosen = {
        "source": wanted.source,
        "rank": None if wanted.state is None else int(wanted.state),
    }
    found: list[ListedWatch] = []
    cursor: int | None = BEYOND if before is None else before
    for _ in range(STRETCHES):
        ((top,),) = yield Query(TOP, {"before": cursor})
        if top is None:
            return WatchPage(watches=tuple(found), before=None)
        stretch = {
            "before": top + 1,
            "from": top + 1 - STRETCH,
            "limit": limit - len(found),
        }
        rows = yield Query(PAGES[wanted.active], {**chosen, **stretch})
        found += [listed(row) for row in rows]
        if len(found) == limit:
            return WatchPage(watches=tuple(found), before=found[-1].id)
        cursor = stretch["from"]
    return WatchPage(watches=tuple(found), before=cursor)


def named(generations: Sequence[Generation]) -> Transaction[tuple[ListedWatch, ...]]:
    """Return the watches of generations, of those that there are."""
    found: list[ListedWatch] = []
    wanted = list(dict.fromkeys(generations))
    for some in (wanted[i : i + SIZE] for i in range(0, len(wanted), SIZE)):
        found += [listed(row) for row in (yield Query(NAMED, {}, some))]
    return tuple(found)


def timeline(generation: Generation) -> Transaction[Timeline | None]:
    """Return a watch with its events and their deliveries; None: there is no such watch."""
    rows = yield Query(NAMED, {}, [generation])
    if not rows:
        return None
    watch = listed(rows[0])
    told: dict[int, list[ListedDelivery]] = {}
    happened = yield Query(EVENTS, {"watch": watch.id})
    for event, *row in (yield Query(DELIVERIES, {"watch": watch.id})):
        told.setdefault(event, []).append(delivery_of(row))
    return Timeline(
        watch=watch,
        events=tuple(_event(row, told.get(row[0], [])) for row in happened),
    )


def listed(row: Row) -> ListedWatch:
    """Return a row as a watch for people."""
    id_, source, generation, origin, until, webhooks, metadata, rank, native, seq = row[:10]
    active, ended, created_at, deadline_at, state_at, ended_at = row[10:]
    return ListedWatch(
        id=id_,
        generation=Generation(source, generation),
        origin=Origin(origin),
        until=State(until),
        webhooks=webhooks_of(webhooks),
        metadata=metadata_of(metadata),
        rank=rank,
        native_state=native,
        seq=seq,
        active=bool(active),
        ended=ended,
        created_at=instant(created_at),
        deadline_at=instant(deadline_at),
        state_at=maybe(state_at),
        ended_at=maybe(ended_at),
    )


def instant(micros: int) -> datetime:
    """Return microseconds since 1970 as a moment."""
    return _1970 + timedelta(microseconds=micros)


def maybe(micros: int | None) -> datetime | None:
    """Return microseconds since 1970 as a moment, where there are any."""
    return None if micros is None else instant(micros)


def _event(row: Row, told: Sequence[ListedDelivery]) -> ListedEvent:
    _, uid, tag, seq, occurred_at, body = row
    return ListedEvent(
        id=UUID(str(uid)),
        tag=tag,
        seq=seq,
        occurred_at=instant(occurred_at),
        body=body.encode("ascii"),
        deliveries=tuple(told),
    )


def delivery_of(row: Row) -> ListedDelivery:
    """Return a row as a delivery for people."""
    id_, webhook, status, attempts, due_at, settled_at, code, why = row
    return ListedDelivery(
        id=id_,
        webhook=webhook,
        status=Status(status),
        attempts=attempts,
        due_at=instant(due_at),
        settled_at=maybe(settled_at),
        code=code,
        why=why,
    )
