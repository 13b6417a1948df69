"""Telling of deliveries: pages of them, and one with every attempt. It only reads.

A page goes by an index where one fits; elsewhere it looks at a bounded stretch of ids.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Integer, SmallInteger, func, or_, select, tuple_

from bridge.core.delivering.delivery import Particulars, Status
from bridge.core.listing import (
    DeliveryFilter,
    DeliveryPage,
    History,
    ListedAttempt,
    ToldDelivery,
)
from bridge.core.message import Message
from bridge.core.network.exchange import Timings
from bridge.core.watch import Generation
from bridge.store.listing import STRETCH, STRETCHES, delivery_of, instant
from bridge.store.searching import BEYOND, DELIVERIES, bounds, moment
from bridge.store.sql import Query, Row, Statement, Transaction, batch, given
from bridge.store.tables import BIG, attempts, bodies, deliveries, events, watches

HEAD = 120
"""Characters of a body that are read to learn the type of an event: it comes first."""

MOST_ATTEMPTS = 1000
"""Attempts that a history shows, the latest of them."""

d, e, w, a, b = deliveries.c, events.c, watches.c, attempts.c, bodies.c

_TOLD = (
    d.id,
    d.webhook_id,
    d.status,
    d.attempt,
    d.due_at,
    d.settled_at,
    d.last_code,
    d.last_why,
    e.uid,
    e.tag,
    func.substr(e.body, 1, HEAD),
    d.seq,
    w.source,
    w.generation_id,
    d.manual,
    d.first_at,
)
_joined = deliveries.join(events, e.id == d.event_id).outerjoin(watches, w.id == d.watch_id)
_hook, _status = given("hook", Integer()), given("status", SmallInteger())
_before, _from = given("before"), given("from")
_page = (
    select(*_TOLD)
    .select_from(_joined)
    .where(d.first_at >= given("since"), d.first_at <= given("until"))
    .limit(given("limit"))
)
_place = tuple_(d.webhook_id, d.status, d.id)
OF_WEBHOOK = Statement(
    "list a webhook's deliveries",
    # In one comparison, so that no planner walks through all ids instead.
    _page.where(
        _place < tuple_(_hook, _status, _before), _place >= tuple_(_hook, _status, _from)
    ).order_by(d.webhook_id.desc(), d.status.desc(), d.id.desc()),
)
_by_id = _page.where(d.id < _before, d.id >= _from).order_by(d.id.desc())
# A literal, for a planner uses a partial index only where it sees it.
FAILED = Statement("list failed deliveries", _by_id.where(d.status == 2))
ANY = Statement(
    "list deliveries", _by_id.where(or_(_status.is_(None), d.status == _status))
)
TOP = Statement(
    "find the next delivery to list",
    select(func.max(d.id)).where(d.id < given("before")),
)

n = batch(id=BIG)
SOME = Statement(
    "read deliveries for people",
    select(*_TOLD).select_from(_joined).where(d.id.in_(select(n.c.id))).order_by(d.id),
)
ONE = Statement(
    "read a delivery for people",
    select(*_TOLD, e.body, e.raw).select_from(_joined).where(d.id == given("id")),
)
ATTEMPTS = Statement(
    "read the attempts of a delivery",
    select(a.attempt, a.at, a.replica, a.code, a.why, a.timings, a.particulars, b.body)
    .join_from(attempts, bodies, b.sha256 == a.answer, isouter=True)
    .where(a.delivery_id == given("id"))
    .order_by(a.at.desc(), a.attempt.desc())
    .limit(MOST_ATTEMPTS),
)

_TIMINGS = msgspec.json.Decoder(Timings)
_PARTICULARS = msgspec.json.Decoder(Particulars)
_TYPE = re.compile(r'\{"type":"([a-z0-9_.:-]+)"')


def page(
    wanted: DeliveryFilter, *, before: int | None, limit: int
) -> Transaction[DeliveryPage]:
    """Return deliveries below an id, newest first."""
    low, high = yield from bounds(DELIVERIES, wanted.since, wanted.until)
    chosen = {
        "since": _or(wanted.since, -BEYOND),
        "until": _or(wanted.until, BEYOND),
        "from": low,
        "before": min(high, BEYOND if before is None else before),
        "limit": limit,
    }
    if wanted.webhook is not None:
        return (yield from _of_webhook(wanted.webhook, wanted.status, chosen))
    if wanted.status is Status.FAILED:
        return _cut([told(row) for row in (yield Query(FAILED, chosen))], limit)
    return (yield from _any(wanted.status, chosen))


def _or(at: datetime | None, otherwise: int) -> int:
    return otherwise if at is None else moment(at)


def _of_webhook(
    webhook: int, status: Status | None, chosen: dict[str, int]
) -> Transaction[DeliveryPage]:
    """Merge one page of each status, for the index has them one after the other."""
    found: list[ToldDelivery] = []
    for one in Status if status is None else (status,):
        rows = yield Query(OF_WEBHOOK, {**chosen, "hook": webhook, "status": int(one)})
        found += [told(row) for row in rows]
    found.sort(key=lambda one: -one.delivery.id)
    return _cut(found[: chosen["limit"]], chosen["limit"])


def _cut(found: Sequence[ToldDelivery], limit: int) -> DeliveryPage:
    before = found[-1].delivery.id if found and len(found) == limit else None
    return DeliveryPage(deliveries=tuple(found), before=before)


def _any(status: Status | None, chosen: dict[str, int]) -> Transaction[DeliveryPage]:
    """Walk through ids, a stretch at a time."""
    found: list[ToldDelivery] = []
    low, limit, cursor = chosen["from"], chosen["limit"], chosen["before"]
    for _ in range(STRETCHES):
        ((top,),) = yield Query(TOP, {"before": cursor})
        if top is None or top < low:
            return DeliveryPage(deliveries=tuple(found), before=None)
        stretch = {
            "before": top + 1,
            "from": max(low, top + 1 - STRETCH),
            "limit": limit - len(found),
            "status": None if status is None else int(status),
        }
        found += [told(row) for row in (yield Query(ANY, {**chosen, **stretch}))]
        if len(found) == limit:
            return _cut(found, limit)
        cursor = max(low, top + 1 - STRETCH)
    return DeliveryPage(deliveries=tuple(found), before=cursor)


def some(ids: Sequence[int]) -> Transaction[tuple[ToldDelivery, ...]]:
    """Return deliveries by their ids, in the order of these."""
    rows = yield Query(SOME, {}, [(id_,) for id_ in ids])
    return tuple(told(row) for row in rows)


def history(delivery: int) -> Transaction[History | None]:
    """Return a delivery with its message and every attempt; None: there is no such one."""
    rows = yield Query(ONE, {"id": delivery})
    if not rows:
        return None
    *row, body, raw = rows[0]
    made = yield Query(ATTEMPTS, {"id": delivery})
    return History(
        delivery=told(row),
        message=Message(
            id=UUID(str(row[8])),
            body=body.encode("ascii"),
            raw=None if raw is None else raw.encode("ascii"),
        ),
        attempts=tuple(_attempt(one) for one in reversed(made)),
    )


def told(row: Row) -> ToldDelivery:
    """Return a row as a delivery for people."""
    uid, tag, head, seq, source, generation, manual, first_at = row[8:16]
    return ToldDelivery(
        delivery=delivery_of(row[:8]),
        event=UUID(str(uid)),
        type=type_of(head, tag),
        seq=seq,
        generation=None if source is None else Generation(source, generation),
        manual=bool(manual),
        first_at=instant(first_at),
    )


def type_of(body: str, tag: str) -> str:
    """Return the type that a stored body begins with; a body without one is named by its tag."""
    found = _TYPE.match(body)
    return found[1] if found else tag


def _attempt(row: Row) -> ListedAttempt:
    number, at, replica, code, why, timings, particulars, answer = row
    return ListedAttempt(
        number=number,
        at=instant(at),
        replica=replica,
        code=code,
        why=why,
        timings=_TIMINGS.decode(timings),
        particulars=particulars_of(particulars),
        answer=None if answer is None else bytes(answer),
    )


def particulars_of(text: str | None) -> Particulars | None:
    """Return the circumstances of an attempt from their text; older attempts have none."""
    return None if text is None else _PARTICULARS.decode(text)
