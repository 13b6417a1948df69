"""Adopting: webhooks that callers bring along, and the list of all webhooks and replicas."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Integer, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.listing import ListedWebhook, Replica
from bridge.store.keeping import known_webhooks
from bridge.store.listing import instant, maybe
from bridge.store.sql import Now, Query, Row, Statement, Transaction, batch, given
from bridge.store.tables import TEXT, replicas, watches, webhooks
from bridge.store.texts import span

SIZE = 1000
"""Rows of one statement."""

h, r, w = webhooks.c, replicas.c, watches.c

n = batch(key=TEXT, url=TEXT, secret=TEXT)
ADOPT = Statement(
    "adopt webhooks",
    insert(webhooks)
    .from_select(
        [h.key, h.url, h.secret, h.state],
        select(n.c.key, n.c.url, n.c.secret, literal(0)).where(n.c.key.is_not(None)),
    )
    .on_conflict_do_nothing(),
)
_VIEW = (h.id, h.key, h.url, h.secret, h.state, h.gate_until - Now(), h.gate_why)

n = batch(id=Integer())
BY_ID = Statement(
    "read webhooks by their ids",
    select(*_VIEW).where(h.id.in_(select(n.c.id))).order_by(h.id),
)
LIST = Statement(
    "list webhooks",
    select(*_VIEW).where(h.id > given("after")).order_by(h.id).limit(given("limit")),
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
    id_, key, url, secret, state, gate, why = row
    return ListedWebhook(
        state=WebhookState(
            id=id_,
            key=key,
            condition=Condition(state),
            gate=span(gate) if gate is not None and gate > 0 else None,
            why=why,
        ),
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
