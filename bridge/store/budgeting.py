"""What all replicas share in turns: rates, and duties that one of them does for all."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Integer, Text, case, select
from sqlalchemy.dialects.postgresql import insert

from bridge.store.sql import Now, Query, Row, Statement, Transaction, given
from bridge.store.tables import budgets, duties
from bridge.store.texts import micros, span

STEPPED = timedelta(seconds=2)
"""What one process is ahead with a rate, beside the chunk that it pays for: more
means that the wall clock was wrong (DELIVERY, section 5)."""

b, u = budgets.c, duties.c

_chunk = insert(budgets).values(key=given("key", Text()), tat=Now() + given("chunk"))
_most = Now() + given("ahead")
_begin = case((b.tat < Now(), Now()), (b.tat > _most, _most), else_=b.tat)
CHUNK = Statement(
    "take a chunk",
    _chunk.on_conflict_do_update(
        index_elements=[b.key], set_={"tat": _begin + given("chunk")}
    ),
)
BEGUN = Statement(
    "read when a chunk begins",
    select(b.tat - given("chunk") - Now()).where(b.key == given("key", Text())),
)

_duty = insert(duties).values(
    name=given("name", Text()),
    owner=given("me", Integer()),
    due_at=Now() + given("every"),
    last_at=Now(),
)
DUTY = Statement(
    "take a duty",
    _duty.on_conflict_do_update(
        index_elements=[u.name],
        set_={key: _duty.excluded[key] for key in ("owner", "due_at", "last_at")},
        where=u.due_at <= Now(),
    ).returning(u.name),
)


def chunk(key: str, length: timedelta, ahead: timedelta) -> Transaction[timedelta]:
    """Take the next `length` of a rate for this replica alone; return when it begins, from now.

    What was taken further than `ahead` counts as no further: the clock was wrong then.
    """
    span_ = micros(length)
    yield Query(CHUNK, {"key": key, "chunk": span_, "ahead": micros(ahead)})
    rows: Sequence[Row] = yield Query(BEGUN, {"key": key, "chunk": span_})
    return span(max(0, rows[0][0]))


def duty(me: int, name: str, every: timedelta) -> Transaction[bool]:
    """Return whether this replica is to do a duty now; the next time comes after `every`."""
    given_ = {"me": me, "name": name, "every": micros(every)}
    return bool((yield Query(DUTY, given_)))
