"""What the SQLite store promises about its file."""

# ruff: noqa: ASYNC240  (the files of a test are small and near)
import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.core.ladder import State
from bridge.errors import StoreBroken, StoreError, StoreRefused, StoreUnavailable
from bridge.store import place
from bridge.store.file import APPLICATION_ID, SETTINGS, WORN_OUT
from tests.store.world import (
    SECOND,
    SqliteWorld,
    announced,
    claimed,
    step,
    to,
    watching,
    wish,
)

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "genbridge.db"


async def refused(path: Path) -> str:
    """Return why a file is refused."""
    with pytest.raises(StoreRefused) as caught:
        await SqliteWorld(path).open()
    return str(caught.value)


async def test_the_settings_are_in_force(sqlite: SqliteWorld) -> None:
    file = sqlite.store._file  # noqa: SLF001  (no one else asks a connection for its settings)
    assert {name: file.setting(name) for name in SETTINGS} == {
        name: expected for name, (_, expected) in SETTINGS.items()
    }
    assert file.setting("synchronous") == 2
    assert file.setting("journal_mode") == "wal"
    assert file.setting("auto_vacuum") == 2
    assert file.setting("temp_store") == 2
    assert file.setting("application_id") == APPLICATION_ID


async def test_every_table_is_strict(sqlite: SqliteWorld) -> None:
    rows = sqlite.sql("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
    assert {strict for name, strict in rows if not name.startswith("sqlite_")} == {1}
    assert len(rows) > 10


async def test_the_files_are_for_their_owner_alone(sqlite: SqliteWorld) -> None:
    await sqlite.store.alive()
    files = sorted(sqlite.path.parent.iterdir())
    assert [file.name for file in files] == [
        "genbridge.db",
        "genbridge.db-shm",
        "genbridge.db-wal",
        "genbridge.db.lock",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


async def test_wider_rights_are_tightened(path: Path) -> None:
    world = SqliteWorld(path)
    await world.open()
    await world.close()
    path.chmod(0o644)
    await world.open()
    await world.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_closed_store_leaves_one_whole_file(path: Path) -> None:
    world = SqliteWorld(path)
    await world.open()
    await world.close()
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "genbridge.db",
        "genbridge.db.lock",
    ]


async def test_a_closed_store_touches_its_file_no_more(path: Path) -> None:
    world = SqliteWorld(path)
    await world.open()
    await world.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        await world.store.alive()
    await world.close()


async def test_a_second_store_in_the_same_process_is_refused(sqlite: SqliteWorld) -> None:
    why = await refused(sqlite.path)
    assert f"held by process {os.getpid()}" in why


async def test_a_file_that_another_process_holds_is_refused_by_its_pid(path: Path) -> None:
    with writing(path) as other:
        assert f"held by process {other.pid}" in await refused(path)
    world = SqliteWorld(path)
    await world.open()
    await world.close()


@contextmanager
def writing(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that writes to the file until the end of the block."""
    command = [sys.executable, "-m", "tests.store.acking", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
            yield other
        finally:
            other.kill()


@pytest.mark.parametrize("content", [b"not a database, but quite a long text " * 50, b"x"])
async def test_a_file_that_is_no_database_is_refused_and_kept(
    path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    assert "is not a SQLite database: name another file" in await refused(path)
    assert path.read_bytes() == content


async def test_the_database_of_another_program_is_refused_and_kept(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    before = path.read_bytes()
    assert "another program" in await refused(path)
    assert path.read_bytes() == before


async def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    world = SqliteWorld(path)
    await world.open()
    await world.store.alive()
    await world.close()


async def test_a_symbolic_link_is_refused(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere.db"))
    assert "symbolic link" in await refused(path)
    assert not path.with_name("elsewhere.db").exists()


async def test_a_lock_file_that_is_a_symbolic_link_is_refused(path: Path) -> None:
    victim = path.with_name("victim")
    victim.write_text("precious")
    path.with_name("genbridge.db.lock").symlink_to(victim)
    assert "symbolic link" in await refused(path)
    assert victim.read_text() == "precious"


async def test_a_folder_is_refused(path: Path) -> None:
    path.mkdir()
    assert "is not a file" in await refused(path)


async def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "does not exist: create it" in await refused(
        tmp_path / "nowhere" / "genbridge.db"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_the_file_of_another_user_is_refused(path: Path) -> None:
    path.touch()
    os.chown(path, 12345, 12345)
    assert "belongs to user 12345" in await refused(path)


@pytest.mark.parametrize(
    ("magic", "name"),
    [(0x6969, "NFS"), (0xFF534D42, "SMB"), (0x01021997, "9p"), (0xC36400, "Ceph")],
)
async def test_a_network_drive_is_refused(path: Path, magic: int, name: str) -> None:
    with (
        pytest.raises(StoreRefused, match=f"network drive \\({name}\\)"),
        place.held(path, kind=lambda _: magic),
    ):
        pass
    assert not path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' own file system")
def test_a_file_system_is_known_by_its_magic() -> None:
    assert place.magic(Path("/proc")) == 0x9FA0
    assert place.magic(Path("/sys")) == 0x62656572


@pytest.mark.parametrize(
    ("revision", "oldest", "why"),
    [
        ("0", "0", "run `genbridge db upgrade`"),
        ("7", "7", "of a newer genbridge"),
        ("x", "1", "does not say which schema"),
    ],
)
async def test_a_schema_that_this_code_does_not_know_is_refused(
    path: Path, revision: str, oldest: str, why: str
) -> None:
    world = SqliteWorld(path)
    await world.open()
    await world.close()
    world.sql("UPDATE meta SET value = ? WHERE key = 'revision'", revision)
    world.sql("UPDATE meta SET value = ? WHERE key = 'compatible_from'", oldest)
    assert why in await refused(path)


async def test_a_newer_schema_that_suits_this_code_is_taken(path: Path) -> None:
    world = SqliteWorld(path)
    await world.open()
    await world.close()
    world.sql("UPDATE meta SET value = '7' WHERE key = 'revision'")
    await world.open()
    await world.close()


async def test_a_strange_name_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "50% of a?b#c.db"
    world = SqliteWorld(path)
    await world.open()
    await world.close()
    assert path.exists()


async def test_a_damaged_file_is_kept_and_said_to_be_damaged(path: Path) -> None:
    world = SqliteWorld(path)
    await world.open()
    await announced(world.store, await watching(world.store), State.QUEUED)
    await world.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreBroken, match="kept as it is"):
        await world.open()
    assert path.read_bytes() == content


async def test_a_file_that_was_not_closed_is_checked_before_it_is_used(path: Path) -> None:
    with writing(path):
        pass
    log = path.with_name("genbridge.db-wal")
    assert log.stat().st_size > 0
    world = SqliteWorld(path)
    await world.open()
    await world.close()
    assert not log.exists()
    spoil(path)
    log.write_bytes(b"left behind")
    with pytest.raises(StoreBroken, match="damaged"):
        await world.open()


def spoil(path: Path) -> None:
    """Damage an index, which a start would not touch."""
    connection = sqlite3.connect(path)
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'attempts_at'"
    ).fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)


async def test_a_full_database_is_unavailable_and_heals(sqlite: SqliteWorld) -> None:
    watch = await watching(sqlite.store)
    file = sqlite.store._file  # noqa: SLF001  (a real SQLITE_FULL without a disk of its own)
    connection = file._connected()  # noqa: SLF001
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        await sqlite.store.register([wish("x" * 500 + str(i)) for i in range(500)])
    connection.execute("PRAGMA max_page_count = 1000000")
    assert (await sqlite.store.census()).watches == 1
    await announced(sqlite.store, watch, State.QUEUED)
    assert len(await claimed(sqlite.store)) == 1


async def test_a_read_only_database_is_unavailable(sqlite: SqliteWorld) -> None:
    connection = sqlite.store._file._connected()  # noqa: SLF001  (a real SQLITE_READONLY)
    connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable, match="readonly"):
        await sqlite.store.alive()
    assert (await sqlite.store.census()).watches == 0
    connection.execute("PRAGMA query_only = OFF")
    await sqlite.store.alive()


async def test_a_locked_database_is_unavailable(sqlite: SqliteWorld) -> None:
    sqlite.store._file._connected().execute("PRAGMA busy_timeout = 1")  # noqa: SLF001
    other = sqlite3.connect(sqlite.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await sqlite.store.alive()
    other.close()
    await sqlite.store.alive()


@contextmanager
def no_file_may_grow() -> Iterator[None]:
    """Let every write that would make a file longer fail with an input/output error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_an_input_output_error_is_unavailable_and_heals(sqlite: SqliteWorld) -> None:
    with no_file_may_grow():
        with pytest.raises(StoreUnavailable, match="disk I/O error"):
            await sqlite.store.alive()
        with pytest.raises(StoreUnavailable):
            await sqlite.store.alive()
    await sqlite.store.alive()
    sqlite.clock.pass_(SECOND)
    with no_file_may_grow(), pytest.raises(StoreUnavailable):
        await sqlite.store.alive()
    await sqlite.store.alive()


@pytest.mark.parametrize("there", [False, True])
async def test_a_disk_without_room_makes_no_half_database(path: Path, there: bool) -> None:
    if there:
        path.touch()
    world = SqliteWorld(path)
    with no_file_may_grow(), pytest.raises(StoreUnavailable):
        await world.open()
    await world.open()
    await announced(world.store, await watching(world.store), State.QUEUED)
    await world.close()


async def test_a_folder_that_cannot_be_written_is_refused() -> None:
    assert "cannot be opened for writing" in await refused(Path("/proc/genbridge.db"))


async def test_a_disk_that_only_fails_is_given_up(sqlite: SqliteWorld) -> None:
    with no_file_may_grow():
        for _ in range(WORN_OUT - 1):
            with pytest.raises(StoreUnavailable):
                await sqlite.store.alive()
        with pytest.raises(StoreBroken, match="3 times in a row"):
            await sqlite.store.alive()


async def test_what_no_table_takes_is_an_error_and_writes_nothing(
    sqlite: SqliteWorld,
) -> None:
    watch = await watching(sqlite.store)
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        await sqlite.store.write([step(watch, State.QUEUED, to(77))], [])
    assert (await sqlite.store.census()).events == 0
    await announced(sqlite.store, watch, State.QUEUED)


async def test_retention_gives_room_back(sqlite: SqliteWorld) -> None:
    names = ["x" * 400 + str(i) for i in range(2000)]
    await sqlite.store.webhooks(["name:one"])
    watches = (await sqlite.store.register([wish(name) for name in names])).started
    await sqlite.store.unwatch([watch.generation for watch in watches])
    (before,) = sqlite.sql("PRAGMA page_count")[0]
    sqlite.clock.pass_(1000 * DAY)
    while await sqlite.store.prune(attempts=DAY, bodies=DAY, deliveries=DAY):
        pass
    (now,) = sqlite.sql("PRAGMA page_count")[0]
    assert now < before / 2
