"""A backup is one whole file, made beside a running daemon, and never replaces another."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from bridge.core.ladder import State
from bridge.errors import StoreBroken, StoreError, StoreRefused
from bridge.store import backup as backups
from bridge.store.backup import backup
from tests.store.world import SqliteWorld, announced, claimed, watching


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "genbridge.db"
    anyio.run(filled, path)
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups" / "copy.db"


async def filled(path: Path) -> None:
    world = SqliteWorld(path)
    await world.open()
    await announced(world.store, await watching(world.store), State.QUEUED)
    await world.close()


def test_a_backup_is_a_database_to_go_on_with(path: Path, copy: Path) -> None:
    assert backup(path, copy) == copy.stat().st_size

    async def restored() -> int:
        world = SqliteWorld(copy)
        await world.open()
        found = await claimed(world.store)
        await world.close()
        return len(found)

    assert anyio.run(restored) == 1


def test_a_backup_is_for_its_owner_alone(path: Path, copy: Path) -> None:
    before = os.umask(0)
    try:
        backup(path, copy)
    finally:
        os.umask(before)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert list(copy.parent.iterdir()) == [copy]


def test_a_backup_of_a_working_daemon_holds_all_that_was_acknowledged_before(
    tmp_path: Path, copy: Path
) -> None:
    path = tmp_path / "busy.db"
    command = [sys.executable, "-m", "tests.store.acking", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(40)]
        backup(path, copy)
        lines_after = [process.stdout.readline() for _ in range(40)]
        process.kill()
        process.communicate()
    before = {line.split()[1] for line in lines if line.startswith("ack")}
    with closing(sqlite3.connect(copy)) as connection:
        there = {uid for (uid,) in connection.execute("SELECT uid FROM events")}
    assert len(before) == 39
    assert before <= there
    assert all(line.startswith("ack") for line in lines_after)


def test_a_backup_checkpoints_nothing(tmp_path: Path, copy: Path) -> None:
    """Only the daemon's connection may (STORE, section 7), and it may begin at any moment."""
    path, log = tmp_path / "left.db", tmp_path / "left.db-wal"
    command = [sys.executable, "-m", "tests.store.acking", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        process.kill()
    before = path.read_bytes(), log.read_bytes()
    assert before[1]
    backup(path, copy)
    assert (path.read_bytes(), log.read_bytes()) == before
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM watches").fetchone()[0] >= 1


@pytest.mark.parametrize("there", ["file", "link"])
def test_a_backup_never_replaces_anything(path: Path, copy: Path, there: str) -> None:
    if there == "file":
        copy.write_text("precious")
    else:
        copy.symlink_to("/nowhere")
    with pytest.raises(StoreRefused, match="is there already"):
        backup(path, copy)
    assert copy.is_symlink() or copy.read_text() == "precious"
    assert list(copy.parent.iterdir()) == [copy]


def test_a_name_that_was_taken_meanwhile_is_kept(path: Path, copy: Path) -> None:
    part = copy.with_name("part")
    part.write_text("copy")
    copy.write_text("precious")
    with pytest.raises(StoreRefused, match="is there already"):
        backups._named(part, copy)  # noqa: SLF001  (a race, decided by the file system)
    assert copy.read_text() == "precious"


def test_a_folder_that_cannot_be_written_is_named(path: Path) -> None:
    with pytest.raises(StoreRefused, match=r"/nowhere/copy.db cannot be made"):
        backup(path, Path("/nowhere/copy.db"))


def test_the_database_of_another_program_is_not_copied(tmp_path: Path, copy: Path) -> None:
    theirs = tmp_path / "theirs.db"
    with closing(sqlite3.connect(theirs)) as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(StoreRefused, match="another program"):
        backup(theirs, copy)
    assert list(copy.parent.iterdir()) == []


def test_a_damaged_database_gives_no_backup(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'watches'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises((StoreBroken, StoreError), match=r"malformed|damaged"):
        backup(path, copy)
    assert list(copy.parent.iterdir()) == []


def test_there_is_no_backup_of_nothing(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(StoreRefused, match="there is no database"):
        backup(tmp_path / "missing.db", copy)
    assert not (tmp_path / "missing.db").exists()
