"""Alerts: operational events and their deliveries, committed with their cause."""

from collections.abc import Sequence

from sqlalchemy import false, true
from sqlalchemy.dialects.postgresql import insert

from bridge.core.delivering.delivery import Alert
from bridge.store.recording import Gathered
from bridge.store.sql import Now, Query, Row, Statement, Transaction, batch, picked
from bridge.store.tables import BIG, TEXT, UID, deliveries, events, webhooks
from bridge.store.texts import ascii_text

e, d, h = events.c, deliveries.c, webhooks.c

n = batch(uid=UID, hook=BIG, tag=TEXT, body=TEXT, raw=TEXT)
_EVENT = {
    e.uid: n.c.uid,
    e.tag: n.c.tag,
    e.seq: 0,
    e.body: n.c.body,
    e.raw: n.c.raw,
    e.occurred_at: Now(),
}
RAISE = Statement(
    "add operational events",
    insert(events)
    .from_select(
        list(_EVENT),
        picked(_EVENT).select_from(n.join(webhooks, h.id == n.c.hook)).where(true()),
    )
    .on_conflict_do_nothing()
    .returning(e.id, e.uid),
)

n = batch(event=BIG, hook=BIG)
_DELIVERY = {
    d.event_id: n.c.event,
    d.webhook_id: n.c.hook,
    d.seq: 0,
    d.status: 0,
    d.manual: false(),
    d.attempt: 0,
    d.tries: 0,
    d.due_at: Now(),
    d.first_at: Now(),
    d.fence: 0,
}
TELL = Statement(
    "add deliveries of operational events",
    insert(deliveries)
    .from_select(list(_DELIVERY), picked(_DELIVERY).where(true()))
    .on_conflict_do_nothing()
    .returning(d.webhook_id),
)


def announce(alerts: Sequence[Alert], gathered: Gathered) -> Transaction[None]:
    """Store alerts that are not there yet, due now; one for a webhook that is gone is dropped."""
    raised = {str(alert.message.id): alert for alert in alerts}
    if not raised:
        return
    rows = yield Query(RAISE, {}, [_event(uid, alert) for uid, alert in raised.items()])
    made = [(id_, raised[str(uid)].webhook) for id_, uid in rows]
    if made:
        gathered.woken |= {hook for (hook,) in (yield Query(TELL, {}, sorted(made)))}


def _event(uid: str, alert: Alert) -> Row:
    message = alert.message
    return (
        uid,
        alert.webhook,
        alert.tag,
        ascii_text(message.body),
        None if message.raw is None else ascii_text(message.raw),
    )
