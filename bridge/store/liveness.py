"""Replicas: entered, beating, looked at, declared dead (STORE, section 4; PostgreSQL only)."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    Boolean,
    Integer,
    Text,
    delete,
    exists,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from bridge.core.sharing.liveness import Sighting
from bridge.core.text.jsontext import encode
from bridge.core.watch import Generation
from bridge.store.sql import Now, Query, Statement, Transaction, given
from bridge.store.tables import deliveries, replicas, watches

CHANNEL = "genbridge"
"""Where hints are sent; an empty one says: look now."""

LOOKS = "genbridge_looks"
"""Where generations are named that may have changed, `[source, id]` in a JSON list."""

NOTE = 7000
"""Bytes of a text that is sent there: a server takes less than 8,000."""

r, d, w = replicas.c, deliveries.c, watches.c

# The oid keeps the schemas of one database apart.
_CLASS: ColumnElement[int] = literal_column("'replicas'::regclass::oid::int4", Integer())
_SCHEMA: ColumnElement[int] = literal_column("'meta'::regclass::oid::int4", Integer())
_ME = given("me", Integer())
_THEM: ColumnElement[Any] = given("ids", ARRAY(Integer()))

ENTER = Statement(
    "enter a replica",
    replicas.insert()
    .values(
        name=given("name", Text()),
        version=given("version", Text()),
        started_at=Now(),
        seen_at=Now(),
        owned=0,
    )
    .returning(r.id),
)
USE = Statement(
    "hold the schema",
    select(func.pg_try_advisory_lock_shared(_SCHEMA, given("revision", Integer()))),
)
TAKE = Statement("take the lock", select(func.pg_try_advisory_lock(_CLASS, _ME)))
LEAVE = Statement("leave the lock", select(func.pg_advisory_unlock(_CLASS, _ME)))
HELD = Statement(
    "see the lock",
    select(
        func.pg_backend_pid(),
        literal_column(
            "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND pid = pg_backend_pid()"
            " AND classid = 'replicas'::regclass)",
            Boolean(),
        ),
    ),
)
BEAT = Statement(
    "beat",
    update(replicas)
    .values(
        {
            r.seen_at: Now(),
            r.owned: select(func.count()).where(w.owner == _ME).scalar_subquery(),
        }
    )
    .where(r.id == _ME, r.dead_at.is_(None))
    .returning(r.id),
)
_silent = r.seen_at < Now() - given("silent")
LOOK = Statement(
    "look at the others",
    select(r.id, func.pg_try_advisory_xact_lock(_CLASS, r.id), _silent).where(
        r.dead_at.is_(None), r.id != _ME
    ),
)
SUSPECTS = Statement(
    "look again",
    select(r.id, func.pg_try_advisory_xact_lock(_CLASS, r.id), _silent).where(
        r.dead_at.is_(None), r.id == func.any(_THEM)
    ),
)
DECLARE = Statement(
    "declare dead",
    update(replicas)
    .values({r.dead_at: Now()})
    .where(r.id == func.any(_THEM), r.dead_at.is_(None))
    .returning(r.id),
)
FREE = Statement(
    "free the deliveries of the dead",
    update(deliveries)
    .values({d.claimed_by: null(), d.due_at: Now(), d.fence: d.fence + 1})
    .where(d.claimed_by == func.any(_THEM), d.status == 0)
    .returning(d.webhook_id),
)
DISOWN = Statement(
    "let go of all watches",
    update(watches).values({w.owner: null(), w.dirty: False}).where(w.owner == _ME),
)
FORGET = Statement(
    "forget the dead",
    delete(replicas).where(r.dead_at.is_not(None), ~exists().where(w.owner == r.id)),
)
HINT = Statement("hint", select(func.pg_notify(CHANNEL, "")))
PASS_ON = Statement("pass on", select(func.pg_notify(LOOKS, given("text", Text()))))


def use(revision: int) -> Transaction[bool]:
    """Say, as long as the session lasts, that code of a schema works here.

    Return whether that is well: no, while a contract ends the schema.
    """
    ((well,),) = yield Query(USE, {"revision": revision})
    return bool(well)


def enter(*, name: str, version: str) -> Transaction[int]:
    """Enter a new replica and take its lock; return its id."""
    ((me,),) = yield Query(ENTER, {"name": name, "version": version})
    yield Query(TAKE, {"me": me})
    return int(me)


def retake(me: int) -> Transaction[bool | None]:
    """Take the lock of a replica again; return whether it lives.

    None: its former session still has the lock, ask again soon.
    """
    ((taken,),) = yield Query(TAKE, {"me": me})
    if not taken:
        return None
    return (yield from beat(me))


def beat(me: int) -> Transaction[bool]:
    """Show that a replica is alive; return whether it still counts as that."""
    return bool((yield Query(BEAT, {"me": me})))


def look(me: int, *, silent: int) -> Transaction[list[Sighting]]:
    """Look at the other replicas; beats are overdue after `silent` microseconds."""
    rows = yield Query(LOOK, {"me": me, "silent": silent})
    return [Sighting(id=id_, gone=gone, silent=late) for id_, gone, late in rows]


def bury(
    ids: Sequence[int], *, silent: int, hinting: bool
) -> Transaction[tuple[list[int], set[int]]]:
    """Declare those dead that still look it, and free their deliveries.

    Return who is dead now, and the webhooks with deliveries that came free. The lock of a lost
    session is held until the commit: whoever comes back finds itself dead.
    """
    rows = yield Query(SUSPECTS, {"ids": list(ids), "silent": silent})
    dead = [id_ for id_, gone, late in rows if gone or late]
    if not dead:
        return [], set()
    rows = yield Query(DECLARE, {"ids": dead})
    dead = [id_ for (id_,) in rows]
    freed = yield Query(FREE, {"ids": dead})
    if hinting:
        yield Query(HINT)
    return dead, {hook for (hook,) in freed}


def depart(me: int, *, hinting: bool) -> Transaction[None]:
    """End a replica in order: nothing stays its own."""
    yield Query(DISOWN, {"me": me})
    yield Query(FREE, {"ids": [me]})
    yield Query(DECLARE, {"ids": [me]})
    if hinting:
        yield Query(HINT)


def forget() -> Transaction[None]:
    """Delete the dead whom no watch names any more."""
    yield Query(FORGET)


def pass_on(generations: Sequence[Generation]) -> Transaction[None]:
    """Tell every replica of generations that may have changed."""
    for text in notes(generations):
        yield Query(PASS_ON, {"text": text})


def notes(generations: Sequence[Generation]) -> Iterator[str]:
    """Yield the generations as texts that a notification can hold."""
    some: list[str] = []
    for one in generations:
        text = encode(one).decode("ascii")
        if some and sum(map(len, some)) + len(some) + len(text) > NOTE:
            yield f"[{','.join(some)}]"
            some = []
        some.append(text)
    if some:
        yield f"[{','.join(some)}]"


def noted(text: str) -> Sequence[Generation]:
    """Return the generations of a text, none where it is of another kind."""
    try:
        return _NOTE.decode(text)
    except msgspec.DecodeError:
        return ()


_NOTE = msgspec.json.Decoder(list[Generation])


def hint() -> Transaction[None]:
    """Tell the others to look now."""
    yield Query(HINT)
