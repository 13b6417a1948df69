"""The log of attempts by days: made ahead, dropped whole when they are old (PostgreSQL only)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import TextClause, column, exists, func, select, table, text

from bridge.store.sql import Now, Query, Statement, Transaction, given
from bridge.store.tables import BIG
from bridge.store.texts import micros

DAY = 86_400_000_000
"""Microseconds."""

AHEAD = 3
"""Days that are made ahead of today (STORE, section 9)."""

WAITING = "1s"
"""How long a change of partitions waits for its locks: whoever writes waits behind it."""

PARTITIONS = Statement(
    "read the partitions of attempts",
    text(
        "SELECT relname::text, pg_get_expr(relpartbound, pg_class.oid)"
        " FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid"
        " WHERE inhparent = to_regclass('attempts') ORDER BY relname"
    ),
)
NOW = Statement("read the clock", select(Now()))
_default = table("attempts_default", column("at", BIG))
STRAY = Statement(
    "find attempts of a time that has no day",
    select(
        exists(select(_default)).where(
            _default.c.at >= given("begin"), _default.c.at < given("end")
        )
    ),
)
PATIENT = Statement(
    "wait shortly", text(f"SELECT set_config('lock_timeout', '{WAITING}', true)")
)
# Before anything is read: whoever has read waits for no other reader then.
TURN = Statement(
    "wait for one's turn with the days",
    select(func.pg_advisory_xact_lock(func.hashtext("genbridge days"))),
)
# In the order in which settlements take them, so that neither waits for the other for ever.
LOCK = Statement(
    "lock the log of attempts",
    text("LOCK TABLE deliveries, attempts IN ACCESS EXCLUSIVE MODE"),
)

_BOUNDS = re.compile(r"FROM \('?(\d+|MINVALUE)'?\) TO \('?(\d+)'?\)")


@dataclass(frozen=True, slots=True)
class Partition:
    """Attempts from `begin` to before `end`, in microseconds since 1970."""

    name: str
    begin: int
    end: int


def day(number: int) -> Partition:
    """Return the partition of a day, counted from 1970."""
    date = datetime.fromtimestamp(number * 86_400, UTC)
    return Partition(f"attempts_{date:%Y%m%d}", number * DAY, (number + 1) * DAY)


def making(one: Partition) -> str:
    """Return the statement that makes a partition."""
    return (
        f"CREATE TABLE {one.name} PARTITION OF attempts"
        f" FOR VALUES FROM ({one.begin}) TO ({one.end})"
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made, and the names of what is to be dropped."""

    made: Sequence[Partition]
    old: Sequence[str]


def tend(age: timedelta | None = None) -> Transaction[int]:
    """Make the days ahead and, given an age, drop those that are older; return how many went.

    A day goes when all of it is old, so an attempt may stay for a day longer than `age`.
    """
    yield Query(PATIENT)
    yield Query(TURN)
    plan = yield from _planned(age)
    if plan.made or plan.old:
        yield Query(LOCK)
    for one in plan.made:
        yield Query(Statement("make a day", TextClause(making(one))))
    for name in plan.old:
        yield Query(Statement("drop old days", TextClause(f"DROP TABLE {name}")))
    return len(plan.old)


def _planned(age: timedelta | None) -> Transaction[Plan]:
    ((now,),) = yield Query(NOW)
    there = yield from _partitions()
    old = [] if age is None else [one.name for one in there if one.end <= now - micros(age)]
    today = now // DAY
    lacking = [
        one for one in map(day, range(today, today + AHEAD + 1)) if not _covered(one, there)
    ]
    astray = yield from _astray(lacking)
    return Plan([one for one in lacking if one not in astray], old)


def _partitions() -> Transaction[list[Partition]]:
    rows = yield Query(PARTITIONS)
    bounds = ((name, _BOUNDS.search(text)) for name, text in rows)
    return [
        Partition(name, 0 if found[1] == "MINVALUE" else int(found[1]), int(found[2]))
        for name, found in bounds
        if found
    ]


def _covered(wanted: Partition, there: Iterable[Partition]) -> bool:
    return any(one.begin < wanted.end and wanted.begin < one.end for one in there)


def _astray(lacking: Iterable[Partition]) -> Transaction[list[Partition]]:
    """Return the days whose attempts came before there was a day for them: there they stay."""
    astray = []
    for one in lacking:
        ((some,),) = yield Query(STRAY, {"begin": one.begin, "end": one.end})
        astray += [one] if some else []
    return astray
