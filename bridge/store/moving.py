"""The move of a whole database into another one, table by table.

It can be broken off anywhere: each table goes over in the order of its keys, so what is there
says where to go on. At the end every table is read again on both sides and compared; only then
does the new database say which schema it has, which is what lets a daemon start on it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Row,
    Select,
    Table,
    delete,
    exists,
    func,
    insert,
    inspect,
    literal,
    null,
    select,
    text,
    tuple_,
)

from bridge.core.settings import shared
from bridge.errors import StoreBroken, StoreRefused
from bridge.store import days, keeping
from bridge.store.connection import Use, alone, inscribed, shown, within
from bridge.store.tables import (
    COMPATIBLE_FROM,
    REVISION,
    attempts,
    deliveries,
    duties,
    meta,
    metadata,
    replicas,
    watches,
)

PAGE = 5000
"""Rows of one transaction."""

HEAVY = 200
"""Rows of one transaction of a table with bodies: each can have a quarter of a MiB."""

OWN = ("revision", "compatible_from", "alive", keeping.MOVING)
"""What `meta` says of one database only."""

Told = Callable[[str, int], None]
"""Is told of each table that is there, and how many rows it has."""


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows a table has, and the checksum over all of them."""

    rows: int
    digest: str


def move(old: str, new: str, told: Told) -> int:
    """Carry everything that the SQLite file `old` holds into `new`; return how many rows.

    Nobody may use either meanwhile; `old` stays as it is. `new` must be empty, or hold what an
    earlier run of the same move has brought. Raises StoreRefused, StoreBroken where the two
    differ in the end, StoreError.
    """
    _movable(old, new)

    def out(source: Connection) -> int:
        return within(new, Use.FILL, lambda target: _moved(source, target, new, told))

    def checked(source: Connection) -> int:
        keeping.supported(inscribed(source), old)
        return out(source)

    return within(old, Use.KEEP, checked)


def _movable(old: str, new: str) -> None:
    if shared(old):
        raise StoreRefused(
            f"{shown(old)}: only a SQLite file can be moved; a server's own tools move its "
            "databases"
        )
    if not shared(new) and Path(old).resolve() == Path(new).resolve():
        raise StoreRefused(f"{old} cannot be moved into itself")


def _moved(source: Connection, target: Connection, new: str, told: Told) -> int:
    alone(target, new)
    freed = target.dialect.name == "postgresql"
    sums = {table: _sum(source, carried(table, freed=freed)) for table in _tables()}
    _begin(target, new, _fingerprint(sums))
    for table, expected in sums.items():
        _carry(source, target, table, carried(table, freed=freed))
        there = _sum(target, carried(table))
        if there != expected:
            raise StoreBroken(
                f"{shown(new)}: {table.name} has {there.rows:,} rows where {expected.rows:,} "
                "other ones were expected: empty it and begin anew"
            )
        told(table.name, there.rows)
    _finish(target)
    return sum(one.rows for one in sums.values())


def _tables() -> Sequence[Table]:
    return metadata.sorted_tables


# ---------------------------------------------------------------- what is carried


@dataclass(frozen=True, slots=True)
class Carried:
    """The rows of a table as they go over, all of its columns, and their key."""

    query: Select[Any]
    key: tuple[Column[Any], ...]

    def pages(
        self, connection: Connection, after: Sequence[Any] | None
    ) -> Iterator[Sequence[Row[Any]]]:
        """Yield the rows behind a key, in its order, page by page."""
        columns = [self.query.selected_columns[c.name] for c in self.key]
        places = [list(self.query.selected_columns).index(one) for one in columns]
        size = HEAVY if "body" in self.query.selected_columns else PAGE
        while True:
            query = self.query.order_by(*self.key).limit(size)
            if after is not None:
                values = (
                    literal(one, c.type) for c, one in zip(self.key, after, strict=True)
                )
                query = query.where(tuple_(*self.key) > tuple_(*values))
            page = connection.execute(query).all()
            connection.commit()
            if not page:
                return
            yield page
            after = [page[-1][place] for place in places]


def carried(table: Table, *, freed: bool = False) -> Carried:
    """Return what goes over of a table.

    `freed`: nobody owns or has claimed anything, for the one process of a file is no replica of
    a server; it is carried as one that is dead.
    """
    replaced: dict[Column[Any], Any] = {}
    if freed:
        replaced = {
            watches.c.owner: null(),
            deliveries.c.claimed_by: null(),
            duties.c.owner: null(),
            replicas.c.dead_at: func.coalesce(replicas.c.dead_at, replicas.c.seen_at),
        }
    query = select(*(replaced.get(c, c).label(c.name) for c in table.c))
    if table is meta:
        query = query.where(meta.c.key.not_in(OWN))
    return Carried(query, tuple(table.primary_key))


def _sum(connection: Connection, what: Carried) -> Sum:
    """Add up rows; a boolean counts as the number that SQLite has for it."""
    rows, digest = 0, sha256()
    flags = _flags(what) if connection.dialect.name == "postgresql" else []
    for page in what.pages(connection, None):
        rows += len(page)
        for row in page:
            digest.update(repr(_with(row, flags, int) if flags else tuple(row)).encode())
    return Sum(rows, digest.hexdigest())


def _flags(what: Carried) -> list[int]:
    """Return the places of the columns that are booleans on a server."""
    types = [column.type for column in what.query.selected_columns]
    return [place for place, type_ in enumerate(types) if isinstance(type_, Boolean)]


def _with(row: Sequence[Any], places: list[int], kind: type) -> tuple[Any, ...]:
    values = list(row)
    for place in places:
        values[place] = None if values[place] is None else kind(values[place])
    return tuple(values)


def _fingerprint(sums: dict[Table, Sum]) -> str:
    return sha256("".join(one.digest for one in sums.values()).encode()).hexdigest()


# ---------------------------------------------------------------- how it goes over


def _begin(target: Connection, new: str, fingerprint: str) -> None:
    """Make the schema, or go on where an earlier run of this move has stopped."""
    said = inscribed(target)
    if not said:
        metadata.create_all(target, checkfirst=False)
        _say(target, fingerprint)
    elif keeping.MOVING not in said:
        keeping.supported(said, shown(new))
        _refuse_used(target, new)
        target.execute(delete(meta))
        _say(target, fingerprint)
    elif said[keeping.MOVING] != fingerprint:
        raise StoreRefused(
            f"{shown(new)} holds a part of another database, or the old one has changed since: "
            "empty it and begin anew"
        )


def _say(target: Connection, fingerprint: str) -> None:
    target.execute(insert(meta).values(key=keeping.MOVING, value=fingerprint))
    target.commit()


def _refuse_used(target: Connection, new: str) -> None:
    for table in _tables():
        if table is not meta and target.scalar(select(exists(select(table)))):
            raise StoreRefused(
                f"{shown(new)} is in use ({table.name} has rows): name an empty database"
            )


def _carry(source: Connection, target: Connection, table: Table, what: Carried) -> None:
    """Bring over what is not there yet, each page in a transaction."""
    last = select(*what.key).order_by(*(c.desc() for c in what.key)).limit(1)
    if table is meta:
        last = last.where(meta.c.key.not_in(OWN))
    there = target.execute(last).first()
    target.commit()
    server = target.dialect.name == "postgresql"
    if server and table is attempts:
        _make_days(source, target)
    for page in what.pages(source, there):
        if server:
            _copy(target, table, [_with(row, _flags(what), bool) for row in page])
        else:
            target.execute(insert(table), [row._asdict() for row in page])
            target.commit()


def _copy(target: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Bring rows over by COPY, in a transaction of its own."""
    columns = [column.name for column in table.c]

    async def copied(driver: Any) -> None:  # noqa: ANN401  (asyncpg ships no types)
        await driver.copy_records_to_table(table.name, records=rows, columns=columns)

    target.connection.dbapi_connection.run_async(copied)  # type: ignore[union-attr]  # an adapter


def _make_days(source: Connection, target: Connection) -> None:
    """Make a day for all attempts that are to come, unless an earlier run has done so."""
    number = attempts.c.at // days.DAY
    wanted = [days.day(one) for one in source.scalars(select(number).distinct())]
    source.commit()
    there = set(inspect(target).get_table_names())
    for one in wanted:
        if one.name not in there:
            target.execute(text(days.making(one)))
    target.commit()


def _finish(target: Connection) -> None:
    """Say that all is there, in one transaction."""
    if target.dialect.name == "postgresql":
        for table in _tables():
            _go_on_counting(target, table)
    target.execute(delete(meta).where(meta.c.key == keeping.MOVING))
    own = {"revision": REVISION, "compatible_from": COMPATIBLE_FROM}
    target.execute(
        insert(meta), [{"key": key, "value": str(value)} for key, value in own.items()]
    )
    target.commit()


def _go_on_counting(target: Connection, table: Table) -> None:
    """Let the server give out ids beyond those that were brought."""
    for column in table.primary_key:
        if column.identity is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            highest = select(func.max(column)).scalar_subquery()
            target.execute(
                select(func.setval(sequence, highest)).where(highest.is_not(None))
            )
