"""Webhooks as they are stored: condition, gate and health, and how rows become their state."""

from dataclasses import replace

from sqlalchemy import Boolean, Text, and_, case, or_, select, update

from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.delivering.health import HEALTHY, Health
from bridge.store.sql import Now, Row, Statement, batch, given
from bridge.store.tables import BIG, FLAG, SMALL, TEXT, webhooks
from bridge.store.texts import micros, plain, span

h = webhooks.c

VIEW = (
    h.id,
    h.key,
    h.state,
    h.gate_until - Now(),
    h.gate_why,
    h.breaker,
    h.opened,
    h.streak,
    Now() - h.failing_since,
    h.failures,
    h.told,
)
"""What `state_of` reads."""

_WIDTH = 11

n = batch(key=TEXT)
STATES = Statement("read webhooks", select(*VIEW).where(h.key.in_(select(n.c.key))))

_age = given("failing")
SET_STATE = Statement(
    "set a webhook's state",
    update(webhooks)
    .values(
        {
            h.state: given("state"),
            h.gate_until: Now() + given("gate"),
            h.gate_why: given("why", Text()),
            h.breaker: given("breaker", Boolean()),
            h.opened: given("opened"),
            h.streak: case((h.streak > given("streak"), h.streak), else_=given("streak")),
            h.failing_since: Now() - _age,
            h.failures: given("failures"),
            h.told: given("told"),
        }
    )
    .where(h.id == given("id")),
)

n = batch(
    id=BIG,
    state=SMALL,
    gate=BIG,
    why=TEXT,
    breaker=FLAG,
    opened=BIG,
    streak=BIG,
    failing=BIG,
    failures=BIG,
    told=SMALL,
)
# Several replicas tell of one webhook, each what it knows: whatever holds more back counts.
_longer = and_(
    n.c.gate.is_not(None),
    or_(h.gate_until.is_(None), h.gate_until < Now() + n.c.gate),
)
_switched = h.state < n.c.state
NOTE = Statement(
    "note webhooks' states",
    update(webhooks)
    .values(
        {
            # An answer switches off; only a person switches on again.
            h.state: case((_switched, n.c.state), else_=h.state),
            # Nor does one open a gate that another answer has shut: who knows of none says so.
            h.gate_until: case((_longer, Now() + n.c.gate), else_=h.gate_until),
            h.gate_why: case(
                (h.state > n.c.state, h.gate_why),
                (or_(_longer, _switched), n.c.why),
                (h.gate_until > Now(), h.gate_why),
                else_=n.c.why,
            ),
            h.breaker: n.c.breaker,
            h.opened: n.c.opened,
            # Alerts are named after their streak, so no number may come twice.
            h.streak: case((h.streak > n.c.streak, h.streak), else_=n.c.streak),
            h.failing_since: Now() - n.c.failing,
            h.failures: n.c.failures,
            h.told: n.c.told,
        }
    )
    .where(h.id == n.c.id),
)

OPEN = Statement(
    "open a webhook",
    update(webhooks)
    .values(
        {
            h.state: int(Condition.ACTIVE),
            h.gate_until: None,
            h.gate_why: None,
            h.breaker: None,
            h.opened: None,
            h.failing_since: None,
            h.failures: None,
            h.told: None,
        }
    )
    .where(h.id == given("id")),
)


def state_of(row: Row) -> WebhookState:
    """Return the webhook that a row of the view begins with; its spans count from now."""
    id_, key, state, gate, why = row[:5]
    return WebhookState(
        id=id_,
        key=key,
        condition=Condition(state),
        gate=span(gate) if gate is not None and gate > 0 else None,
        why=why,
        health=_health(row[5:_WIDTH]),
    )


def _health(row: Row) -> Health:
    breaker, opened, streak, failing, failures, told = row
    if not (breaker or opened or streak or failures or told) and failing is None:
        return HEALTHY
    return Health(
        open=bool(breaker),
        opened=opened or 0,
        streak=streak or 0,
        failing=None if failing is None else span(max(0, failing)),
        failures=failures or 0,
        told=told or 0,
    )


def beyond(row: Row) -> Row:
    """Return what a row has behind the columns of the view."""
    return row[_WIDTH:]


def noted(state: WebhookState) -> Row:
    """Return a webhook's state as a row of `NOTE`."""
    health = state.health
    return (
        state.id,
        int(state.condition),
        None if state.gate is None else micros(state.gate),
        plain(state.why),
        health.open,
        health.opened,
        health.streak,
        None if health.failing is None else micros(health.failing),
        health.failures,
        health.told,
    )


def merged(before: WebhookState, state: WebhookState) -> WebhookState:
    """Return one state that notes what two do, one after the other, as `NOTE` does."""
    shut, gate = before.gate, state.gate
    longer = gate is not None and (shut is None or shut < gate)
    switched = before.condition < state.condition
    kept = before.condition > state.condition or not (longer or switched or shut is None)
    return replace(
        state,
        condition=max(before.condition, state.condition),
        gate=gate if longer else shut,
        why=before.why if kept else state.why,
        health=replace(state.health, streak=max(before.health.streak, state.health.streak)),
    )


def given_state(state: WebhookState) -> dict[str, object]:
    """Return a webhook's state as the values of `SET_STATE`."""
    return dict(zip((column.name for column in n.c), noted(state), strict=True))
