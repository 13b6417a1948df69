"""Housekeeping: a start, the webhooks' states, retention, counts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Text, cast, delete, exists, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.ports import Census
from bridge.errors import StoreRefused
from bridge.store.settling import given_state
from bridge.store.sql import Now, Query, Statement, Transaction, batch, given
from bridge.store.tables import (
    COMPATIBLE_FROM,
    REVISION,
    TEXT,
    attempts,
    bodies,
    deliveries,
    events,
    meta,
    replicas,
    watches,
    webhooks,
)
from bridge.store.texts import micros, span

LONGEST_WAIT = timedelta(days=30)
"""No delivery and no gate is ever made to wait longer (DELIVERY, section 3): more means
that the wall clock was wrong when it was written."""

PRUNED = 1000
"""Rows that one call deletes at most."""

PRUNED_WATCHES = 100
"""Watches that one call deletes at most, each with its events, deliveries and attempts."""

MOVING = "moving"
"""The key in `meta` that a database has while another one is moved into it."""

a, b, d, e, h, w = attempts.c, bodies.c, deliveries.c, events.c, webhooks.c, watches.c

READ_META = Statement("read meta", select(meta.c.key, meta.c.value))
_meta = insert(meta).values(key=given("key", Text()), value=given("value", Text()))
SET_META = Statement(
    "set meta",
    _meta.on_conflict_do_update(
        index_elements=[meta.c.key], set_={"value": _meta.excluded.value}
    ),
)

_proof = insert(meta).values(key="alive", value=cast(Now(), Text()))
PROVE = Statement(
    "prove that writing works",
    _proof.on_conflict_do_update(
        index_elements=[meta.c.key], set_={"value": _proof.excluded.value}
    ),
)

_me = insert(replicas).values(
    id=given("me"),
    name=given("name", Text()),
    version=given("version", Text()),
    started_at=Now(),
    seen_at=Now(),
    owned=0,
)
ENLIST = Statement(
    "enter this replica",
    _me.on_conflict_do_update(
        index_elements=[replicas.c.id],
        set_={
            key: _me.excluded[key] for key in ("name", "version", "started_at", "seen_at")
        },
    ),
)
FREE = Statement(
    "free deliveries of the last run",
    update(deliveries)
    .values({d.claimed_by: None, d.due_at: Now(), d.fence: d.fence + 1})
    .where(d.claimed_by.is_not(None)),
)
CLAMP = Statement(
    "clamp due times",
    update(deliveries)
    .values({d.due_at: Now() + given("longest")})
    .where(
        d.webhook_id.in_(select(h.id)),
        d.manual.in_((False, True)),
        d.status == 0,
        d.due_at > Now() + given("longest"),
    ),
)
CLAMP_GATES = Statement(
    "clamp gates",
    update(webhooks)
    .values({h.gate_until: Now() + given("longest")})
    .where(h.gate_until > Now() + given("longest")),
)

n = batch(key=TEXT)
KNOW = Statement(
    "add webhooks",
    insert(webhooks)
    .from_select([h.key, h.state], select(n.c.key, literal(0)).where(n.c.key.is_not(None)))
    .on_conflict_do_nothing(),
)
STATES = Statement(
    "read webhooks",
    select(h.id, h.key, h.state, h.gate_until - Now(), h.gate_why).where(
        h.key.in_(select(n.c.key))
    ),
)
SET_STATE = Statement(
    "set a webhook's state",
    update(webhooks)
    .values(
        {
            h.state: given("state"),
            h.gate_until: Now() + given("gate"),
            h.gate_why: given("why", Text()),
        }
    )
    .where(h.id == given("id")),
)

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

_waiting = (
    select(func.count()).where(d.webhook_id == h.id, d.status == 0).correlate(webhooks)
)
CENSUS = Statement(
    "count",
    select(
        select(func.count()).select_from(watches).where(w.active).scalar_subquery(),
        select(func.coalesce(func.sum(_waiting.scalar_subquery()), 0))
        .select_from(webhooks)
        .scalar_subquery(),
        select(func.count()).select_from(events).scalar_subquery(),
    ),
)


def begin(*, me: int, name: str, version: str) -> Transaction[None]:
    """Take over from the run before: nothing stays claimed, nothing waits for ever."""
    yield Query(ENLIST, {"me": me, "name": name, "version": version})
    yield Query(FREE)
    yield from clamp()


def clamp() -> Transaction[None]:
    """Let nothing wait longer than it can have been told to: the clock was wrong then."""
    longest = {"longest": micros(LONGEST_WAIT)}
    yield Query(CLAMP, longest)
    yield Query(CLAMP_GATES, longest)


def inscribe() -> Transaction[None]:
    """Write down which schema this is."""
    yield Query(SET_META, {"key": "revision", "value": str(REVISION)})
    yield Query(SET_META, {"key": "compatible_from", "value": str(COMPATIBLE_FROM)})


def described() -> Transaction[dict[str, str]]:
    """Return what the database says of itself."""
    return {str(key): str(value) for key, value in (yield Query(READ_META))}


def supported(meta: Mapping[str, str], where: str) -> None:
    """Raise StoreRefused for a schema that this code does not know."""
    if MOVING in meta:
        raise StoreRefused(
            f"{where} is being filled: run `genbridge db move` again until it says that all "
            "is there"
        )
    revision, oldest = meta.get("revision", ""), meta.get("compatible_from", "")
    if not (revision.isdecimal() and oldest.isdecimal()):
        raise StoreRefused(f"{where} does not say which schema it has: restore a backup")
    if int(revision) < REVISION:
        raise StoreRefused(
            f"{where} has the schema {revision}, this genbridge needs {REVISION}: run "
            "`genbridge db upgrade`"
        )
    if int(oldest) > REVISION:
        raise StoreRefused(
            f"{where} has the schema {revision} of a newer genbridge: run that one, or "
            "restore the backup made before its upgrade"
        )


def known_webhooks(keys: Sequence[str]) -> Transaction[Mapping[str, WebhookState]]:
    """Return the webhooks' states, and make those known that are not."""
    wanted = list(dict.fromkeys(keys))
    states = yield from _states(wanted)
    missing = [(key,) for key in wanted if key not in states]
    if missing:
        yield Query(KNOW, {}, missing)
        states = yield from _states(wanted)
    return states


def _states(keys: Sequence[str]) -> Transaction[dict[str, WebhookState]]:
    rows = yield Query(STATES, {}, [(key,) for key in keys])
    found = {
        key: WebhookState(
            id=id_,
            key=key,
            condition=Condition(state),
            gate=span(gate) if gate is not None and gate > 0 else None,
            why=why,
        )
        for id_, key, state, gate, why in rows
    }
    return {key: found[key] for key in keys if key in found}


def set_webhook(state: WebhookState) -> Transaction[None]:
    """Set a webhook's condition and gate."""
    yield Query(SET_STATE, given_state(state))


def prune(
    *, attempts: timedelta, bodies: timedelta, deliveries: timedelta
) -> Transaction[int]:
    """Delete what is older; a watch goes whole, and never with anything pending."""
    gone = 0
    for statement, age, limit in (
        (PRUNE_ATTEMPTS, attempts, PRUNED),
        (PRUNE_BODIES, bodies, PRUNED),
        (PRUNE_WATCHES, deliveries, PRUNED_WATCHES),
    ):
        room = min(limit, PRUNED - gone)
        gone += len((yield Query(statement, {"age": micros(age), "limit": room})))
    return gone


def census() -> Transaction[Census]:
    """Count."""
    ((running, pending, events),) = yield Query(CENSUS)
    return Census(watches=running, pending=pending, events=events)


def prove() -> Transaction[None]:
    """Write something new: what is written again unchanged never reaches the disk."""
    yield Query(PROVE)
