"""Changes: a watch's step, its event and the event's deliveries, one promise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from bridge.core.change import Born, Change, Recorded
from bridge.core.delivering.delivery import Condition, Status
from bridge.store.sql import (
    Now,
    Query,
    Row,
    Statement,
    Transaction,
    batch,
    given,
    picked,
    rounds,
)
from bridge.store.tables import (
    BIG,
    SMALL,
    TEXT,
    UID,
    deliveries,
    events,
    watches,
    webhooks,
)
from bridge.store.texts import ascii_text, micros, plain

SIZE = 500

w, e, d, h = watches.c, events.c, deliveries.c, webhooks.c


def ours(column: ColumnElement[int | None]) -> ColumnElement[bool]:
    """Return whether a column names this replica, in a form that no index answers.

    A planner without statistics walks the index of claims for each row of a batch: settling
    100 of 100 claimed deliveries took 4.5 ms, 0.5 ms by their ids (measured). One whose
    statistics are old takes a partial index for short that has become long.
    """
    return func.coalesce(column, 0) == given("me")


def waiting(status: ColumnElement[int]) -> ColumnElement[bool]:
    """Return whether a delivery is pending, in a form that no partial index answers either."""
    return status + 0 == 0


n = batch(
    id=BIG, fence=BIG, seq=SMALL, rank=SMALL, native_state=TEXT, ended=TEXT, active=SMALL
)
_goes_on = n.c.active == 1
STEP = Statement(
    "step watches",
    update(watches)
    .values(
        {
            w.rank: n.c.rank,
            w.native_state: n.c.native_state,
            w.state_at: case((n.c.rank > w.rank, Now()), else_=w.state_at),
            w.seq: n.c.seq,
            w.active: _goes_on,
            w.ended: n.c.ended,
            w.ended_at: case((~_goes_on, Now())),
            w.owner: case((_goes_on, w.owner)),
        }
    )
    .where(
        w.id == n.c.id,
        ours(w.owner),
        w.fence == n.c.fence,
        w.active,
        w.seq == n.c.seq - 1,
        w.rank <= n.c.rank,
    )
    .returning(w.id),
)

n = batch(uid=UID, watch=BIG, tag=TEXT, seq=SMALL, body=TEXT, raw=TEXT)
_EVENT = {
    e.uid: n.c.uid,
    e.watch_id: n.c.watch,
    e.tag: n.c.tag,
    e.seq: n.c.seq,
    e.body: n.c.body,
    e.raw: n.c.raw,
    e.occurred_at: Now(),
}
ANNOUNCE = Statement(
    "add events",
    insert(events)
    .from_select(list(_EVENT), picked(_EVENT).where(true()))
    .on_conflict_do_nothing()
    .returning(e.id, e.uid),
)

n = batch(uid=UID, watch=BIG, tag=TEXT)
PRESENT = Statement(
    "find events",
    select(e.id, e.uid).where(e.watch_id == n.c.watch, e.tag == n.c.tag, e.uid == n.c.uid),
)

n = batch(event=BIG)
HELD = Statement(
    "find claimed deliveries",
    select(d.event_id, d.id, d.webhook_id, d.fence).where(
        d.event_id.in_(select(n.c.event)), waiting(d.status), ours(d.claimed_by)
    ),
)

n = batch(watch=BIG, hook=BIG, seq=SMALL)
_older = deliveries.alias("older")
SUPERSEDE = Statement(
    "supersede deliveries",
    update(deliveries)
    .values({d.status: int(Status.SUPERSEDED), d.settled_at: Now()})
    .where(
        d.watch_id == n.c.watch,
        d.webhook_id == n.c.hook,
        d.status == 0,
        d.seq < n.c.seq,
        d.claimed_by.is_(None),
        ~d.manual,
    ),
)

n = batch(event=BIG, watch=BIG, hook=BIG, seq=SMALL, room=SMALL, lease=BIG)
_waiting = exists().where(
    _older.c.watch_id == n.c.watch,
    _older.c.webhook_id == n.c.hook,
    # Without the sequence two indexes look equally good to SQLite; it took, in one run of six,
    # the one that walks everything that waits for the webhook: 200 instead of 5 µs (measured).
    _older.c.seq < n.c.seq,
    _older.c.status == 0,
    ~_older.c.manual,
)
_open = exists().where(
    h.id == n.c.hook,
    h.state == int(Condition.ACTIVE),
    or_(h.gate_until.is_(None), h.gate_until <= Now()),
)
# Materialized: flattened, the probes would run once for each column that asks about them.
m = (
    select(n, and_(n.c.room == 1, _open, ~_waiting).label("mine"))
    .cte("m")
    .prefix_with("MATERIALIZED")
)
_DELIVERY = {
    d.event_id: m.c.event,
    d.watch_id: m.c.watch,
    d.webhook_id: m.c.hook,
    d.seq: m.c.seq,
    d.status: 0,
    d.manual: false(),
    d.attempt: case((m.c.mine, 1), else_=0),
    d.tries: 0,
    d.due_at: Now() + case((m.c.mine, m.c.lease), else_=0),
    d.first_at: Now(),
    d.claimed_by: case((m.c.mine, given("me"))),
    d.fence: 0,
}
ADDRESS = Statement(
    "add deliveries",
    insert(deliveries)
    .from_select(list(_DELIVERY), picked(_DELIVERY).where(true()))
    .on_conflict_do_nothing()
    .returning(d.id, d.event_id, d.webhook_id, d.claimed_by, d.fence),
)


n = batch(id=BIG)
FIRST = Statement(
    "find webhooks with deliveries that nothing holds up",
    select(d.webhook_id)
    .where(
        d.id.in_(select(n.c.id)),
        ~exists().where(
            _older.c.watch_id == d.watch_id,
            _older.c.webhook_id == d.webhook_id,
            _older.c.status == 0,
            _older.c.seq < d.seq,
            ~_older.c.manual,
        ),
    )
    .distinct(),
)


@dataclass(slots=True)
class Gathered:
    """What a write has done so far."""

    recorded: dict[int, Recorded] = field(default_factory=dict)
    woken: set[int] = field(default_factory=set)
    fenced: int = 0


def record(changes: Sequence[Change], me: int, gathered: Gathered) -> Transaction[None]:
    """Commit changes; a watch's later change builds on its earlier one."""
    for some in rounds(changes, lambda change: change.watch.id, SIZE):
        yield from _record(dict(some), me, gathered)


def _record(changes: dict[int, Change], me: int, gathered: Gathered) -> Transaction[None]:
    uids = {place: change.message.webhook_id for place, change in changes.items()}
    stepped = {id_ for (id_,) in (yield Query(STEP, {"me": me}, _steps(changes.values())))}
    accepted = {uids[p]: c for p, c in changes.items() if c.watch.id in stepped}
    ids: dict[str, int] = {}
    if accepted:
        rows = [_event(uid, change) for uid, change in accepted.items()]
        ids = _by_uid((yield Query(ANNOUNCE, {}, rows)))
    held: dict[str, list[Born]] = {}
    if old := [(uids[p], c) for p, c in changes.items() if uids[p] not in ids]:
        held = yield from _recorded_before(old, me)
    born = yield from _address(
        {ids[u]: c for u, c in accepted.items() if u in ids}, me, gathered
    )
    for place, change in changes.items():
        uid = uids[place]
        gathered.recorded[place] = Recorded(
            accepted=change.watch.id in stepped or uid in held,
            deliveries=tuple(born.get(ids.get(uid, 0), held.get(uid, []))),
        )


def _recorded_before(
    changes: Sequence[tuple[str, Change]], me: int
) -> Transaction[dict[str, list[Born]]]:
    """Return per event that is already there the deliveries that are still ours.

    An event's uid is derived from its watch, so its presence means that this very change
    was committed and only the answer to its commit got lost.
    """
    asked = [(uid, change.watch.id, change.tag) for uid, change in changes]
    ids = _by_uid((yield Query(PRESENT, {}, asked)))
    held: dict[str, list[Born]] = {uid: [] for uid in ids}
    if ids:
        uid_of = {id_: uid for uid, id_ in ids.items()}
        rows = yield Query(HELD, {"me": me}, [(id_,) for id_ in uid_of])
        for event, id_, webhook, fence in sorted(rows, key=lambda row: int(row[1])):
            born = Born(id=id_, webhook=webhook, fence=fence, claimed=True)
            held[uid_of[event]].append(born)
    return held


def _address(
    changes: dict[int, Change], me: int, gathered: Gathered
) -> Transaction[dict[int, list[Born]]]:
    """Add the deliveries of new events; return them per event."""
    if superseding := _superseding(changes.values()):
        yield Query(SUPERSEDE, {}, superseding)
    rows = [row for event, change in changes.items() for row in _deliveries(event, change)]
    born: dict[int, list[Born]] = {}
    unclaimed: list[Row] = []
    for part in (rows[i : i + SIZE] for i in range(0, len(rows), SIZE)):
        for id_, event, webhook, claimer, fence in (yield Query(ADDRESS, {"me": me}, part)):
            claimed = claimer is not None
            one = Born(id=id_, webhook=webhook, fence=fence, claimed=claimed)
            born.setdefault(event, []).append(one)
            if not claimed:
                unclaimed.append((id_,))
    if unclaimed:
        gathered.woken |= {hook for (hook,) in (yield Query(FIRST, {}, unclaimed))}
    return born


def _by_uid(rows: Sequence[Row]) -> dict[str, int]:
    return {str(uid): id_ for id_, uid in rows}


def _steps(changes: Iterable[Change]) -> list[Row]:
    return [
        (
            change.watch.id,
            change.watch.fence,
            change.seq,
            int(change.rank),
            plain(change.native_state),
            plain(change.ended),
            int(change.ended is None),
        )
        for change in changes
    ]


def _event(uid: str, change: Change) -> Row:
    message = change.message
    return (
        uid,
        change.watch.id,
        change.tag,
        change.seq,
        ascii_text(message.body),
        None if message.raw is None else ascii_text(message.raw),
    )


def _deliveries(event: int, change: Change) -> list[Row]:
    return [
        (event, change.watch.id, to.webhook, change.seq, int(to.room), micros(to.lease))
        for to in change.recipients
    ]


def _superseding(changes: Iterable[Change]) -> list[Row]:
    return [
        (change.watch.id, to.webhook, change.seq)
        for change in changes
        for to in change.recipients
        if to.latest
    ]
