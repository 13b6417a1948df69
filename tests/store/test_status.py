"""What an administrator is told about a database."""

import fcntl
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection, text

from bridge.core.ladder import State
from bridge.core.ports import Store
from bridge.errors import StoreRefused
from bridge.store.connection import Use, within
from bridge.store.place import held
from bridge.store.status import Description, counted, status
from bridge.store.tables import REVISION
from bridge.store.upgrade import upgrade
from tests.store.postgres_world import PostgresWorld
from tests.store.test_migrations import NOW
from tests.store.test_pacing import table
from tests.store.world import SqliteWorld, announced, claimed, settled, watching, wish


async def used(store: Store) -> None:
    """Two running watches and an ended one; a delivered delivery, a pending one."""
    watch = await watching(store)
    await store.register([wish("g2"), wish("g3")])
    await store.unwatch([wish("g3").generation])
    watch = await announced(store, watch, State.QUEUED)
    for delivery in await claimed(store):
        await store.write([], [settled(delivery)])
    await announced(store, watch, State.DREAMING)
    await store.save_pace("luma", [table(), table("other")])


def right(found: Description) -> None:
    assert found.watches == {"running": 2, "ended": 1}
    assert found.deliveries == {"pending": 1, "delivered": 1}
    assert found.attempts == {"taken": 1}
    assert found.learned == {"luma": 2}
    assert found.schema == REVISION
    assert found.compatible_from == 1
    assert found.note is None
    assert found.size >= 65536


def test_a_file_is_described_while_its_daemon_works(tmp_path: Path) -> None:
    path = tmp_path / "genbridge.db"

    async def beside() -> Description:
        world = SqliteWorld(path)
        await world.open()
        await used(world.store)
        found = status(str(path))
        await world.store.alive()
        await world.close()
        return found

    found = anyio.run(beside)
    right(found)
    assert found.engine == f"SQLite {sqlite3.sqlite_version}"
    (me,) = found.replicas
    assert (me.alive, me.process, me.owned) == (True, os.getpid(), 2)


def test_a_file_that_nobody_holds_is_described(tmp_path: Path) -> None:
    path = tmp_path / "genbridge.db"

    async def before() -> None:
        world = SqliteWorld(path)
        await world.open()
        await used(world.store)
        await world.close()

    anyio.run(before)
    found = status(str(path))
    right(found)
    (me,) = found.replicas
    assert (me.alive, me.process, me.owned) == (False, None, 2)
    with held(path):
        pass


def test_every_replica_of_a_server_is_told_alive_or_dead(database: str) -> None:
    async def beside() -> tuple[Description, Description]:
        first, second = PostgresWorld(database), PostgresWorld(database)
        await first.open(name="first")
        await second.open(name="second")
        await used(first.store)
        together = await anyio.to_thread.run_sync(status, database)
        await second.store._session.close()  # noqa: SLF001  (as a process that was killed)
        alone = await anyio.to_thread.run_sync(status, database)
        await second.close()
        await first.close()
        return together, alone

    together, alone = anyio.run(beside)
    right(together)
    assert together.engine.startswith("PostgreSQL ")
    assert [(one.name, one.alive) for one in together.replicas] == [
        ("first", True),
        ("second", True),
    ]
    assert [(one.name, one.alive) for one in alone.replicas] == [
        ("first", True),
        ("second", False),
    ]
    assert sum(one.owned for one in together.replicas) == 2


def test_the_password_of_a_server_is_not_told(database: str) -> None:
    upgrade(database, NOW)
    found = status(database.replace("postgres@", "postgres:CANARY@"))
    assert "CANARY" not in repr(found)
    assert found.database.startswith("postgresql://127.0.0.1:")


def test_an_empty_database_is_said_to_be_empty(tmp_path: Path, database: str) -> None:
    path = tmp_path / "genbridge.db"
    path.touch()
    for place in (str(path), database):
        found = status(place)
        assert (found.schema, found.note) == (None, "is empty")


@pytest.mark.parametrize(
    ("revision", "oldest", "note"),
    [
        ("0", "0", f"has an older schema than {REVISION}: run `genbridge db upgrade`"),
        ("9", "9", "belongs to a newer genbridge"),
    ],
)
def test_a_schema_that_cannot_be_read_is_named(
    tmp_path: Path, revision: str, oldest: str, note: str
) -> None:
    path = tmp_path / "genbridge.db"
    path.touch()
    upgrade(str(path), NOW)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'revision'", [revision])
        connection.execute(
            "UPDATE meta SET value = ? WHERE key = 'compatible_from'", [oldest]
        )
        connection.commit()
    found = status(str(path))
    assert (found.schema, found.note, found.watches) == (int(revision), note, None)


ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT 'n', count(*) FROM n"
)
FEW = text("SELECT 'n', 1")


def test_a_count_that_takes_too_long_is_left_out(tmp_path: Path, database: str) -> None:
    path = tmp_path / "genbridge.db"
    path.touch()

    def count(connection: Connection) -> object:
        return counted(connection, ENDLESS), counted(connection, FEW)

    for place in (str(path), database):
        assert within(place, Use.LOOK, count, longest=0.1) == (None, {"n": 1})


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "genbridge.db"
    with pytest.raises(StoreRefused, match="there is no database"):
        status(str(path))
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_may_start_while_somebody_asks_who_runs(tmp_path: Path) -> None:
    path = tmp_path / "genbridge.db"
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)  # as the status does
    answered = threading.Timer(0.01, os.close, [lock])
    answered.start()
    with held(path):
        pass
    answered.join()
