"""The daemon as a child process, as a user would start it."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import Process

import bridge

_PATIENCE = 12.0
"""Seconds that the daemon gets to end in order: more than it gives its own last attempts."""

_FOREIGN = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "NO_COLOR")
"""Variables of a service manager, which would take the child's words for its parent's."""


@asynccontextmanager
async def daemon(config: Path, log: Path) -> AsyncIterator[Process]:
    """Run `genbridge run` inside the block, and end it by SIGTERM; its log goes into a file."""
    with log.open("wb") as file:
        process = await anyio.open_process(
            [sys.executable, "-P", "-m", "bridge", "run", "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=_environment(os.environ),
        )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await _ended(process)


async def _ended(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    with anyio.move_on_after(_PATIENCE) as patience:
        await process.wait()
    if patience.cancelled_caught:
        process.kill()
        await process.wait()
    await process.aclose()


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the child finds this very package, installed or not."""
    root = str(Path(bridge.__file__).parents[1])
    paths = [root, *filter(None, [ours.get("PYTHONPATH")])]
    kept = {name: value for name, value in ours.items() if name not in _FOREIGN}
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}
