"""Housekeeping: a start, the webhooks' states, counts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Text, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from bridge.core.delivering.delivery import WebhookState
from bridge.core.ports import Census
from bridge.core.settings import shared
from bridge.errors import StoreRefused
from bridge.store.sql import Now, Query, Statement, Transaction, batch, given
from bridge.store.tables import (
    COMPATIBLE_FROM,
    REVISION,
    TEXT,
    deliveries,
    events,
    meta,
    replicas,
    watches,
    webhooks,
)
from bridge.store.texts import micros
from bridge.store.webhooks import SET_STATE, STATES, given_state, state_of

LONGEST_WAIT = timedelta(days=30)
"""No delivery and no gate is ever made to wait longer (DELIVERY, section 3): more means
that the wall clock was wrong when it was written."""

MOVING = "moving"
"""The key in `meta` that a database has while another one is moved into it."""

d, h = deliveries.c, webhooks.c

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

_waiting = (
    select(func.count()).where(d.webhook_id == h.id, d.status == 0).correlate(webhooks)
)
_pending = select(func.coalesce(func.sum(_waiting.scalar_subquery()), 0)).select_from(
    webhooks
)
PENDING = Statement("count what is pending", _pending)
CENSUS = Statement(
    "count",
    select(
        select(func.count()).select_from(watches).where(watches.c.active).scalar_subquery(),
        _pending.scalar_subquery(),
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
            f"restore the backup made before its upgrade{_kept(where)}"
        )


def _kept(where: str) -> str:
    """Return what the copies of a file are called that an upgrade has made."""
    return "" if shared(where) else f" ({where}.schema-*)"


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
    found = {state.key: state for state in map(state_of, rows)}
    return {key: found[key] for key in keys if key in found}


def set_webhook(state: WebhookState) -> Transaction[None]:
    """Set a webhook's condition and gate."""
    yield Query(SET_STATE, given_state(state))


def census() -> Transaction[Census]:
    """Count."""
    ((running, pending, events),) = yield Query(CENSUS)
    return Census(watches=running, pending=pending, events=events)


def pending() -> Transaction[int]:
    """Count pending deliveries alone: that walks through nothing else."""
    ((count,),) = yield Query(PENDING)
    return int(count)


def prove() -> Transaction[None]:
    """Write something new: what is written again unchanged never reaches the disk."""
    yield Query(PROVE)
