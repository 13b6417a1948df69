"""Searching: the id at which a moment lies, for ids are given out in the order of time.

Nearly: transactions that run side by side commit in any order, so a search has some slack.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, case, func, select

from bridge.store.sql import Query, Statement, Transaction, given
from bridge.store.tables import deliveries, events

SLACK = 60_000_000
"""Microseconds that an id may be older or younger than its neighbours."""

BEYOND = 2**62
"""Above every id and every moment."""


class Line:
    """The rows of a table as they lie in time."""

    def __init__(self, table: Table, at: Column[Any]) -> None:
        id_ = table.c.id
        self.ends = Statement(f"find the ends of {table.name}", select(*_ends(id_)))
        self.place = Statement(f"find a moment among {table.name}", _halved(id_, at))


def _ends(id_: Column[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the lowest and the highest id, each by itself: both at once SQLite walks for."""
    return (
        select(func.min(id_)).scalar_subquery(),
        select(func.max(id_)).scalar_subquery(),
    )


def _halved(id_: Column[Any], at: Column[Any]) -> Select[Any]:
    """Return a search by halves, all of it in the database: a probe a step."""
    lowest, highest = _ends(id_)
    ends = select(lowest.label("low"), (highest + 1).label("high"))
    half = ends.cte("half", recursive=True)
    low, high = half.c.low, half.c.high
    middle = (low + high) // 2
    there = select(at).where(id_ >= middle).order_by(id_).limit(1).scalar_subquery()
    earlier = there < given("at")
    half = half.union_all(
        select(
            case((earlier, middle + 1), else_=low), case((earlier, high), else_=middle)
        ).where(low < high)
    )
    return select(func.max(half.c.low)).where(half.c.low >= half.c.high)


DELIVERIES = Line(deliveries, deliveries.c.first_at)
EVENTS = Line(events, events.c.occurred_at)


def moment(at: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    since = at - datetime.fromtimestamp(0, at.tzinfo)
    return since // timedelta(microseconds=1)


def place(line: Line, at: int) -> Transaction[int]:
    """Return an id: rows below it are of before that moment, all but the last minute of them."""
    ((found,),) = yield Query(line.place, {"at": at})
    return found or 0


def bounds(
    line: Line, since: datetime | None, until: datetime | None
) -> Transaction[tuple[int, int]]:
    """Return two ids: what lies between the moments lies between them, the second left out."""
    low, high = 0, BEYOND
    if since is not None:
        low = yield from place(line, moment(since) - SLACK)
    if until is not None:
        high = yield from place(line, moment(until) + SLACK)
    return low, high


def between(at: int, since: datetime | None, until: datetime | None) -> bool:
    """Return whether a moment lies between two others."""
    return (since is None or moment(since) <= at) and (until is None or at <= moment(until))
