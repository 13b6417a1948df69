"""Adopting: webhooks that callers bring along, and the list of all webhooks and replicas.

A caller's webhook is kept for as long as anybody may want it: a running watch, a kept delivery,
and, after the deadline of the last watch that named it, as long as deliveries are kept.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Integer, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import WebhookState
from bridge.core.listing import ListedWebhook, Replica
from bridge.store.keeping import known_webhooks
from bridge.store.listing import instant, maybe
from bridge.store.sql import Now, Query, Row, Statement, Transaction, batch, given
from bridge.store.tables import BIG, TEXT, deliveries, replicas, watches, webhooks
from bridge.store.texts import micros, webhooks_of
from bridge.store.webhooks import VIEW, beyond, state_of

SIZE = 1000
"""Rows of one statement."""

h, r, w = webhooks.c, replicas.c, watches.c

n = batch(key=TEXT, url=TEXT, secret=TEXT)
ADOPT = Statement(
    "adopt webhooks",
    insert(webhooks)
    .from_select(
        [h.key, h.url, h.secret, h.state, h.wanted_until],
        select(n.c.key, n.c.url, n.c.secret, literal(0), Now()).where(n.c.key.is_not(None)),
    )
    .on_conflict_do_nothing(),
)

HOUR = 3_600_000_000
"""Microseconds by which a stored time may be too early: so each watch does not write it anew."""

n = batch(id=BIG, span=BIG)
WANT = Statement(
    "note until when callers' webhooks are wanted",
    update(webhooks)
    .values({h.wanted_until: Now() + n.c.span})
    .where(
        h.id == n.c.id,
        h.url.is_not(None),
        or_(h.wanted_until.is_(None), h.wanted_until < Now() + n.c.span - HOUR),
    ),
)
DATE = Statement(
    "date callers' webhooks of an older schema",
    update(webhooks)
    .values({h.wanted_until: Now()})
    .where(h.url.is_not(None), h.wanted_until.is_(None)),
)
_old = Now() - given("age")
_unused = ~exists().where(deliveries.c.webhook_id == h.id)
STALE = Statement(
    "find callers' webhooks that nobody has wanted for long",
    select(h.id)
    .where(h.url.is_not(None), h.wanted_until < _old, _unused)
    .order_by(h.id)
    .limit(given("limit")),
)
NAMED = Statement(
    "read which webhooks running watches name",
    select(w.webhooks).where(w.active).distinct(),
)
n = batch(id=BIG)
FORGET = Statement(
    "forget callers' webhooks",
    delete(webhooks)
    .where(h.id.in_(select(n.c.id)), h.wanted_until < _old, _unused)
    .returning(h.id),
)
_TOLD = (*VIEW, h.url, h.secret)

n = batch(id=Integer())
BY_ID = Statement(
    "read webhooks by their ids",
    select(*_TOLD).where(h.id.in_(select(n.c.id))).order_by(h.id),
)
LIST = Statement(
    "list webhooks",
    select(*_TOLD).where(h.id > given("after")).order_by(h.id).limit(given("limit")),
)
# Counted, for the column is as old as the last beat.
_owned = select(func.count()).where(w.owner == r.id).correlate(replicas).scalar_subquery()
REPLICAS = Statement(
    "list replicas",
    select(r.id, r.name, r.version, r.started_at, r.seen_at, _owned, r.dead_at).order_by(
        r.id
    ),
)
ALONE = Statement(
    "list the one replica",
    select(
        r.id,
        r.name,
        r.version,
        r.started_at,
        Now(),
        select(func.count()).select_from(watches).where(w.active).scalar_subquery(),
        r.dead_at,
    ),
)


def adopt(callbacks: Sequence[Callback]) -> Transaction[Mapping[str, WebhookState]]:
    """Make callers' webhooks known, each once; return their states by their keys."""
    rows = {one.key: (one.key, one.url, one.secret) for one in callbacks}
    for some in _parts(list(rows.values())):
        yield Query(ADOPT, {}, some)
    states: dict[str, WebhookState] = {}
    for part in _parts([(key,) for key in rows]):
        states |= yield from known_webhooks([key for (key,) in part])
    return states


def want(spans: Mapping[int, int]) -> Transaction[None]:
    """Note that webhooks are wanted for so many microseconds from now, at least."""
    for some in _parts(sorted(spans.items())):
        yield Query(WANT, {}, some)


def prune(age: timedelta, limit: int) -> Transaction[int]:
    """Forget callers' webhooks that nobody has wanted for so long; return how many."""
    yield Query(DATE)
    stale = yield Query(STALE, {"age": micros(age), "limit": limit})
    if not stale:
        return 0
    named = {id_ for (text,) in (yield Query(NAMED)) for id_ in webhooks_of(text)}
    gone = [row for row in stale if row[0] not in named]
    if not gone:
        return 0
    return len((yield Query(FORGET, {"age": micros(age)}, gone)))


def by_id(ids: Sequence[int]) -> Transaction[tuple[ListedWebhook, ...]]:
    """Return webhooks by their ids; those that there are."""
    found: list[ListedWebhook] = []
    for some in _parts([(id_,) for id_ in dict.fromkeys(ids)]):
        found += [_webhook(row) for row in (yield Query(BY_ID, {}, some))]
    return tuple(found)


def all_webhooks(after: int, limit: int) -> Transaction[tuple[ListedWebhook, ...]]:
    """Return the webhooks with the next higher ids."""
    rows = yield Query(LIST, {"after": after, "limit": limit})
    return tuple(_webhook(row) for row in rows)


def all_replicas() -> Transaction[tuple[Replica, ...]]:
    """Return every replica that is remembered, the dead ones too."""
    return tuple(_replica(row) for row in (yield Query(REPLICAS)))


def alone() -> Transaction[tuple[Replica, ...]]:
    """Return the one replica of a database that is not shared: whoever asks is it."""
    return tuple(_replica(row) for row in (yield Query(ALONE)))


def _parts(rows: Sequence[Row]) -> Sequence[Sequence[Row]]:
    return [rows[i : i + SIZE] for i in range(0, len(rows), SIZE)]


def _webhook(row: Row) -> ListedWebhook:
    url, secret = beyond(row)
    return ListedWebhook(
        state=state_of(row),
        callback=None if url is None else Callback(url=url, secret=secret),
    )


def _replica(row: Row) -> Replica:
    id_, name, version, started_at, seen_at, owned, dead_at = row
    return Replica(
        id=id_,
        name=name,
        version=version,
        started_at=instant(started_at),
        seen_at=instant(seen_at),
        owned=owned,
        dead_at=maybe(dead_at),
    )
