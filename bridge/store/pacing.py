"""Pacing: the learned tables of sources, kept by each replica and taken up from the dead."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import Text, delete, exists, select, true, update
from sqlalchemy.dialects.postgresql import insert

from bridge.core.pacing.grid import LAYOUT
from bridge.core.pacing.heirloom import Heirloom, key_of, summed
from bridge.core.pacing.saved import SavedTable
from bridge.store.sql import Now, Query, Row, Statement, Transaction, batch, given, picked
from bridge.store.tables import NUMBER, TEXT, pace, replicas
from bridge.store.texts import plain

SIZE = 100
"""Tables of one statement: a table has some 2 KB."""

p, r = pace.c, replicas.c

_SEEN = (p.model, p.state, p.layout, p.n, p.x, p.weight, p.strain)

n = batch(model=TEXT, state=TEXT, layout=TEXT, n=TEXT, x=TEXT, weight=NUMBER, strain=NUMBER)
_PACE = {
    p.source: given("source", Text()),
    p.model: n.c.model,
    p.state: n.c.state,
    p.replica: given("me"),
    p.layout: n.c.layout,
    p.n: n.c.n,
    p.x: n.c.x,
    p.weight: n.c.weight,
    p.strain: n.c.strain,
    p.saved_at: Now(),
}
_saved = insert(pace).from_select(list(_PACE), picked(_PACE).where(true()))
_LEARNT = ("layout", "n", "x", "weight", "strain", "saved_at")
SAVE = Statement(
    "save learned tables",
    _saved.on_conflict_do_update(
        index_elements=[p.source, p.model, p.state, p.replica],
        set_={name: _saved.excluded[name] for name in _LEARNT},
    ),
)

_source = p.source == given("source", Text())
_lives = exists().where(r.id == p.replica, r.dead_at.is_(None))
INHERIT = Statement(
    "take learned tables from the dead",
    delete(pace)
    .where(_source, p.layout == given("layout", Text()), p.replica != given("me"), ~_lives)
    .returning(*_SEEN),
)
RENAME = Statement(
    "take learned tables along under a new id",
    update(pace).values({p.replica: given("me")}).where(p.replica == given("former")),
)
READ = Statement("read learned tables", select(*_SEEN, p.replica).where(_source))


def save(source: str, tables: Sequence[SavedTable], *, me: int) -> Transaction[None]:
    """Set what this replica has learnt of some tables of a source."""
    rows = list(_rows(tables))
    for part in (rows[i : i + SIZE] for i in range(0, len(rows), SIZE)):
        yield Query(SAVE, {"source": source, "me": me}, part)


def inherit(source: str, *, me: int) -> Transaction[Heirloom]:
    """Return what is known of a source; what the dead have left is ours from now on.

    Of two replicas that come at the same time one gets it. What was counted in other bins stays
    where it is, for code that knows them, until retention takes it.
    """
    left = yield Query(INHERIT, {"source": source, "me": me, "layout": LAYOUT})
    rows = yield Query(READ, {"source": source})
    own = summed(_tables((*left, *(row[:-1] for row in rows if row[-1] == me))))
    if left:
        gained = {(row[0], row[1]) for row in left}
        yield from save(source, [one for one in own if key_of(one) in gained], me=me)
    others = _tables(row[:-1] for row in rows if row[-1] != me)
    return Heirloom(own=own, others=tuple(others))


def rename(former: int, me: int) -> Transaction[None]:
    """Keep as our own what we have saved under an id that was declared dead."""
    yield Query(RENAME, {"former": former, "me": me})


def _rows(tables: Iterable[SavedTable]) -> Iterable[Row]:
    """Return rows, each key once: names are cut, and then two may be one."""
    rows = {}
    for one in tables:
        model, state = plain(one.model) or "", plain(one.state) or ""
        rows[model, state] = (
            *(model, state, one.layout),
            *(_text(one.n), _text(one.x)),
            *(one.weight, one.strain),
        )
    return rows.values()


def _text(numbers: Sequence[float]) -> str:
    return msgspec.json.encode(numbers).decode("ascii")


def _tables(rows: Iterable[Row]) -> Iterator[SavedTable]:
    """Yield what can be read: what cannot is learnt anew."""
    for model, state, layout, changes, risk, weight, strain in rows:
        try:
            yield SavedTable(
                model=model,
                state=state,
                layout=layout,
                n=_NUMBERS.decode(changes),
                x=_NUMBERS.decode(risk),
                weight=weight,
                strain=strain,
            )
        except msgspec.DecodeError:
            continue


_NUMBERS = msgspec.json.Decoder(tuple[float, ...])
