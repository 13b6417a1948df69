"""Watches and their owners: counted, taken up, given back, read again (PostgreSQL only)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy import (
    Integer,
    Select,
    case,
    false,
    func,
    null,
    or_,
    select,
    update,
)

from bridge.core.delivering.delivery import Condition
from bridge.core.sharing.share import Bulletin, Spare, Tally
from bridge.core.watch import Generation, Watch
from bridge.errors import StoreUnavailable
from bridge.store.sql import Now, Query, Row, Statement, Transaction, batch, given
from bridge.store.tables import BIG, replicas, watches, webhooks
from bridge.store.texts import span
from bridge.store.watching import VIEW, seen
from bridge.store.webhooks import VIEW as HOOK
from bridge.store.webhooks import state_of

Known: TypeAlias = Mapping[int, int]
"""The fence that a watch of ours had when it was handed to the engine, by its id."""

COUNTED = 20_000
"""Watches without a living owner that one tally counts at most, of each kind: 3 ms. (With a
million to take up, replicas go on in steps of that size, each up to its share of the step.)"""

AT_ONCE = 30
"""Watches that one claim takes up at most, whatever it was asked for. Nothing about the owner can
be updated in place, and each row writes a page of the unique index: among a million, 30 took 4 ms
(p99 6), 50 now and then 120, 100 took 6.5 (p99 75), 500 took 19 (measured)."""

OVERDUE = 10_000_000
"""Microseconds after which a watch that nobody has taken up is anybody's."""

SIZE = 500

r, w, h = replicas.c, watches.c, webhooks.c
_ME = given("me", Integer())
_DEAD = func.array(select(r.id).where(r.dead_at.is_not(None)).scalar_subquery())
_living = r.dead_at.is_(None)

ALIVE = Statement(
    "lock this replica",
    select(r.id).where(r.id == _ME, _living).with_for_update(key_share=True),
)
_unowned = select(w.id).where(w.active, w.owner.is_(None))
_orphaned = select(w.id).where(w.owner == func.any(_DEAD))
TALLY = Statement(
    "count watches",
    select(
        func.count().filter(_living),
        func.coalesce(func.sum(r.owned).filter(r.id == _ME, _living), 0),
        func.coalesce(func.sum(r.owned).filter(r.id != _ME, _living), 0),
        select(func.count())
        .select_from(_unowned.limit(COUNTED).subquery())
        .scalar_subquery(),
        select(func.count())
        .select_from(_orphaned.limit(COUNTED).subquery())
        .scalar_subquery(),
    ),
)


def _take(name: str, which: Select[tuple[int]]) -> Statement:
    """Return the statement that takes up some watches.

    `= ANY (ARRAY (...))` goes by the primary key, `IN (SELECT ...)` scanned (measured).
    """
    due = which.limit(given("limit")).with_for_update(skip_locked=True).cte("due")
    ids = func.array(select(due.c.id).scalar_subquery())
    return Statement(
        name,
        update(watches)
        .values(
            {
                w.owner: case((w.active, _ME)),
                w.fence: w.fence + 1,
                w.dirty: false(),
            }
        )
        .where(w.id == func.any(ids))
        .returning(*VIEW, w.active, w.due_at - Now()),
    )


STEAL = _take("take up watches of the dead", _orphaned)
TAKE = _take("take up unowned watches", _unowned.order_by(w.due_at, w.id))
RESCUE = _take(
    "take up overdue watches",
    _unowned.where(w.due_at < Now() - OVERDUE).order_by(w.due_at, w.id),
)
COUNT = Statement(
    "count what was taken",
    update(replicas).values({r.owned: r.owned + given("taken")}).where(r.id == _ME),
)

n = batch(id=BIG, fence=BIG, wait=BIG)
GIVE_BACK = Statement(
    "give watches back",
    update(watches)
    .values({w.owner: null(), w.due_at: Now() + n.c.wait, w.dirty: false()})
    .where(w.id == n.c.id, w.owner == _ME, w.fence == n.c.fence)
    .returning(w.id),
)

CHANGED = Statement(
    "read what others have changed",
    update(watches)
    .values({w.dirty: false(), w.owner: case((w.active, w.owner))})
    .where(w.owner == _ME, w.dirty)
    .returning(*VIEW, w.active),
)
STATES = Statement(
    "read all webhooks",
    # A healthy one is told, too, if it ever failed: its next streak needs the next number.
    select(*HOOK).where(
        or_(h.state != int(Condition.ACTIVE), h.gate_until.is_not(None), h.streak > 0)
    ),
)
MINE = Statement(
    "read what this replica owns",
    select(*VIEW)
    .where(w.owner == _ME, w.active, w.id > given("cursor"))
    .order_by(w.id)
    .limit(given("limit")),
)


def tally(me: int) -> Transaction[Tally]:
    """Count watches and whose they are."""
    ((living, owned, others, unowned, orphaned),) = yield Query(TALLY, {"me": me})
    return Tally(
        living=living,
        owned=int(owned),
        others=int(others),
        unowned=unowned,
        orphaned=orphaned,
    )


def claim(me: int, limit: int) -> Transaction[list[Watch]]:
    """Take up watches, those of the dead first: up to the share, and whatever is overdue.

    Raises StoreUnavailable where this replica was declared dead: it must return under a new id.
    """
    if not (yield Query(ALIVE, {"me": me})):
        raise StoreUnavailable("this replica was declared dead")
    count = yield from tally(me)
    limit = min(limit, AT_ONCE)
    rows: list[Row] = []
    if count.wanted:
        room = min(limit, count.wanted)
        rows += yield Query(STEAL, {"me": me, "limit": room})
        if len(rows) < room:
            rows += yield Query(TAKE, {"me": me, "limit": room - len(rows)})
    if len(rows) < limit:
        rows += yield Query(RESCUE, {"me": me, "limit": limit - len(rows)})
    taken = [row for row in rows if row[-2]]
    if taken:
        yield Query(COUNT, {"me": me, "taken": len(taken)})
    return [_taken(row) for row in sorted(taken, key=lambda row: (row[-1], row[0]))]


def _taken(row: Row) -> Watch:
    return replace(seen(row), wait=span(max(0, row[-1])))


def give_back(me: int, spares: Sequence[Spare]) -> Transaction[list[int]]:
    """Let go of watches that are still ours as we know them; return which."""
    rows = [
        (one.watch.id, one.watch.fence, max(0, round(one.wait * 1e6)))
        for one in sorted(spares, key=lambda one: one.watch.id)
    ]
    gone: list[int] = []
    for part in (rows[i : i + SIZE] for i in range(0, len(rows), SIZE)):
        gone += [id_ for (id_,) in (yield Query(GIVE_BACK, {"me": me}, part))]
    yield Query(COUNT, {"me": me, "taken": -len(gone)})
    return gone


def bulletin(me: int) -> Transaction[Bulletin]:
    """Return what others have done since the last time."""
    rows = yield Query(CHANGED, {"me": me})
    states = yield Query(STATES)
    count = yield from tally(me)
    return Bulletin(
        changed=tuple(seen(row) for row in rows if row[-1]),
        ended=tuple(Generation(row[3], row[4]) for row in rows if not row[-1]),
        states={row[0]: state_of(row) for row in states},
        tally=count,
    )


def mine(me: int, cursor: int, limit: int) -> Transaction[list[Watch]]:
    """Return what this replica owns, whoever may know of it, in the order of ids."""
    rows = yield Query(MINE, {"me": me, "cursor": cursor, "limit": limit})
    return [seen(row) for row in rows]
