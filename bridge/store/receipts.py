"""Receipts: what names the message in which a webhook is told of a watch's progress.

Nothing is read or written here for webhooks whose messages are not edited.
"""

from collections.abc import Sequence

from sqlalchemy import select, true
from sqlalchemy.dialects.postgresql import insert

from bridge.core.delivering.delivery import Settlement
from bridge.core.delivering.receipt import Receipt
from bridge.store.sql import Query, Row, Statement, Transaction, batch, given, picked
from bridge.store.tables import BIG, TEXT, receipts
from bridge.store.texts import plain

r = receipts.c

n = batch(watch=BIG, hook=BIG, place=TEXT, receipt=TEXT)
_RECEIPT = {
    r.watch_id: n.c.watch,
    r.webhook_id: n.c.hook,
    r.place: n.c.place,
    r.receipt: n.c.receipt,
}
_kept = insert(receipts).from_select(list(_RECEIPT), picked(_RECEIPT).where(true()))
KEEP = Statement(
    "keep receipts",
    _kept.on_conflict_do_update(
        index_elements=[r.watch_id, r.webhook_id],
        set_={name: _kept.excluded[name] for name in ("place", "receipt")},
    ),
)
FIND = Statement(
    "find a receipt",
    select(r.place, r.receipt).where(
        r.watch_id == given("watch"), r.webhook_id == given("hook")
    ),
)


def keep(settlements: Sequence[Settlement]) -> Transaction[None]:
    """Keep the receipts that settlements have brought, the last one of each watch and webhook."""
    rows: dict[tuple[int, int], Row] = {}
    for one in settlements:
        delivery, receipt = one.delivery, one.receipt
        if receipt is not None and delivery.watch is not None:
            key = delivery.watch, delivery.webhook
            rows[key] = (*key, receipt.place, plain(receipt.text))
    if rows:
        yield Query(KEEP, {}, [rows[key] for key in sorted(rows)])


def find(watch: int, webhook: int) -> Transaction[Receipt | None]:
    """Return what is kept of a watch and a webhook."""
    for place, text in (yield Query(FIND, {"watch": watch, "hook": webhook})):
        return Receipt(place=place, text=text)
    return None
