"""Disks that fill up, and that turn read-only, under a writer that must live on."""

import os
import signal
import time
from pathlib import Path

from bench.disk.judging import Outcome, Writer, stop
from bench.disk.mounting import ext4, in_memory

HEALED = 5.0
"""Seconds after which it must write again once there is room (STORE, section 12)."""


def full(hold: float, *, bug: str = "") -> Outcome:
    """Fill the disk for so many seconds; the same process must write again afterwards."""
    outcome = Outcome()
    with in_memory("16m") as folder:
        writer = Writer(folder, {**os.environ, "BUG": bug})
        ballast = folder / "ballast"
        _keep_full(ballast, hold)
        writer.must_live()
        before = writer.acknowledged()
        ballast.unlink()
        if not _more(writer, before):
            outcome.wrong.append(f"nothing was acknowledged within {HEALED} s of new room")
        said, outcome.errors = writer.end()
        if not outcome.errors:
            outcome.wrong.append("the disk was never full")
        outcome.judge(said, folder, "full")
    return outcome


def _keep_full(ballast: Path, hold: float) -> None:
    """Take all room, and what is given back, too."""
    end = time.monotonic() + hold
    with ballast.open("wb", buffering=0) as file:
        while time.monotonic() < end:
            try:
                file.write(b"x" * 4096)
            except OSError:
                time.sleep(0.01)


def _more(writer: Writer, than: int) -> bool:
    end = time.monotonic() + HEALED
    while time.monotonic() < end:
        if writer.acknowledged() > than:
            return True
        time.sleep(0.01)
    return False


def read_only(hold: float, *, bug: str = "") -> Outcome:
    """Let an ext4 turn read-only; after its repair all that was acknowledged is there."""
    outcome = Outcome()
    with ext4() as disk:
        writer = Writer(disk.folder, {**os.environ, "BUG": bug})
        time.sleep(hold / 2)
        # Not during a sync: ext4 may report one as done that the error has cut off.
        stop(writer.process.pid, "TtZX")
        disk.break_()
        os.killpg(writer.process.pid, signal.SIGCONT)
        time.sleep(hold)
        writer.must_live()
        said, outcome.errors = writer.end()
        if not outcome.errors:
            outcome.wrong.append("the disk was never read-only")
        disk.repair()
        outcome.judge(said, disk.folder, "read-only")
    return outcome
