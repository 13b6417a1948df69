"""A whole database goes over into another one, and is the same there."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.core.delivering.delivery import Status
from bridge.core.delivering.receipt import Receipt
from bridge.core.discovery import Discovery
from bridge.core.ladder import State
from bridge.core.watch import Watch
from bridge.errors import StoreBroken, StoreError, StoreRefused
from bridge.store.moving import move
from bridge.store.upgrade import upgrade
from tests.fakes.postgres import Server
from tests.store.postgres_world import PostgresWorld
from tests.store.test_migrations import NOW
from tests.store.test_pacing import table
from tests.store.world import (
    SqliteWorld,
    World,
    announced,
    claimed,
    settled,
    step,
    to,
    watching,
    wish,
)


class Stopped(Exception):
    """The move is broken off."""


SILENT: Callable[[str, int], None] = lambda table, rows: None  # noqa: E731


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    anyio.run(filled, path)
    return path


async def filled(path: Path) -> None:
    """One watch on its way, a claimed and a settled delivery, an ended watch, strange texts."""
    world = SqliteWorld(path)
    await world.open()
    await world.store.configure([wish("from the file")], "digest")
    watch = await watching(
        world.store, "g1 é\U0001f680'\\", 1, 2, metadata={"order": "\ud800\u0000"}
    )
    watch = await announced(world.store, watch, State.QUEUED)
    (delivery,) = await claimed(world.store)
    receipt = Receipt(place="here", text="1001")
    settlement = settled(delivery, answer=b"\x00\xff", receipt=receipt)
    await world.store.write([], [settlement])
    await world.store.write([step(watch, State.DREAMING, to(room=True))], [])
    others = (await world.store.register([wish(f"h{i}") for i in range(1100)])).started
    await world.store.unwatch([one.generation for one in others[:3]])
    await world.store.save_pace("luma", [table(weight=1 / 3, strain=0.1 + 0.2)])
    since = datetime(2026, 11, 21, 8, 0, 0, 1, tzinfo=UTC)
    await world.store.set_discovery(Discovery(source="luma", since=since, anchor=("g9",)))
    await world.close()


@pytest.fixture(params=["sqlite", "postgres"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "new.db")
    return str(request.getfixturevalue("database"))


def world_of(place: str) -> World:
    return PostgresWorld(place) if "://" in place else SqliteWorld(Path(place))


def test_everything_is_there_and_goes_on(old: Path, new: str) -> None:
    told: dict[str, int] = {}
    rows = move(str(old), new, told.__setitem__)
    assert told["watches"] == 1102
    assert sum(told.values()) == rows == total(old)

    async def going_on() -> None:
        world = world_of(new)
        await world.open()  # type: ignore[attr-defined]
        store = world.store
        assert (
            await store.configure([wish("from the file")], "digest")
            == type(await store.register([]))()
        )
        handed: dict[str, Watch] = {}
        while some := await store.claim_watches(5000):
            handed |= {one.generation.id: one for one in some}
        assert len(handed) == 1099
        watch = handed["g1 é\U0001f680'\\"]
        assert watch.rank == State.DREAMING
        assert watch.metadata == {"order": "\ufffd\u0000"}
        await announced(store, watch, State.COMPLETED)
        assert [one.status for one in await world.deliveries()] == [
            Status.DELIVERED,
            Status.PENDING,
            Status.PENDING,
        ]
        assert (await world.attempts())[0].answer == b"\x00\xff"
        assert await store.receipt(watch.id, 1) == Receipt(place="here", text="1001")
        # On a server it is another replica's, which is no more.
        assert (await store.pace("luma")).own == (table(weight=1 / 3, strain=0.1 + 0.2),)
        round_ = await store.discovery("luma")
        assert round_ is not None
        assert round_.anchor == ("g9",)
        begun = await watching(store, "begun later")
        assert begun.id > max(one.id for one in handed.values())
        await world.close()

    anyio.run(going_on)


def test_a_delivery_that_was_claimed_is_due_on_the_server(old: Path, database: str) -> None:
    move(str(old), database, SILENT)

    async def later() -> list[str]:
        world = PostgresWorld(database)
        assert not any(row.claimed for row in await world.deliveries())
        world.clock.pass_(timedelta(minutes=1))
        await world.open()
        found = await claimed(world.store)
        await world.close()
        return [one.message.body.decode() for one in found]

    assert ["dreaming" in body for body in anyio.run(later)] == [True]


def test_the_old_database_stays_as_it_is(old: Path, new: str) -> None:
    before = content(old)
    move(str(old), new, SILENT)
    assert content(old) == before


@pytest.mark.parametrize("table", ["webhooks", "watches", "attempts", "meta"])
def test_a_move_that_was_broken_off_goes_on(old: Path, new: str, table: str) -> None:
    with pytest.raises(Stopped):
        move(str(old), new, stop_at(table))
    with pytest.raises(StoreRefused, match="run `genbridge db move` again"):
        anyio.run(world_of(new).open)  # type: ignore[attr-defined]
    assert move(str(old), new, SILENT) == total(old)


def test_a_move_goes_on_in_the_middle_of_a_table(
    old: Path, database: str, server: Server
) -> None:
    with pytest.raises(Stopped):
        move(str(old), database, stop_at("replicas"))
    server.sql("INSERT INTO webhooks (id, key, state) VALUES (1, 'name:one', 0)", database)
    assert move(str(old), database, SILENT) == total(old)


def stop_at(table: str) -> Callable[[str, int], None]:
    def stop(name: str, _: int) -> None:
        if name == table:
            raise Stopped

    return stop


def test_a_row_that_differs_is_found(old: Path, server: Server, database: str) -> None:
    with pytest.raises(Stopped):
        move(str(old), database, stop_at("watches"))
    server.sql("UPDATE watches SET fence = fence + 1 WHERE id = 5", database)
    with pytest.raises(StoreBroken, match="watches has 1,102 rows where 1,102 other ones"):
        move(str(old), database, SILENT)


def test_a_database_that_changed_meanwhile_is_not_gone_on_with(old: Path, new: str) -> None:
    with pytest.raises(Stopped):
        move(str(old), new, stop_at("watches"))
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE watches SET fence = fence + 1 WHERE id = 5")
        connection.commit()
    with pytest.raises(StoreRefused, match="has changed since"):
        move(str(old), new, SILENT)


def test_a_database_in_use_is_not_written_to(old: Path, new: str) -> None:
    async def used() -> None:
        world = world_of(new)
        await world.open()  # type: ignore[attr-defined]
        await watching(world.store)
        await world.close()

    anyio.run(used)
    with pytest.raises(StoreRefused, match=r"is in use \(\w+ has rows\)"):
        move(str(old), new, SILENT)


def test_a_database_that_was_only_prepared_is_filled(old: Path, database: str) -> None:
    upgrade(database, NOW)
    assert move(str(old), database, SILENT) == total(old)


def test_the_tables_of_another_program_stop_the_move(
    old: Path, server: Server, database: str
) -> None:
    server.sql("CREATE TABLE events (theirs int)", database)
    with pytest.raises(StoreError, match="already exists"):
        move(str(old), database, SILENT)
    assert server.sql(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database
    ) == [["1"]]


def test_a_moved_database_is_not_filled_again(old: Path, new: str) -> None:
    move(str(old), new, SILENT)
    with pytest.raises(StoreRefused, match="is in use"):
        move(str(old), new, SILENT)


def test_a_file_cannot_be_moved_into_itself(old: Path) -> None:
    with pytest.raises(StoreRefused, match="into itself"):
        move(str(old), str(old), SILENT)


def test_what_is_not_there_makes_no_new_database(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="there is no database"):
        move(str(tmp_path / "missing.db"), str(tmp_path / "new.db"), SILENT)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(old: Path) -> None:
    with pytest.raises(StoreRefused, match="the folder /nowhere does not exist"):
        move(str(old), "/nowhere/new.db", SILENT)


def test_a_server_is_not_moved_and_its_password_not_told(old: Path) -> None:
    with pytest.raises(StoreRefused) as caught:
        move("postgresql://me:CANARY@example.com/x", str(old), SILENT)
    assert "only a SQLite file can be moved" in str(caught.value)
    assert "CANARY" not in str(caught.value)


def test_a_server_that_does_not_answer_is_an_error_without_a_password(old: Path) -> None:
    with pytest.raises(StoreError) as caught:
        move(str(old), "postgresql://me:CANARY@127.0.0.1:1/x", SILENT)
    assert "127.0.0.1" in str(caught.value)
    assert "CANARY" not in str(caught.value)


def total(path: Path) -> int:
    """Count all rows that go over."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        counts = [
            connection.execute(f"SELECT count(*) FROM {name}")  # noqa: S608  (our tables)
            for (name,) in tables.fetchall()
        ]
        own = connection.execute("SELECT count(*) FROM meta WHERE key <> 'config_hash'")
        return sum(int(c.fetchone()[0]) for c in counts) - int(own.fetchone()[0])


def content(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())
