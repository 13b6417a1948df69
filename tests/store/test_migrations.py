"""Old schemas become the one of this code, and it is the one that an empty database gets."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from time import sleep
from typing import Any

import anyio
import pytest

from bridge.core.delivering.health import HEALTHY
from bridge.core.ladder import State
from bridge.errors import StoreBroken, StoreError, StoreRefused, StoreUnavailable
from bridge.store import ddl, tables
from bridge.store.connection import Use, alone, within
from bridge.store.migrations import OURS, PAUSE, Step, climb, steps
from bridge.store.place import held
from bridge.store.upgrade import Upgraded, upgrade
from tests.fakes.postgres import Server, programs
from tests.store.postgres_world import PostgresWorld
from tests.store.world import SqliteWorld, announced, claimed, settled, watching

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)

# Not the text of a table: a column that was added later stands in it in another way.
SQLITE_SHAPE = """
SELECT m.name, strict, wr, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
  FROM sqlite_schema m, pragma_table_list(m.name), pragma_table_xinfo(m.name) c
UNION ALL SELECT m.name, f."table", f."from", f."to", on_delete, 0, 0, 0, 0
  FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
UNION ALL SELECT tbl_name, name, sql, 0, 0, 0, 0, 0, 0 FROM sqlite_schema WHERE type = 'index'
"""
POSTGRES_SHAPE = """
SELECT attrelid::regclass::text, format('%s %s %s %s %s', attname,
       format_type(atttypid, atttypmod), attnotnull, attidentity, attcollation::regcollation)
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
 WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND relkind IN ('r', 'p')
UNION ALL SELECT tablename::text, indexdef::text FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT conrelid::regclass::text, conname::text || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT oid::regclass::text, format('%s %s %s', reloptions, pg_get_partkeydef(oid),
       pg_get_expr(relpartbound, oid))
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "genbridge.db"
    path.touch(0o600)
    return path


@pytest.fixture
def empty(server: Server) -> str:
    return server.database()


def test_the_code_holds_the_number_of_the_last_script() -> None:
    last = steps()[-1]
    assert (last.revision, last.compatible_from) == (
        tables.REVISION,
        tables.COMPATIBLE_FROM,
    )
    assert [step.revision for step in steps()] == list(range(1, tables.REVISION + 1))


def test_scripts_make_on_sqlite_what_an_empty_file_gets(path: Path) -> None:
    assert upgrade(str(path), NOW) == Upgraded(before=0, after=tables.REVISION)
    fresh = sqlite3.connect(":memory:")
    for statement in ddl.statements("sqlite"):
        fresh.execute(statement)
    expected = set(fresh.execute(SQLITE_SHAPE))
    fresh.close()
    assert set(rows(path, SQLITE_SHAPE)) == expected
    assert len(expected) > 110


def test_scripts_make_on_postgresql_what_an_empty_database_gets(
    server: Server, empty: str
) -> None:
    made = server.database()
    server.sql(";".join(ddl.statements("postgresql+asyncpg")), made)
    assert upgrade(empty, NOW) == Upgraded(before=0, after=tables.REVISION)
    expected = sorted(server.sql(POSTGRES_SHAPE, made))
    assert sorted(server.sql(POSTGRES_SHAPE, empty)) == expected
    assert len(expected) > 100


def test_a_store_opens_what_the_scripts_have_made(path: Path) -> None:
    upgrade(str(path), NOW)
    anyio.run(filled, path)
    assert rows(path, "SELECT count(*) FROM events") == [(1,)]


async def filled(path: Path) -> None:
    world = SqliteWorld(path)
    await world.open()
    await announced(world.store, await watching(world.store), State.QUEUED)
    await world.close()


def test_a_running_daemon_needs_no_alembic(path: Path) -> None:
    code = f"""
        import sys, uuid, anyio, bridge.app
        from pathlib import Path
        from bridge.store.sqlite import SqliteStore
        from bridge.telemetry.clock import SystemClock
        async def start():
            store = await SqliteStore.open(
                Path({str(path)!r}), clock=SystemClock(), uid=uuid.uuid4)
            await store.close()
        anyio.run(start)
        print("alembic" in sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
    assert rows(path, "SELECT value FROM meta WHERE key = 'revision'") == [
        (str(tables.REVISION),)
    ]


# ---------------------------------------------------------------- from the first schema

FIRST = """
INSERT INTO webhooks (id, key, url, state) VALUES (1, 'name:one', NULL, 0),
    (2, 'callback:x', 'https://a.example/', 1);
INSERT INTO watches (id, uid, source, generation_id, origin, until_rank, webhooks, deadline_at,
    rank, seq, active, due_at, fence, dirty, created_at)
    VALUES (1, '00000000-0000-0000-0000-000000000001', 'luma', 'g1', 1, 2, '[1]', 1,
    0, 0, {true}, 1, 0, {false}, 1);
INSERT INTO events (id, uid, watch_id, tag, seq, body, occurred_at)
    VALUES (1, '00000000-0000-0000-0000-000000000002', 1, 'queued', 0, '{{}}', 1);
INSERT INTO deliveries (id, event_id, watch_id, webhook_id, seq, status, manual, attempt, tries,
    due_at, first_at, fence) VALUES (1, 1, 1, 1, 0, 2, {false}, 2, 2, 1, 1, 0);
INSERT INTO events (id, uid, watch_id, tag, seq, body, occurred_at)
    VALUES (2, '00000000-0000-0000-0000-000000000003', 1, 'dreaming', 1, '{{"n":2}}', 1);
INSERT INTO deliveries (id, event_id, watch_id, webhook_id, seq, status, manual, attempt, tries,
    due_at, first_at, fence, last_code) VALUES (2, 2, 1, 1, 1, 0, {false}, 3, 3, 1, 1, 7, 503);
INSERT INTO attempts (delivery_id, attempt, at, replica, code, timings, why)
    VALUES (1, 1, 1, 1, 500, '{{}}', 'old');
INSERT INTO replays (id, filter, cursor, done, state) VALUES (1, '{{}}', 0, 0, 'over')
"""

ANOTHER = """
INSERT INTO attempts (delivery_id, attempt, at, replica, code, timings, why)
    SELECT 1, 2, {now}, 1, 204, '{{}}', 'now' ON CONFLICT DO NOTHING
"""


def first(database: str) -> None:
    upgrade(database, NOW, ladder=steps()[:1])


def test_a_file_of_the_first_schema_is_carried_over(path: Path) -> None:
    first(str(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST.format(true=1, false=0))
    done = upgrade(str(path), NOW)
    assert (done.before, done.after) == (1, tables.REVISION)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(ANOTHER.format(now=5))
        connection.commit()
    anyio.run(carried, SqliteWorld(path))


def test_a_server_of_the_first_schema_is_carried_over_while_others_write(
    server: Server, database: str
) -> None:
    first(database)
    server.sql(FIRST.format(true="true", false="false"), database)
    upgrade(database, NOW)
    now = "(extract(epoch FROM pg_catalog.statement_timestamp()) * 1000000)::bigint"
    server.sql(ANOTHER.format(now=now), database)
    lie = "SELECT tableoid::regclass FROM attempts ORDER BY at"
    assert server.sql(lie, database) == [["attempts_before"], ["attempts_before"]]
    world = PostgresWorld(database)
    world.clock.wall = datetime.now(UTC)
    anyio.run(carried, world)
    anyio.run(aged, world)
    names = server.sql("SELECT inhrelid::regclass FROM pg_inherits", database)
    assert ["attempts_default"] in names
    assert ["attempts_before"] not in names


DYING = """
    import os, signal, sys
    from datetime import UTC, datetime
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from bridge.store.upgrade import upgrade

    @event.listens_for(Engine, "before_cursor_execute")
    def begun(connection, cursor, statement, *_):
        if sys.argv[2] in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    upgrade(sys.argv[1], datetime.now(UTC))
"""


def killed(database: str, at: str) -> None:
    """Begin an upgrade in a process that is killed when it comes to a statement."""
    command = [sys.executable, "-c", dedent(DYING), database, at]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("at", "left"),
    [
        *(("deliveries_failed", "1"), ("COLUMN particulars", "1"), ("COLUMN told", "1")),
        ("DROP TABLE events", "2"),
    ],
)
def test_an_upgrade_of_a_file_that_is_killed_loses_nothing(
    path: Path, at: str, left: str
) -> None:
    first(str(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST.format(true=1, false=0))
    killed(str(path), at)
    assert rows(path, "SELECT value FROM meta WHERE key = 'revision'") == [(left,)]
    upgrade(str(path), NOW)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(ANOTHER.format(now=5))
        connection.commit()
    anyio.run(carried, SqliteWorld(path))


@pytest.mark.parametrize(
    "at",
    [
        *("deliveries_failed", "ATTACH PARTITION", "COLUMN told"),
        *("INDEX CONCURRENTLY events_uid", "CONSTRAINT events_uid_key"),
    ],
)
def test_an_upgrade_of_a_server_that_is_killed_loses_nothing(
    server: Server, database: str, at: str
) -> None:
    first(database)
    server.sql(FIRST.format(true="true", false="false"), database)
    killed(database, at)
    # What the dead one has begun ends once the server sees that it is gone.
    others = "SELECT pid FROM pg_stat_activity WHERE application_name = 'genbridge db'"
    while server.sql(others):
        sleep(0.01)
    upgrade(database, NOW)
    server.sql(ANOTHER.format(now=5), database)
    world = PostgresWorld(database)
    world.clock.wall = datetime.now(UTC)
    anyio.run(carried, world)


async def carried(world: SqliteWorld | PostgresWorld) -> None:
    """See that what an older code has written is there, and worked with."""
    await world.open()
    told = await world.store.history(1)
    assert told is not None
    assert [(one.why, one.particulars) for one in told.attempts] == [
        ("old", None),
        ("now", None),
    ]
    states = await world.store.list_webhooks(limit=5)
    assert [one.state.health for one in states] == [HEALTHY, HEALTHY]
    (waiting,) = await claimed(world.store)
    assert (waiting.id, waiting.attempt, waiting.tries, waiting.fence) == (2, 4, 3, 8)
    assert waiting.message.body == b'{"n":2}'
    assert await world.store.retry(1) == 1
    (delivery,) = await claimed(world.store)
    await world.store.write([], [settled(delivery), settled(waiting)])
    assert [one.code for one in await world.attempts()] == [500, 204, 204, 204]
    await world.close()


async def aged(world: PostgresWorld) -> None:
    await world.open()
    day = timedelta(days=1)
    world.clock.pass_(40 * day)
    await world.store.prune(attempts=30 * day, bodies=day, deliveries=900 * day)
    assert await world.attempts() == []
    await world.close()


# ---------------------------------------------------------------- later scripts

HEAD, NEXT = tables.REVISION, tables.REVISION + 1
"""In the text of a planted script these words stand for the numbers."""

WIDER = """
    from alembic import op
    from sqlalchemy import Column, Text
    revision, down_revision, compatible_from = "NEXT", "HEAD", 1
    def upgrade():
        with op.batch_alter_table("watches") as watches:
            watches.add_column(Column("note", Text))
            watches.alter_column("source", new_column_name="origin_of")
"""


@pytest.fixture
def planted(tmp_path: Path) -> Callable[[str], list[Step]]:
    """Return a way to plant one more script: everything that it needs is in its text."""

    def plant(text: str) -> list[Step]:
        folder = tmp_path / "versions"
        folder.mkdir()
        numbered = text.replace("NEXT", str(NEXT)).replace("HEAD", str(HEAD))
        (folder / f"r{NEXT:04}_planted.py").write_text(dedent(numbered))
        return list(steps(folders=[OURS, folder]))

    return plant


def test_a_table_is_rebuilt_without_losing_what_refers_to_it(
    path: Path, planted: Callable[[str], list[Step]]
) -> None:
    anyio.run(filled, path)
    done = upgrade(str(path), NOW, ladder=planted(WIDER))
    assert (done.before, done.after) == (HEAD, NEXT)
    assert rows(path, "SELECT origin_of, note FROM watches") == [("luma", None)]
    assert rows(path, "SELECT count(*) FROM events JOIN watches w ON w.id = watch_id") == [
        (1,)
    ]
    assert "STRICT" in str(
        rows(path, "SELECT sql FROM sqlite_schema WHERE name = 'watches'")
    )
    indexes = rows(path, "SELECT name FROM sqlite_schema WHERE name GLOB 'watches_*'")
    assert {name for (name,) in indexes} == {"watches_ended", "watches_running"}
    assert dict(rows(path, "SELECT key, value FROM meta WHERE key GLOB '*[dr][eo]*'")) == {
        "revision": str(NEXT),
        "compatible_from": "1",
    }


def test_before_an_upgrade_there_is_a_backup(
    path: Path, planted: Callable[[str], list[Step]]
) -> None:
    anyio.run(filled, path)
    copy = upgrade(str(path), NOW, ladder=planted(WIDER)).backup
    assert copy == path.with_name(f"genbridge.db.schema-{HEAD}-20261121T083000Z")
    assert rows(copy, "SELECT source FROM watches") == [("luma",)]


def test_an_upgrade_that_breaks_leaves_everything_as_it_was(
    path: Path, planted: Callable[[str], list[Step]]
) -> None:
    anyio.run(filled, path)
    broken = planted(WIDER + "        op.execute('SELECT nonsense')\n")
    with pytest.raises(StoreError, match="nonsense"):
        upgrade(str(path), NOW, ladder=broken)
    assert rows(path, "SELECT source FROM watches") == [("luma",)]
    assert upgrade(str(path), NOW) == Upgraded(before=HEAD, after=HEAD)


def test_an_upgrade_that_would_orphan_rows_is_not_committed(
    path: Path, planted: Callable[[str], list[Step]]
) -> None:
    anyio.run(filled, path)
    careless = WIDER + "        op.execute('DELETE FROM watches')\n"  # noqa: S608  (no query)
    with pytest.raises(StoreBroken, match="refer to nothing"):
        upgrade(str(path), NOW, ladder=planted(careless))
    assert rows(path, "SELECT source FROM watches") == [("luma",)]


def test_an_upgrade_of_what_is_up_to_date_does_nothing(path: Path) -> None:
    anyio.run(filled, path)
    before = sorted(path.parent.glob("genbridge.db.schema*"))
    assert upgrade(str(path), NOW) == Upgraded(before=HEAD, after=HEAD)
    assert sorted(path.parent.glob("genbridge.db.schema*")) == before == []


def test_this_code_refuses_the_schema_that_a_contract_has_made(
    path: Path, planted: Callable[[str], list[Step]]
) -> None:
    anyio.run(filled, path)
    upgrade(str(path), NOW, ladder=planted(WIDER.replace('"HEAD", 1', '"HEAD", NEXT')))
    with pytest.raises(StoreRefused, match="of a newer genbridge") as refused:
        anyio.run(SqliteWorld(path).open)
    # It names the copy that there is to go back to.
    assert f"{path}.schema-*" in str(refused.value)
    with pytest.raises(StoreRefused, match="of a newer genbridge"):
        upgrade(str(path), NOW)
    (copy,) = path.parent.glob(f"{path.name}.schema-*")
    path.write_bytes(copy.read_bytes())
    anyio.run(filled_again, path)


async def filled_again(path: Path) -> None:
    world = SqliteWorld(path)
    await world.open()
    assert len(await world.store.claim_watches(5)) == 1
    await world.close()


def test_this_code_works_with_the_schema_that_an_expand_has_made(
    path: Path, planted: Callable[[str], list[Step]]
) -> None:
    anyio.run(filled, path)
    rename = '            watches.alter_column("source", new_column_name="origin_of")\n'
    upgrade(str(path), NOW, ladder=planted(WIDER.replace(rename, "")))

    async def used() -> None:
        world = SqliteWorld(path)
        await world.open()
        await announced(world.store, await watching(world.store, "g2"), State.QUEUED)
        await world.close()

    anyio.run(used)
    assert rows(path, "SELECT count(*) FROM watches") == [(2,)]


def test_a_file_in_use_is_not_upgraded(path: Path) -> None:
    with held(path), pytest.raises(StoreRefused, match="held by process"):
        upgrade(str(path), NOW)


def test_a_file_that_is_not_there_is_not_made(path: Path) -> None:
    path.unlink()
    with pytest.raises(StoreRefused, match="there is no database"):
        upgrade(str(path), NOW)
    assert not path.exists()


def test_a_server_gets_an_index_while_others_work(
    server: Server, empty: str, planted: Callable[[str], list[Step]]
) -> None:
    upgrade(empty, NOW)
    done = upgrade(
        empty,
        NOW,
        ladder=planted("""
            from alembic import op
            revision, down_revision, compatible_from = "NEXT", "HEAD", 1
            def upgrade():
                with op.get_context().autocommit_block():
                    op.create_index(
                        "planted", "events", ["seq"], postgresql_concurrently=True)
        """),
    )
    assert (done.before, done.after, done.backup) == (HEAD, NEXT, None)
    assert server.sql(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'planted'::regclass", empty
    ) == [["t"]]
    assert ["revision", str(NEXT)] in server.sql("SELECT key, value FROM meta", empty)


WIDE = """
    from alembic import op
    from sqlalchemy import Column, Text
    revision, down_revision, compatible_from = "NEXT", "HEAD", 1
    def upgrade():
        op.add_column("events", Column("note", Text))
"""


@contextmanager
def reading(url: str, table: str) -> Iterator[Callable[[], None]]:
    """Have a transaction that has read a table and goes on; give what ends it."""
    psql = [str(programs() / "psql"), "-X", "-q", "-A", "-t", url]
    begin = f"BEGIN; LOCK TABLE {table} IN ACCESS SHARE MODE; SELECT 'held';\n"
    with subprocess.Popen(
        psql, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write(begin)
        reader.stdin.flush()
        assert reader.stdout.readline() == "held\n"
        yield reader.stdin.close


def test_an_upgrade_comes_back_to_what_somebody_held_a_lock_on(
    empty: str, planted: Callable[[str], list[Step]]
) -> None:
    upgrade(empty, NOW)
    paused: list[float] = []
    with reading(empty, "events") as let_go:

        def pause(seconds: float) -> None:
            paused.append(seconds)
            let_go()

        step = planted(WIDE)[-1]
        within(empty, Use.KEEP, lambda connection: climb(connection, [step], pause=pause))
    assert paused == [PAUSE]
    assert upgrade(empty, NOW, ladder=[step]) == Upgraded(before=NEXT, after=NEXT)


def test_an_upgrade_gives_up_what_is_locked_for_long_and_has_done_nothing(
    empty: str, planted: Callable[[str], list[Step]]
) -> None:
    upgrade(empty, NOW)
    way = planted(WIDE)[-1:]
    with (
        reading(empty, "events"),
        pytest.raises(StoreUnavailable, match="run `genbridge db upgrade` again"),
    ):
        within(empty, Use.KEEP, lambda connection: climb(connection, way, tries=1))
    assert upgrade(empty, NOW) == Upgraded(before=HEAD, after=HEAD)


def test_one_upgrade_at_a_time_works_on_a_server(empty: str) -> None:
    def second(_: object) -> None:
        with pytest.raises(StoreRefused, match="makes or changes its tables"):
            upgrade(empty, NOW)

    def first(connection: Any) -> None:
        alone(connection, empty)
        # In a thread, for here the loop of the first connection runs.
        with ThreadPoolExecutor(1) as other:
            other.submit(second, None).result()

    within(empty, Use.KEEP, first)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
