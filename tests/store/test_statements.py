"""The statements: how SQLite would run them, and that PostgreSQL can be told the same."""

import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from bridge.store import (
    adopting,
    alerting,
    budgeting,
    discovering,
    keeping,
    listing,
    pacing,
    receipts,
    recording,
    replaying,
    retention,
    searching,
    sending,
    settling,
    telling,
    watching,
    webhooks,
)
from bridge.store.prepared import Prepared
from bridge.store.sql import MARK, Query, Statement, compiled, rounds
from bridge.store.tables import metadata
from tests.store.world import SqliteWorld

MODULES = [
    adopting,
    alerting,
    budgeting,
    discovering,
    keeping,
    listing,
    pacing,
    receipts,
    recording,
    replaying,
    retention,
    sending,
    settling,
    telling,
    watching,
    webhooks,
]
GROWING = {"watches", "events", "deliveries", "attempts", "bodies", "receipts"}
"""Tables that no statement may walk through."""

COUNTED = {("count", "events")}
"""Walked all the same, by an index that holds the answer: once a minute, for a figure."""


def all_statements() -> Iterator[Statement]:
    for module in MODULES:
        yield from statements(module)
    for line in (searching.DELIVERIES, searching.EVENTS):
        yield from (line.ends, line.place)


def statements(module: ModuleType) -> list[Statement]:
    return [value for value in vars(module).values() if isinstance(value, Statement)]


ELSEWHERE = {adopting.REPLICAS, retention.PRUNE_STRAY, sending.DUE_AT_ALL}
"""What only PostgreSQL is asked."""

STATEMENTS = list({statement.name: statement for statement in all_statements()}.values())
names = pytest.mark.parametrize(
    "statement", STATEMENTS, ids=lambda statement: statement.name
)


@pytest.mark.anyio
@names
async def test_no_statement_walks_through_a_table_that_grows(
    sqlite: SqliteWorld, statement: Statement
) -> None:
    if statement in ELSEWHERE:
        return
    plan = sqlite.store._file.plan(statement)  # noqa: SLF001  (the plan of the real schema)
    walked = {found[1] for line in plan if (found := re.match(r"SCAN (\w+)", line))}
    assert {(statement.name, table) for table in walked & GROWING} <= COUNTED


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (settling.SETTLE, "deliveries USING INTEGER PRIMARY KEY (rowid=?)"),
        (recording.STEP, "watches USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            recording.HELD,
            "deliveries USING INDEX sqlite_autoindex_deliveries_1 (event_id=?)",
        ),
        (sending.MOVE, "deliveries USING INTEGER PRIMARY KEY (rowid=?)"),
        (sending.DUE, "deliveries_due (webhook_id=? AND manual=? AND due_at<?)"),
        (settling.RELEASE, "deliveries_order (watch_id=? AND webhook_id=? AND seq>?)"),
        (recording.SUPERSEDE, "deliveries_order (watch_id=? AND webhook_id=? AND seq<?)"),
        (recording.ADDRESS, "deliveries_order (watch_id=? AND webhook_id=? AND seq<?)"),
        (sending.NEXT, "deliveries_due (webhook_id=? AND manual=?)"),
        (watching.RUNNING, "watches_running (active=? AND rowid>?)"),
        (keeping.FREE, "deliveries_claimed (claimed_by>?)"),
        (retention.PRUNE_WATCHES, "watches_ended (ended_at<?)"),
    ],
    ids=lambda case: case.name if isinstance(case, Statement) else "",
)
async def test_a_statement_of_the_hot_path_takes_the_index_made_for_it(
    sqlite: SqliteWorld, statement: Statement, index: str
) -> None:
    assert any(index in line for line in sqlite.store._file.plan(statement))  # noqa: SLF001


@names
def test_every_statement_has_a_form_for_postgresql(statement: Statement) -> None:
    dialect = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    text = compiled(statement, dialect)
    assert MARK not in text.sql
    assert "now" not in text.names
    assert len(text.names) == len(set(re.findall(r"\$\d+", text.sql)))


def test_every_table_has_a_form_for_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    for table in metadata.sorted_tables:
        assert "STRICT" not in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))


@given(st.integers(1, 600))
def test_a_text_takes_its_rows_and_is_one_of_few(rows: int) -> None:
    prepared = Prepared(settling.RELEASE)
    query = Query(settling.RELEASE, {}, [(i, i, i) for i in range(rows)])
    text = prepared.text(rows)
    values = prepared.values(query, now=5)
    assert text.count("?") == len(values)
    assert [value for value in values if value is not None].count(5) == 2 + 3 * (rows > 5)
    assert rows <= text.count("(?,?,?)") <= max(1.25 * rows, rows + 1)


def test_there_are_few_texts_for_many_numbers_of_rows() -> None:
    prepared = Prepared(settling.RELEASE)
    assert len({prepared.text(rows) for rows in range(1, settling.SIZE + 1)}) == 32


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 7))
def test_rounds_keep_the_order_and_never_hold_a_key_twice(
    items: list[int], size: int
) -> None:
    parts = list(rounds(items, lambda item: item, size))
    assert [item for part in parts for _, item in part] == items
    assert [place for part in parts for place, _ in part] == list(range(len(items)))
    assert all(len({item for _, item in part}) == len(part) <= size for part in parts)
