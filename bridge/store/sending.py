"""Deliveries: claimed by their sender, in order, and when the next one is due."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, case, exists, func, or_, select, update

from bridge.core.delivering.delivery import Condition, Delivery
from bridge.core.message import Message
from bridge.core.ports import Room
from bridge.store.sql import Now, Query, Row, Statement, Transaction, batch, given
from bridge.store.tables import BIG, FLAG, deliveries, events, webhooks
from bridge.store.texts import micros, span

SIZE = 500

ROUNDS = 8
"""How often one claim looks again because what it found must wait for its predecessors."""

RECHECK = 1_000_000
"""Microseconds until a delivery looks again whether its predecessor's attempt is over. (A
settled predecessor releases it at once; this is for the wake-up that got lost.)"""

d, e, h = deliveries.c, events.c, webhooks.c
_before = deliveries.alias("before")
p = _before.c
_holding_up = and_(
    p.watch_id == d.watch_id,
    p.webhook_id == d.webhook_id,
    p.status == 0,
    p.seq < d.seq,
    ~p.manual,
    ~d.manual,
)
DUE = Statement(
    "find due deliveries",
    select(
        d.id,
        (select(func.max(p.due_at)).where(_holding_up).scalar_subquery() - Now()),
        exists().where(_holding_up, p.claimed_by.is_not(None)),
    )
    .where(
        d.webhook_id == given("hook"),
        d.manual == given("manual", FLAG),
        d.status == 0,
        d.due_at <= Now(),
        exists().where(
            h.id == given("hook"),
            h.state == int(Condition.ACTIVE),
            or_(h.gate_until.is_(None), h.gate_until <= Now()),
        ),
    )
    .order_by(d.due_at, d.id)
    .limit(given("limit"))
    .with_for_update(of=deliveries, skip_locked=True),
)

n = batch(id=BIG, take=FLAG, wait=BIG)
MOVE = Statement(
    "claim deliveries",
    update(deliveries)
    .values(
        {
            d.fence: d.fence + 1,
            d.claimed_by: case((n.c.take, given("me"))),
            d.attempt: d.attempt + case((n.c.take, 1), else_=0),
            d.due_at: Now() + n.c.wait,
        }
    )
    .where(d.id == n.c.id),
)

n = batch(id=BIG)
CLAIMED = Statement(
    "read claimed deliveries",
    select(
        d.id,
        d.fence,
        d.webhook_id,
        d.watch_id,
        d.seq,
        d.attempt,
        d.tries,
        d.manual,
        e.uid,
        e.body,
        e.raw,
    )
    .join_from(deliveries, events, e.id == d.event_id)
    .where(d.id.in_(select(n.c.id))),
)

_first = select(func.min(d.due_at)).where(d.webhook_id == h.id, d.status == 0)
NEXT = Statement(
    "find next due times",
    select(
        h.id,
        _first.where(~d.manual).correlate(webhooks).scalar_subquery() - Now(),
        _first.where(d.manual).correlate(webhooks).scalar_subquery() - Now(),
        h.gate_until - Now(),
    ).where(h.state == int(Condition.ACTIVE)),
)


def claim(rooms: Sequence[Room], me: int) -> Transaction[tuple[Delivery, ...]]:
    """Claim what is due; what has to wait moves behind what it waits for."""
    taken: list[int] = []
    hungry = [
        (room, room.slots) for room in {room.webhook: room for room in rooms}.values()
    ]
    for _ in range(ROUNDS):
        moves: list[Row] = []
        still = []
        for room, slots in hungry:
            found = yield from _due(room.webhook, slots)
            free = [row[0] for row in found if row[1] is None]
            moves += [_move(row, room) for row in found]
            taken += free
            if len(free) < len(found):
                still.append((room, slots - len(free)))
        for part in (moves[i : i + SIZE] for i in range(0, len(moves), SIZE)):
            yield Query(MOVE, {"me": me}, part)
        hungry = still
    return (yield from _read(taken))


def _due(webhook: int, slots: int) -> Transaction[list[Row]]:
    """Return due rows, live ones first; while they wait, replays have half of the room."""
    live = yield Query(DUE, {"hook": webhook, "manual": False, "limit": slots})
    manual = yield Query(DUE, {"hook": webhook, "manual": True, "limit": slots})
    share = min(len(manual), max(slots // 2, slots - len(live)))
    return [*live[: slots - share], *manual[:share]]


def _move(row: Row, room: Room) -> Row:
    id_, ahead, flying = row
    if ahead is None:
        return (id_, True, micros(room.lease))
    return (id_, False, RECHECK if flying or ahead <= 0 else ahead)


def _read(ids: list[int]) -> Transaction[tuple[Delivery, ...]]:
    """Return claimed deliveries in the order of their claim."""
    found: dict[int, Delivery] = {}
    for part in (ids[i : i + SIZE] for i in range(0, len(ids), SIZE)):
        for row in (yield Query(CLAIMED, {}, [(id_,) for id_ in part])):
            found[row[0]] = _delivery(row)
    return tuple(found[id_] for id_ in ids)


def _delivery(row: Row) -> Delivery:
    id_, fence, webhook, watch, seq, attempt, tries, manual, uid, body, raw = row
    return Delivery(
        id=id_,
        fence=fence,
        webhook=webhook,
        watch=watch,
        seq=seq,
        attempt=attempt,
        tries=tries,
        manual=bool(manual),
        message=Message(
            id=UUID(str(uid)),
            body=body.encode("ascii"),
            raw=None if raw is None else raw.encode("ascii"),
        ),
    )


def next_due() -> Transaction[dict[int, timedelta]]:
    """Return per webhook that is on how long until something can be claimed, never negative.

    A claimed delivery counts from the end of its lease; before its gate opens, a webhook has
    nothing to claim.
    """
    due: dict[int, timedelta] = {}
    for hook, live, manual, gate in (yield Query(NEXT)):
        first = [x for x in (live, manual) if x is not None]
        if first:
            due[hook] = span(max(0, min(first), gate or 0))
    return due
