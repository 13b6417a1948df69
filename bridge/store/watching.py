"""Watches: begun, changed, ended, handed to the engine."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Text, and_, case, false, func, null, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from bridge.core.ladder import UNSEEN, State
from bridge.core.ports import Enlisted
from bridge.core.watch import Generation, Watch, WatchWish
from bridge.errors import StoreUnavailable
from bridge.store import adopting
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
    FLAG,
    SMALL,
    TEXT,
    UID,
    deliveries,
    events,
    meta,
    watches,
)
from bridge.store.texts import (
    metadata_of,
    metadata_text,
    micros,
    span,
    storable,
    webhooks_of,
    webhooks_text,
)
from bridge.store.uniting import FILE, UNWATCHED, Standing, added, begun, united

SIZE = 1000
"""Rows of one statement."""

Known = Callable[[int], bool]
"""Whether the engine already has a watch, by its id."""

w = watches.c
VIEW = (
    w.id,
    w.uid,
    w.fence,
    w.source,
    w.generation_id,
    w.until_rank,
    w.webhooks,
    w.metadata,
    w.rank,
    w.native_state,
    w.seq,
    (Now() - w.created_at).label("age"),
    (w.deadline_at - Now()).label("left"),
    (Now() - w.state_at).label("state_age"),
)
_MINE = w.owner == given("me")
_TOLD = and_(w.owner.is_not(None), w.owner != given("me"))


_STATES = {int(state): state for state in State}


def seen(row: Row) -> Watch:
    """Return a row of the view as a watch."""
    id_, uid, fence, source, generation, until, webhooks, metadata, rank = row[:9]
    native_state, seq, age, left, state_age = row[9:14]
    return Watch(
        id=id_,
        uid=uid if isinstance(uid, UUID) else UUID(uid),
        fence=fence,
        generation=Generation(source, generation),
        until=_STATES[until],
        webhooks=webhooks_of(webhooks),
        metadata=metadata_of(metadata) if metadata else {},
        rank=rank,
        native_state=native_state,
        seq=seq,
        age=span(age),
        left=span(left),
        state_age=None if state_age is None else span(state_age),
    )


n = batch(
    uid=UID,
    source=TEXT,
    generation_id=TEXT,
    origin=SMALL,
    until_rank=SMALL,
    webhooks=TEXT,
    metadata=TEXT,
    deadline=BIG,
)
_BORN = {
    w.uid: n.c.uid,
    w.source: n.c.source,
    w.generation_id: n.c.generation_id,
    w.origin: n.c.origin,
    w.until_rank: n.c.until_rank,
    w.webhooks: n.c.webhooks,
    w.metadata: n.c.metadata,
    w.deadline_at: Now() + n.c.deadline,
    w.rank: UNSEEN,
    w.seq: -1,
    w.active: true(),
    w.due_at: Now(),
    w.owner: given("owner"),
    w.fence: 0,
    w.dirty: false(),
    w.created_at: Now(),
}
BEGIN = Statement(
    "begin watches",
    insert(watches)
    .from_select(list(_BORN), picked(_BORN).where(true()))
    .on_conflict_do_nothing()
    .returning(w.id, w.uid),
)

n = batch(source=TEXT, generation_id=TEXT)
STANDING = Statement(
    "read watches",
    select(*VIEW, w.origin, w.active, w.ended, (w.deadline_at - w.created_at), _MINE)
    .join_from(
        n, watches, and_(w.source == n.c.source, w.generation_id == n.c.generation_id)
    )
    .with_for_update(of=watches),
)

n = batch(
    id=BIG,
    origin=SMALL,
    until_rank=SMALL,
    webhooks=TEXT,
    metadata=TEXT,
    deadline=BIG,
    again=FLAG,
)
_ownerless = or_(n.c.again, and_(w.active, w.owner.is_(None)))
CHANGE = Statement(
    "change watches",
    update(watches)
    .values(
        {
            w.origin: n.c.origin,
            w.until_rank: n.c.until_rank,
            w.webhooks: n.c.webhooks,
            w.metadata: n.c.metadata,
            w.deadline_at: case((n.c.again, Now()), else_=w.created_at) + n.c.deadline,
            w.created_at: case((n.c.again, Now()), else_=w.created_at),
            w.active: case((n.c.again, true()), else_=w.active),
            w.ended: case((n.c.again, null()), else_=w.ended),
            w.ended_at: case((n.c.again, null()), else_=w.ended_at),
            w.owner: case((_ownerless, given("owner")), else_=w.owner),
            w.fence: w.fence + 1,
            w.dirty: _TOLD,
        }
    )
    .where(w.id == n.c.id),
)

n = batch(id=BIG)
READ = Statement(
    "read changed watches",
    select(*VIEW).where(w.id.in_(select(n.c.id)), w.active, _MINE),
)

n = batch(watch=BIG, hook=BIG)
e = events.c
_later = events.alias("later")
_latest = select(func.max(_later.c.seq)).where(_later.c.watch_id == n.c.watch)
_TOLD_NOW = {
    deliveries.c.event_id: e.id,
    deliveries.c.watch_id: e.watch_id,
    deliveries.c.webhook_id: n.c.hook,
    deliveries.c.seq: e.seq,
    deliveries.c.status: 0,
    deliveries.c.manual: false(),
    deliveries.c.attempt: 0,
    deliveries.c.tries: 0,
    deliveries.c.due_at: Now(),
    deliveries.c.first_at: Now(),
    deliveries.c.fence: 0,
}
CATCH_UP = Statement(
    "tell added webhooks the latest event",
    insert(deliveries)
    .from_select(
        list(_TOLD_NOW),
        picked(_TOLD_NOW)
        .select_from(n.join(events, e.watch_id == n.c.watch))
        .where(e.seq == _latest.scalar_subquery()),
    )
    .on_conflict_do_nothing()
    .returning(deliveries.c.webhook_id),
)

n = batch(id=BIG)
END = Statement(
    "end watches",
    update(watches)
    .values(
        {
            w.active: false(),
            w.ended: UNWATCHED,
            w.ended_at: Now(),
            w.fence: w.fence + 1,
            w.owner: case((w.owner != given("me"), w.owner)),
            w.dirty: _TOLD,
        }
    )
    .where(w.id.in_(select(n.c.id)), w.active),
)

RUNNING = Statement(
    "read running watches",
    select(*VIEW)
    .where(w.active, w.id > given("cursor"))
    .order_by(w.id)
    .limit(given("limit")),
)
ONE = Statement(
    "read a watch",
    select(*VIEW).where(
        w.source == given("source", Text()),
        w.generation_id == given("generation", Text()),
        w.active,
        _MINE,
    ),
)
OF_THE_FILE = Statement(
    "read the watches of the file",
    select(w.id, w.source, w.generation_id)
    .where(w.active, w.origin == FILE)
    .order_by(w.id),
)
DIGEST = Statement(
    "read the digest", select(meta.c.value).where(meta.c.key == "config_hash")
)
_digest = insert(meta).values(key="config_hash", value=given("digest", Text()))
SET_DIGEST = Statement(
    "set the digest",
    _digest.on_conflict_do_update(
        index_elements=[meta.c.key], set_={"value": _digest.excluded.value}
    ),
)


def register(
    wishes: Sequence[WatchWish],
    *,
    uid: Callable[[], UUID],
    me: int,
    known: Known,
    owning: bool = True,
) -> Transaction[Enlisted]:
    """Begin or change watches; an unchanged one starts only where it is not yet known.

    What is begun belongs to this replica, or, where that is not `owning` more, to nobody yet.
    """
    gathered = _Gathered()
    owner = me if owning else None
    yield from adopting.want(_wanted(wishes))
    for some in rounds(wishes, lambda wish: wish.generation, SIZE):
        asked = [wish for _, wish in some]
        there = yield from _begin(asked, uid, owner, gathered)
        if there:
            yield from _unite(there, me, owner, known, gathered)
    return gathered.enlisted()


def _wanted(wishes: Sequence[WatchWish]) -> dict[int, int]:
    """Return for how long the wishes want each webhook, in microseconds."""
    spans: dict[int, timedelta] = {}
    for wish in wishes:
        for id_ in wish.webhooks:
            spans[id_] = max(wish.deadline, spans.get(id_, wish.deadline))
    return {id_: micros(span) for id_, span in spans.items()}


def configure(
    wishes: Sequence[WatchWish],
    digest: str,
    *,
    uid: Callable[[], UUID],
    me: int,
    known: Known,
    anyway: bool = False,
    owning: bool = True,
) -> Transaction[Enlisted]:
    """Register the watches of the file and end what it no longer names.

    The same digest as last time: nothing is done, unless it is to be done `anyway`.
    """
    stored = yield Query(DIGEST)
    if stored and stored[0][0] == digest and not anyway:
        return Enlisted()
    enlisted = yield from register(wishes, uid=uid, me=me, known=known, owning=owning)
    named = {wish.generation for wish in wishes}
    of_the_file = yield Query(OF_THE_FILE)
    gone = [(id_, Generation(s, g)) for id_, s, g in of_the_file if (s, g) not in named]
    yield from _end([id_ for id_, _ in gone], me)
    yield Query(SET_DIGEST, {"digest": digest})
    return Enlisted(
        started=enlisted.started,
        ended=(*enlisted.ended, *(generation for _, generation in gone)),
        woken=enlisted.woken,
        begun=enlisted.begun,
    )


def unwatch(generations: Sequence[Generation], *, me: int) -> Transaction[Enlisted]:
    """End watches; those that were over before are named as ended too."""
    ended: list[Generation] = []
    for some in rounds(generations, lambda generation: generation, SIZE):
        rows = yield Query(STANDING, {"me": me}, [generation for _, generation in some])
        found = {Generation(row[3], row[4]): row for row in rows}
        yield from _end([row[0] for row in rows if row[15]], me)
        ended += [generation for _, generation in some if generation in found]
    return Enlisted(ended=tuple(dict.fromkeys(ended)))


def running(
    cursor: int, limit: int, known: Known
) -> Transaction[tuple[list[Watch], int | None]]:
    """Return the next running watches that are not known, and where to go on, if at all."""
    found: list[Watch] = []
    while len(found) < limit:
        wanted = limit - len(found)
        rows = yield Query(RUNNING, {"cursor": cursor, "limit": wanted})
        found += [seen(row) for row in rows if not known(row[0])]
        if len(rows) < wanted:
            return found, None
        cursor = rows[-1][0]
    return found, cursor


def one(generation: Generation, *, me: int) -> Transaction[Watch | None]:
    """Return a running watch of ours."""
    rows = yield Query(
        ONE, {"source": generation.source, "generation": generation.id, "me": me}
    )
    return seen(rows[0]) if rows else None


@dataclass(slots=True)
class _Gathered:
    """What a registration has done so far."""

    started: list[Watch] = field(default_factory=list)
    ended: list[Generation] = field(default_factory=list)
    woken: set[int] = field(default_factory=set)
    begun: set[Generation] = field(default_factory=set)

    def enlisted(self) -> Enlisted:
        started = {watch.generation: watch for watch in self.started}
        return Enlisted(
            started=tuple(sorted(started.values(), key=lambda watch: watch.id)),
            ended=tuple(one for one in dict.fromkeys(self.ended) if one not in started),
            woken=frozenset(self.woken),
            begun=frozenset(self.begun),
        )


def _begin(
    wishes: Sequence[WatchWish],
    uid: Callable[[], UUID],
    owner: int | None,
    gathered: _Gathered,
) -> Transaction[list[WatchWish]]:
    """Insert what is new; return the wishes whose watches were there."""
    uids = [uid() for _ in wishes]
    rows = [_newborn(wish, one) for wish, one in zip(wishes, uids, strict=True)]
    inserted = yield Query(BEGIN, {"owner": owner}, rows)
    ids = {str(uid): id_ for id_, uid in inserted}
    there = []
    for wish, one_uid in zip(wishes, uids, strict=True):
        id_ = ids.get(str(one_uid))
        if id_ is None:
            there.append(wish)
        else:
            gathered.begun.add(wish.generation)
            if owner is not None:
                gathered.started.append(_begun(wish, id_, one_uid))
    return there


def _newborn(wish: WatchWish, uid: UUID) -> Row:
    standing = begun(wish)
    return (
        str(uid),
        *storable(wish.generation),
        standing.origin,
        standing.until,
        webhooks_text(standing.webhooks),
        standing.metadata,
        standing.deadline,
    )


def _begun(wish: WatchWish, id_: int, uid: UUID) -> Watch:
    return Watch(
        id=id_,
        uid=uid,
        fence=0,
        generation=wish.generation,
        until=wish.until,
        webhooks=tuple(dict.fromkeys(wish.webhooks)),
        metadata=metadata_of(metadata_text(wish.metadata)),
        left=wish.deadline,
    )


def _unite(
    wishes: Sequence[WatchWish],
    me: int,
    owner: int | None,
    known: Known,
    gathered: _Gathered,
) -> Transaction[None]:
    """Change the watches that are there as the wishes ask."""
    rows = yield Query(STANDING, {"me": me}, [wish.generation for wish in wishes])
    there = {(row[3], row[4]): row for row in rows}
    changed, adding = [], []
    for wish in wishes:
        row = there.get(wish.generation)
        if row is None:
            raise StoreUnavailable("a watch was deleted while it was asked for")
        before = _standing(row)
        after = united(before, wish)
        if after != before:
            changed.append(_changed(row[0], after))
            adding += [(row[0], webhook) for webhook in added(before, wish)]
        elif after.active and row[18] and not known(row[0]):
            gathered.started.append(seen(row))
        if not after.active:
            gathered.ended.append(wish.generation)
    if changed:
        yield Query(CHANGE, {"me": me, "owner": owner}, changed)
        again = yield Query(READ, {"me": me}, [(row[0],) for row in changed])
        gathered.started += [seen(row) for row in again]
    if adding:
        gathered.woken |= {hook for (hook,) in (yield Query(CATCH_UP, {}, adding))}


def _standing(row: Row) -> Standing:
    return Standing(
        origin=row[14],
        until=row[5],
        webhooks=webhooks_of(row[6]),
        metadata=row[7],
        deadline=row[17],
        rank=row[8],
        active=bool(row[15]),
        ended=row[16],
    )


def _changed(id_: int, after: Standing) -> Row:
    return (
        id_,
        after.origin,
        after.until,
        webhooks_text(after.webhooks),
        after.metadata,
        after.deadline,
        after.again,
    )


def _end(ids: Iterable[int], me: int) -> Transaction[None]:
    for some in rounds(list(ids), lambda id_: id_, SIZE):
        yield Query(END, {"me": me}, [(id_,) for _, id_ in some])
