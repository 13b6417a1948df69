"""Alive and ready: what the daemon answers while it works, cannot write, and comes to its end."""

import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from bridge.simulator.receiver import Scripted
from tests.e2e.scene import (
    PATIENCE,
    accepted,
    free_port,
    place,
    posted,
    settings,
    source,
    states,
    webhook,
)
from tests.e2e.stage import Stage, scene

pytestmark = pytest.mark.timeout(120)

LUMA = "luma-agents"


async def started(stage: Stage, count: int = 1) -> httpx.AsyncClient:
    """Begin a daemon that watches generations; return a client for its address."""
    ids = [f"g{number}" for number in range(count)]
    for id_ in ids:
        stage.upstream.add(LUMA, id=id_, script=(("queued", None),))
    port = free_port()
    await stage.daemon.start(
        settings(
            {"luma": source(stage.upstream.url(LUMA), LUMA)},
            {"studio": webhook(place(stage.receiver, "studio"))},
            [{"source": "luma", "ids": ids}],
            port=port,
        )
    )
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)


async def readiness(client: httpx.AsyncClient) -> tuple[int, list[str]]:
    answer = await client.get("/readyz")
    return answer.status_code, answer.json().get("reasons", [])


async def turned(client: httpx.AsyncClient, status: int) -> None:
    """Wait until `/readyz` answers with a status."""
    with anyio.fail_after(PATIENCE):
        while (await readiness(client))[0] != status:  # noqa: ASYNC110  (it must be asked)
            await anyio.sleep(0.05)


@scene
async def test_a_daemon_that_works_is_alive_and_ready(stage: Stage) -> None:
    async with await started(stage) as client:
        # Neither needs the token, and none of it is shown.
        assert (await client.get("/healthz")).status_code == 200
        assert await readiness(client) == (200, [])
    assert await stage.daemon.stop() == 0


@scene
async def test_a_dead_provider_and_a_dead_webhook_are_no_reason_to_be_unready(
    stage: Stage,
) -> None:
    stage.receiver.otherwise = 500
    async with await started(stage) as client:
        await posted(stage.receiver, 3)
        assert await readiness(client) == (200, [])
    assert await stage.daemon.stop() == 0


@scene
async def test_while_it_stops_it_is_alive_and_not_ready(stage: Stage) -> None:
    stage.receiver.otherwise = Scripted(pause=3.0)
    async with await started(stage) as client:
        await posted(stage.receiver, 1)
        stage.daemon.send(signal.SIGTERM)
        await stage.daemon.told("STOPPING=1")
        assert await readiness(client) == (503, ["stopping"])
        assert (await client.get("/healthz")).status_code == 200
        assert await stage.daemon.ended() == 0


@scene
async def test_while_the_database_is_locked_it_is_not_ready_and_then_goes_on(
    stage: Stage,
) -> None:
    daemon, receiver = stage.daemon, stage.receiver
    async with await started(stage) as client:
        await accepted(receiver, 1)
        with closing(sqlite3.connect(daemon.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            stage.upstream.finish(LUMA, "g0")
            await daemon.logged("the store cannot write", level="error")
            status, (reason,) = await readiness(client)
            assert status == 503
            assert "database is locked" in reason
            assert (await client.get("/healthz")).status_code == 200
            assert len(receiver.deliveries) == 1, "it was told before it was written down"
        await daemon.logged("the store writes again")
        await accepted(receiver, 1, state="completed")
        assert await readiness(client) == (200, [])
    assert await daemon.stop() == 0
    assert states(receiver.accepted, "g0") == ["queued", "completed"]


@scene
async def test_a_disk_that_is_full_for_a_while_costs_nothing_but_time(stage: Stage) -> None:
    daemon, receiver, count = stage.daemon, stage.receiver, 40
    with small_disk(stage.folder / "disk") as disk:
        daemon.database = disk / "genbridge.db"
        async with await started(stage, count) as client:
            await accepted(receiver, count)
            fill(disk / "ballast")
            stage.upstream.finish(LUMA, *(f"g{number}" for number in range(count)))
            await turned(client, 503)
            _, (reason,) = await readiness(client)
            assert "disk" in reason
            assert len(receiver.deliveries) == count, "it was told before it was written"
            (disk / "ballast").unlink()
            await turned(client, 200)
            await accepted(receiver, count, state="completed")
        # What was written down then is there after a kill as well: nothing is told anew.
        await daemon.kill()
        told = len(receiver.deliveries)
        await daemon.start()
        assert await daemon.stop() == 0
        anew = list(receiver.deliveries)[told:]
        before = {one.headers["webhook-id"] for one in list(receiver.deliveries)[:told]}
        assert {one.headers["webhook-id"] for one in anew} <= before


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of 4 MiB, where that is allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write a file until nothing fits any more."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
