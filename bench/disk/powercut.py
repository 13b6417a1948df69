"""Power cuts: an ext4 is shut down under a writer, without a flush of its journal.

The writer is stopped first, as a power cut stops the processor; else the shutdown races with a
sync that is under way, ext4 reports it as done, and an acknowledgement is printed that no real
machine would have had the power to print. What is lost is the page cache and the journal that
was not yet written; torn sectors and disks that lie about a flush are not modelled.
"""

import fcntl
import os
import random
import struct
import time

from bench.disk.judging import Outcome, Writer, stop
from bench.disk.mounting import Ext4, ext4

SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN."""
NO_FLUSH = struct.pack("I", 2)
WINDOW = 0.06
"""Seconds after the first acknowledgement within which the power goes."""
FULL = 20_000
"""Numbers after which the disk is emptied, lest it fills up."""


def cut(times: int, *, bug: str = "", seed: int = 7) -> Outcome:
    """Cut the power so often; each run goes on with the file of the one before."""
    chance, outcome, known = random.Random(seed), Outcome(), set[int]()
    env = {**os.environ, "BUG": bug}
    with ext4() as disk:
        for number in range(1, times + 1):
            said = _one(disk, env, chance.uniform(0, WINDOW))
            rows = outcome.judge(said, disk.folder, f"cut {number}", before=known)
            known = rows & (known | said)
            if len(rows) > FULL:
                disk.clear()
                known = set()
    return outcome


def _one(disk: Ext4, env: dict[str, str], after: float) -> set[int]:
    writer = Writer(disk.folder, env)
    time.sleep(after)
    writer.must_live()
    # A thread that is deep in a system call does not come back from it to say anything.
    stop(writer.process.pid, "TtDZX")
    folder = os.open(disk.folder, os.O_RDONLY)
    fcntl.ioctl(folder, SHUTDOWN, NO_FLUSH)
    os.close(folder)
    said, _ = writer.end()
    disk.unmount()
    disk.mount()
    return said
