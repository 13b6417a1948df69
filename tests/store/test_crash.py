"""What was acknowledged is there, however the process or the disk ends."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from bridge.core.delivering.delivery import Status
from bridge.core.ladder import State
from bridge.errors import StoreUnavailable
from tests.store.world import SqliteWorld, claimed, room, settled, step, to, wish

pytestmark = pytest.mark.anyio


async def test_every_acknowledged_change_outlives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "genbridge.db"
    acknowledged: set[str] = set()
    for lines in (1, 7, 23):
        acknowledged |= killed_after(path, lines)
    world = SqliteWorld(path)
    await world.open()
    there = {uid for (uid,) in world.sql("SELECT uid FROM events")}
    rows = await world.deliveries()
    got = await claimed(world.store, room(slots=100))
    await world.close()
    assert len(acknowledged) >= 31
    assert acknowledged <= there
    assert len(rows) == len(there)
    assert not any(row.claimed for row in rows)
    assert len(got) == sum(row.status is Status.PENDING for row in rows)


def killed_after(path: Path, lines: int) -> set[str]:
    """Let a process write, kill it after so many acknowledgements, and return them all."""
    command = [sys.executable, "-m", "tests.store.acking", str(path)]
    acknowledged: set[str] = set()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            word, _, uid = line.strip().partition(" ")
            if word == "ack":
                acknowledged.add(str(UUID(uid)))
            if len(acknowledged) == lines:
                process.kill()
    return acknowledged


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if (
        os.geteuid() != 0
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("a disk of its own can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_acknowledges_nothing_false_and_heals(small_disk: Path) -> None:
    world = SqliteWorld(small_disk / "genbridge.db")
    await world.open()
    await world.store.webhooks(["name:one"])
    ballast = small_disk / "ballast"
    acknowledged = await filled(world, ballast)
    with pytest.raises(StoreUnavailable):
        await world.store.alive()
    assert (await world.store.census()).events == len(acknowledged)
    ballast.unlink()
    (watch,) = (await world.store.register([wish("after")])).started
    await world.store.write([step(watch, State.QUEUED, to(room=False))], [])
    for delivery in await claimed(world.store, room(slots=1000)):
        await world.store.write([], [settled(delivery)])
    await world.close()
    await world.open()
    there = {uid for (uid,) in world.sql("SELECT uid FROM events")}
    assert acknowledged <= there
    assert (await world.store.census()).pending == 0
    await world.close()


async def filled(world: SqliteWorld, ballast: Path) -> set[str]:
    """Write until there is no room for anything any more; return what was acknowledged."""
    acknowledged: set[str] = set()
    watches = (await world.store.register([wish(f"g{i}") for i in range(60)])).started
    for i, watch in enumerate(watches):
        if i == 20:
            fill(ballast)
        change = step(watch, State.QUEUED, to(room=False))
        try:
            await world.store.write([change], [])
        except StoreUnavailable:
            continue
        acknowledged.add(str(change.message.id))
    assert 20 <= len(acknowledged) < 60
    return acknowledged


def fill(ballast: Path) -> None:
    """Take all the room that is left."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return
