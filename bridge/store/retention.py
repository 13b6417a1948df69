"""Retention: what is over goes after its time, in small steps and never while it is pending."""

from datetime import timedelta

from sqlalchemy import column, delete, exists, select, table, tuple_

from bridge.store import adopting
from bridge.store.sql import Now, Query, Statement, Transaction, given
from bridge.store.tables import (
    attempts,
    bodies,
    deliveries,
    discoveries,
    events,
    pace,
    replays,
    watches,
)
from bridge.store.texts import micros

PRUNED = 1000
"""Rows that one call deletes at most."""

PRUNED_WATCHES = 100
"""Watches that one call deletes at most, each with its events, deliveries and attempts."""

a, b, d, e, w = attempts.c, bodies.c, deliveries.c, events.c, watches.c

_KEY = (a.delivery_id, a.attempt, a.at)
_old = Now() - given("age")
PRUNE_ATTEMPTS = Statement(
    "delete old attempts",
    delete(attempts)
    .where(
        tuple_(*_KEY).in_(
            select(*_KEY).where(a.at < _old).order_by(a.at).limit(given("limit"))
        )
    )
    .returning(a.delivery_id),
)
PRUNE_BODIES = Statement(
    "delete old answers",
    delete(bodies)
    .where(
        b.sha256.in_(
            select(b.sha256).where(b.at < _old).order_by(b.at).limit(given("limit"))
        )
    )
    .returning(b.sha256),
)
_stray = table("attempts_default", *(column(c.name) for c in _KEY))
_s = _stray.c
PRUNE_STRAY = Statement(
    "delete old attempts that have no day",
    delete(_stray)
    .where(
        tuple_(*_s).in_(
            select(*_s).where(_s.at < _old).order_by(_s.at).limit(given("limit"))
        )
    )
    .returning(_s.delivery_id),
)
_pending = exists().where(d.watch_id == w.id, d.status == 0)
PRUNE_WATCHES = Statement(
    "delete old watches",
    delete(watches)
    .where(
        w.id.in_(
            select(w.id)
            .where(~w.active, w.ended_at < _old, ~_pending)
            .order_by(w.ended_at)
            .limit(given("limit"))
        )
    )
    .returning(w.id),
)

_unsettled = exists().where(d.event_id == e.id, d.status == 0)
PRUNE_OPERATIONAL = Statement(
    "delete old operational events",
    delete(events)
    .where(
        e.id.in_(
            select(e.id)
            .where(e.watch_id.is_(None), e.occurred_at < _old, ~_unsettled)
            .order_by(e.occurred_at)
            .limit(given("limit"))
        )
    )
    .returning(e.id),
)
PRUNE_REPLAYS = Statement(
    "delete old replays",
    delete(replays)
    .where(replays.c.id.in_(select(replays.c.id).where(replays.c.over_at < _old)))
    .returning(replays.c.id),
)
# Of sources that are not asked any more, of models that are not used any more.
PRUNE_PACE = Statement(
    "delete old learned tables",
    delete(pace).where(pace.c.saved_at < _old).returning(pace.c.model),
)
PRUNE_DISCOVERIES = Statement(
    "delete old rounds",
    delete(discoveries)
    .where(discoveries.c.updated_at < _old)
    .returning(discoveries.c.source),
)


def prune(
    *,
    attempts: timedelta,
    bodies: timedelta,
    deliveries: timedelta,
    days: bool = False,
) -> Transaction[int]:
    """Delete what is older; a watch goes whole, and never with anything pending.

    `days`: attempts lie in days, which go by themselves (bridge/store/days.py).
    """
    gone = 0
    for statement, age, limit in (
        (PRUNE_STRAY if days else PRUNE_ATTEMPTS, attempts, PRUNED),
        (PRUNE_BODIES, bodies, PRUNED),
        (PRUNE_WATCHES, deliveries, PRUNED_WATCHES),
        (PRUNE_OPERATIONAL, deliveries, PRUNED_WATCHES),
    ):
        room = min(limit, PRUNED - gone)
        gone += len((yield Query(statement, {"age": micros(age), "limit": room})))
    for small in (PRUNE_REPLAYS, PRUNE_PACE, PRUNE_DISCOVERIES):
        gone += len((yield Query(small, {"age": micros(deliveries)})))
    return gone + (yield from adopting.prune(deliveries, PRUNED_WATCHES))
