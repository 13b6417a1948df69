"""Replaying: deliveries that are over are due once more, one or as a job of many.

A job walks through ids in steps and keeps its cursor in the same transaction, so that a crash
repeats nothing and leaves nothing out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import (
    Integer,
    SmallInteger,
    Text,
    case,
    exists,
    func,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from bridge.core.delivering.delivery import Status
from bridge.core.replay import Missing, Replay, Replayed, ReplayFilter
from bridge.errors import StoreError
from bridge.store import settling
from bridge.store.listing import instant
from bridge.store.searching import BEYOND, DELIVERIES, EVENTS, between, bounds, moment
from bridge.store.sql import Now, Query, Row, Statement, Transaction, batch, given, picked
from bridge.store.tables import BIG, SMALL, deliveries, events, replays, watches, webhooks
from bridge.store.texts import webhooks_of
from bridge.store.webhooks import OPEN

STEP = 500
"""Deliveries that one transaction makes due."""

LOOKED = 2000
"""Rows that one transaction looks at: with their events 5 ms."""

RUNNING, OVER = "running", "over"

d, e, w, h, r = deliveries.c, events.c, watches.c, webhooks.c, replays.c

_again = {
    d.status: 0,
    d.manual: true(),
    d.tries: 0,
    d.fence: d.fence + 1,
    d.due_at: Now(),
    d.claimed_by: None,
    d.settled_at: None,
}
RETRY = Statement(
    "make a delivery due again",
    update(deliveries).values(_again).where(d.id == given("id"), d.status != 0),
)
HASTEN = Statement(
    "make a waiting delivery due",
    update(deliveries)
    .values({d.due_at: Now()})
    .where(d.id == given("id"), d.status == 0, d.claimed_by.is_(None), d.due_at > Now()),
)
WHERE = Statement("find a delivery", select(d.webhook_id).where(d.id == given("id")))

n = batch(id=BIG)
AGAIN = Statement(
    "make deliveries due again",
    update(deliveries)
    .values(_again)
    .where(d.id.in_(select(n.c.id)), d.status != 0)
    .returning(d.webhook_id),
)

_hook, _status = given("hook", Integer()), given("status", SmallInteger())
_cursor, _last = given("cursor"), given("last")
_place = tuple_(d.webhook_id, d.status, d.id)
_in_place = (d.webhook_id, d.status, d.id)
_looked = (
    select(d.id, d.webhook_id, d.status, e.occurred_at)
    .join_from(deliveries, events, e.id == d.event_id)
    .limit(LOOKED)
)
OF_WEBHOOK = Statement(
    "look for a webhook's deliveries to replay",
    # In one comparison, so that no planner walks through all ids instead.
    _looked.where(
        _place > tuple_(_hook, _status, _cursor), _place <= tuple_(_hook, _status, _last)
    ).order_by(*_in_place),
)
_looked = _looked.where(d.id > _cursor, d.id <= _last).order_by(d.id)
# A literal, for a planner uses a partial index only where it sees it.
FAILED = Statement("look for failed deliveries to replay", _looked.where(d.status == 2))
ANY = Statement("look for deliveries to replay", _looked)

_there = exists().where(d.event_id == e.id, d.webhook_id == given("hook"))
MISSING = Statement(
    "look for events that a webhook misses",
    select(e.id, e.watch_id, e.seq, e.tag, e.occurred_at, w.webhooks, _there)
    .join_from(events, watches, w.id == e.watch_id, isouter=True)
    .where(e.id > given("cursor"), e.id <= given("last"))
    .order_by(e.id)
    .limit(LOOKED),
)
n = batch(event=BIG, watch=BIG, seq=SMALL)
_MADE = {
    d.event_id: n.c.event,
    d.watch_id: n.c.watch,
    d.webhook_id: given("hook"),
    d.seq: n.c.seq,
    d.status: 0,
    d.manual: true(),
    d.attempt: 0,
    d.tries: 0,
    d.due_at: Now(),
    d.first_at: Now(),
    d.fence: 0,
}
MAKE = Statement(
    "make missing deliveries",
    insert(deliveries)
    .from_select(
        list(_MADE),
        picked(_MADE)
        .select_from(n)
        .where(exists().where(h.id == given("hook")), n.c.event.is_not(None)),
    )
    .on_conflict_do_nothing()
    .returning(d.webhook_id),
)

BEGIN = Statement(
    "begin a replay",
    insert(replays)
    .values(
        filter=given("filter", Text()),
        cursor=given("cursor"),
        last=given("last"),
        done=0,
        state=RUNNING,
        begun_at=Now(),
    )
    .returning(r.id, r.filter, r.cursor, r.last, r.done, r.state, r.begun_at),
)
_job = select(r.id, r.filter, r.cursor, r.last, r.done, r.state, r.begun_at)
OLDEST = Statement(
    "take the oldest replay",
    _job.where(r.state == RUNNING)
    .order_by(r.id)
    .limit(1)
    .with_for_update(skip_locked=True),
)
LATEST = Statement("list replays", _job.order_by(r.id.desc()).limit(given("limit")))
ADVANCE = Statement(
    "note how far a replay is",
    update(replays)
    .values(
        {
            r.cursor: given("cursor"),
            r.done: given("done"),
            r.state: given("state", Text()),
            r.over_at: case((given("state", Text()) == OVER, Now())),
        }
    )
    .where(r.id == given("id")),
)

WAITING = Statement(
    "find what waits for a webhook",
    select(d.id)
    .where(
        _place > tuple_(_hook, 0, _cursor),
        _place < tuple_(_hook, 1, 0),
        d.first_at < given("since"),
        d.claimed_by.is_(None),
    )
    .order_by(*_in_place)
    .limit(STEP),
)
n = batch(id=BIG)
CANCEL = Statement(
    "cancel deliveries",
    update(deliveries)
    .values(
        {
            d.status: int(Status.CANCELLED),
            d.settled_at: Now(),
            d.fence: d.fence + 1,
        }
    )
    .where(d.id.in_(select(n.c.id)), d.status == 0, d.claimed_by.is_(None))
    .returning(d.watch_id, d.webhook_id, d.seq, d.manual),
)
COUNT = Statement(
    "count what waits for a webhook",
    select(func.count()).where(d.webhook_id == given("hook"), d.status == 0),
)

_FILTER = msgspec.json.Decoder(ReplayFilter)


def retry(delivery: int) -> Transaction[int | None]:
    """Make a delivery due now; return its webhook, None: there is no such delivery."""
    yield Query(RETRY, {"id": delivery})
    yield Query(HASTEN, {"id": delivery})
    rows = yield Query(WHERE, {"id": delivery})
    return int(rows[0][0]) if rows else None


# ---------------------------------------------------------------- what a replay is about


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a look at some ids has found, where it ended, and whether that was the last."""

    found: Sequence[Row]
    cursor: int
    over: bool


def begun(wanted: ReplayFilter) -> Transaction[tuple[int, int]]:
    """Return behind which id a replay begins, and the last that it looks at.

    A delivery may be made long after its event, never before it.
    """
    if isinstance(wanted.status, Missing):
        if wanted.webhook is None:
            raise StoreError("what is missing can only be replayed for one webhook")
        low, high = yield from bounds(EVENTS, wanted.since, wanted.until)
        ((_, last),) = yield Query(EVENTS.ends)
        return low - 1, min(high, last or 0)
    low, _ = yield from bounds(DELIVERIES, wanted.since, None)
    ((_, last),) = yield Query(DELIVERIES.ends)
    return low - 1, last or 0


def stretch(wanted: ReplayFilter, cursor: int, last: int) -> Transaction[Stretch]:
    """Return the next of what a replay is about, at most `STEP`.

    Ids of deliveries, or for what is missing (event, watch, seq).
    """
    if isinstance(wanted.status, Missing):
        at = {"cursor": cursor, "last": last, "hook": wanted.webhook}
        rows = yield Query(MISSING, at)
        return _cut([((r[0], r[1], r[2]), _misses(wanted, r)) for r in rows])
    if wanted.status is Status.PENDING:
        return Stretch((), last, over=True)
    rows = yield _looking(wanted, {"cursor": cursor, "last": last})
    return _cut([((row[0],), _fits(wanted, row)) for row in rows])


def _looking(wanted: ReplayFilter, at: dict[str, int]) -> Query:
    if wanted.webhook is not None:
        chosen = {"hook": wanted.webhook, "status": int(wanted.status)}
        return Query(OF_WEBHOOK, {**at, **chosen})
    return Query(FAILED if wanted.status is Status.FAILED else ANY, at)


def _cut(looked: Sequence[tuple[Row, bool]]) -> Stretch:
    """Return what fits, up to a step; where all was looked at the next look begins behind it."""
    found: list[Row] = []
    for row, fits in looked:
        found += [row] if fits else []
        if len(found) == STEP:
            return Stretch(found, row[0], over=False)
    end = looked[-1][0][0] if looked else 0
    return Stretch(found, end, over=len(looked) < LOOKED)


def _fits(wanted: ReplayFilter, row: Row) -> bool:
    _, _, status, at = row
    return status == wanted.status and between(at, wanted.since, wanted.until)


def _misses(wanted: ReplayFilter, row: Row) -> bool:
    """Return whether an event is one that the webhook ought to have had.

    It belongs to a watch that names the webhook: those of others are none of its business.
    """
    _, _, _, tag, at, named, there = row
    return (
        not there
        and named is not None
        and wanted.webhook in webhooks_of(named)
        and tagged(wanted, tag)
        and between(at, wanted.since, wanted.until)
    )


def tagged(wanted: ReplayFilter, tag: str) -> bool:
    """Return whether a tag, such as `completed` or `stalled:1`, is among those wanted."""
    return tag.partition(":")[0] in wanted.tags


# ---------------------------------------------------------------- a replay as a job


def begin(wanted: ReplayFilter) -> Transaction[Replay]:
    """Remember a replay."""
    cursor, last = yield from begun(wanted)
    text = msgspec.json.encode(wanted).decode("ascii")
    rows = yield Query(BEGIN, {"filter": text, "cursor": cursor, "last": last})
    return _replay(rows[0])


def advance() -> Transaction[Replayed | None]:
    """Do the next step of the oldest replay that nobody else is at."""
    rows = yield Query(OLDEST)
    if not rows:
        return None
    id_, text, cursor, last, done, _, begun_at = rows[0]
    wanted = _FILTER.decode(text)
    some = yield from stretch(wanted, cursor, last)
    woken = yield from _replayed(wanted, some.found)
    done += len(woken)
    state = OVER if some.over else RUNNING
    at = max(cursor, some.cursor)
    yield Query(ADVANCE, {"id": id_, "cursor": at, "done": done, "state": state})
    replay = Replay(
        id=id_, filter=wanted, done=done, over=some.over, begun_at=instant(begun_at)
    )
    return Replayed(replay=replay, woken=frozenset(woken))


def _replayed(wanted: ReplayFilter, found: Sequence[Row]) -> Transaction[list[int]]:
    """Make due what was found; return the webhook of each."""
    if not found:
        return []
    if isinstance(wanted.status, Missing):
        rows = yield Query(MAKE, {"hook": wanted.webhook}, found)
    else:
        rows = yield Query(AGAIN, {}, found)
    return [hook for (hook,) in rows]


def latest(limit: int) -> Transaction[tuple[Replay, ...]]:
    """Return the latest replays, newest first."""
    return tuple(_replay(row) for row in (yield Query(LATEST, {"limit": limit})))


def _replay(row: Row) -> Replay:
    id_, text, _, _, done, state, begun_at = row
    return Replay(
        id=id_,
        filter=_FILTER.decode(text),
        done=done,
        over=state == OVER,
        begun_at=instant(begun_at),
    )


# ---------------------------------------------------------------- a webhook that is opened again


def discard(webhook: int, since: datetime | None, cursor: int) -> Transaction[int | None]:
    """Cancel some of what waits from before a moment, or at all.

    Return behind which id to go on, None: that was all.
    """
    before = BEYOND if since is None else moment(since)
    at = {"hook": webhook, "cursor": cursor, "since": before}
    rows = yield Query(WAITING, at)
    if not rows:
        return None
    gone = yield Query(CANCEL, {}, rows)
    freed = [row[:3] for row in gone if row[0] is not None and not row[3]]
    if freed:
        yield Query(settling.RELEASE, {}, freed)
    return int(rows[-1][0])


def resume(webhook: int) -> Transaction[int]:
    """Open a webhook, its health as new; return how many deliveries wait for it."""
    yield Query(OPEN, {"id": webhook})
    ((waiting,),) = yield Query(COUNT, {"hook": webhook})
    return int(waiting)
