"""Deliveries: claimed by their sender, in order, and when the next one is due."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    true,
    update,
)

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
_Due: TypeAlias = tuple[int, int, bool, int]
_Hungry: TypeAlias = Sequence[tuple[int, int]]
_Found: TypeAlias = dict[int, tuple[Sequence[Row], Sequence[Row]]]

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


def _due_at(hook: ColumnElement[int], manual: ColumnElement[bool]) -> Select[_Due]:
    """Return the due deliveries of a webhook, the oldest first, and what they have to wait for."""
    return (
        select(
            d.id,
            (select(func.max(p.due_at)).where(_holding_up).scalar_subquery() - Now()).label(
                "ahead"
            ),
            exists().where(_holding_up, p.claimed_by.is_not(None)).label("flying"),
            d.due_at,
        )
        .where(
            d.webhook_id == hook,
            d.manual == manual,
            d.status == 0,
            d.due_at <= Now(),
            exists()
            .where(
                h.id == hook,
                h.state == int(Condition.ACTIVE),
                or_(h.gate_until.is_(None), h.gate_until <= Now()),
            )
            .correlate_except(webhooks),
        )
        .order_by(d.due_at, d.id)
        .with_for_update(of=deliveries, skip_locked=True)
    )


DUE = Statement(
    "find due deliveries",
    _due_at(given("hook"), given("manual", FLAG)).limit(given("limit")),
)

n = batch(hook=BIG, manual=FLAG, slots=BIG)
_each = _due_at(n.c.hook, n.c.manual).limit(n.c.slots).lateral("each")
DUE_AT_ALL = Statement(
    "find due deliveries of many webhooks",
    select(_each, n.c.hook, n.c.manual).select_from(n.join(_each, true())),
)
"""On PostgreSQL only: there each statement is a way to the server and back."""

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


def claim(
    rooms: Sequence[Room], me: int, *, together: bool = False
) -> Transaction[tuple[Delivery, ...]]:
    """Claim what is due; what has to wait moves behind what it waits for.

    `together`: one statement finds it for all webhooks, where the database can do that.
    """
    find = _together if together else _one_by_one
    taken: list[int] = []
    hungry = [
        (room, room.slots) for room in {room.webhook: room for room in rooms}.values()
    ]
    for _ in range(ROUNDS):
        moves: list[Row] = []
        still = []
        due = yield from find([(room.webhook, slots) for room, slots in hungry])
        for room, slots in hungry:
            found = _shared(*due[room.webhook], slots)
            free = [row[0] for row in found if row[1] is None]
            moves += [_move(row, room) for row in found]
            taken += free
            if len(free) < len(found):
                still.append((room, slots - len(free)))
        for part in (moves[i : i + SIZE] for i in range(0, len(moves), SIZE)):
            yield Query(MOVE, {"me": me}, part)
        hungry = still
    return (yield from _read(taken))


def _one_by_one(hungry: _Hungry) -> Transaction[_Found]:
    """Return the due rows of each webhook, live ones and replays."""
    found: _Found = {}
    for hook, slots in hungry:
        live = yield Query(DUE, {"hook": hook, "manual": False, "limit": slots})
        manual = yield Query(DUE, {"hook": hook, "manual": True, "limit": slots})
        found[hook] = (live, manual)
    return found


def _together(hungry: _Hungry) -> Transaction[_Found]:
    """Return the same with one statement."""
    asked = [(hook, manual, slots) for hook, slots in hungry for manual in (False, True)]
    found: dict[int, tuple[list[Row], list[Row]]] = {hook: ([], []) for hook, _ in hungry}
    rows = (yield Query(DUE_AT_ALL, {}, asked)) if asked else ()
    for *row, hook, manual in sorted(rows, key=lambda row: (row[3], row[0])):
        found[hook][manual].append(row)
    return dict(found)


def _shared(live: Sequence[Row], manual: Sequence[Row], slots: int) -> list[Row]:
    """Return what is taken, live ones first; while they wait, replays have half of the room."""
    share = min(len(manual), max(slots // 2, slots - len(live)))
    return [*live[: slots - share], *manual[:share]]


def _move(row: Row, room: Room) -> Row:
    id_, ahead, flying = row[:3]
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
