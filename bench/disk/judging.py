"""What a fault did to what was promised."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bench.disk import ledger


@dataclass(slots=True)
class Outcome:
    """How many cases there were, what was acknowledged and is lost, and what else is wrong."""

    cases: int = 0
    acknowledged: int = 0
    lost: int = 0
    unsound: int = 0
    wrong: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """Whether every promise was kept, and there was one."""
        return not (self.lost or self.unsound or self.wrong) and self.acknowledged > 0

    def judge(
        self,
        acknowledged: set[int],
        folder: Path,
        where: str,
        *,
        before: AbstractSet[int] = frozenset(),
    ) -> set[int]:
        """Compare what was promised, now and `before`, with what is there, which is returned."""
        rows, sound = there(folder)
        gone = (acknowledged | before) - rows
        self.cases += 1
        self.acknowledged += len(acknowledged)
        self.lost += len(gone)
        self.unsound += not sound
        if gone or not sound:
            self.wrong.append(f"{where}: lost {sorted(gone)[:5]}, sound: {sound}")
        return rows

    def __str__(self) -> str:
        text = (
            f"{self.cases:,} cases, {self.acknowledged:,} acknowledged, {self.lost:,} lost, "
            f"{self.unsound} databases damaged"
        )
        seen = "".join(
            f"\n    {n:6} times {error}" for error, n in self.errors.most_common()
        )
        return text + "".join(f"\n    {wrong}" for wrong in self.wrong[:3]) + seen


def there(folder: Path) -> tuple[set[int], bool]:
    """Return every number that is in the ledger, and whether the database is sound."""
    path = folder / "genbridge.db"
    if not path.exists():
        return set(), True
    with closing(sqlite3.connect(path)) as connection:
        empty = connection.execute("SELECT count(*) = 0 FROM sqlite_schema").fetchone()[0]
        rows = set() if empty else ledger.there(connection)
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
    return rows, sound == "ok"


def heard(output: str) -> tuple[set[int], Counter[str]]:
    """Return the numbers in whole lines `ack N`, and the errors; half a line says nothing."""
    acks = {int(number) for number in re.findall(r"^ack (\d+)\n", output, re.MULTILINE)}
    return acks, Counter(re.findall(r"^err +(.*)\n", output, re.MULTILINE))


def command(folder: Path, *count: int) -> list[str]:
    """Return the command line of a writer."""
    write = [sys.executable, "-m", "bench.disk.ledger", "write", str(folder)]
    return [*write, *map(str, count)]


class Writer:
    """A process that writes for ever; its lines are read as they come."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        if not first:
            raise RuntimeError(self.process.communicate()[1])
        self.lines = [first]
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def must_live(self) -> None:
        """Raise RuntimeError where it has ended by itself."""
        if self.process.poll() is not None:
            assert self.process.stderr is not None
            raise RuntimeError(f"the writer has ended: {self.process.stderr.read()}")

    def acknowledged(self) -> int:
        """Return how many lines `ack` have come."""
        return sum(line.startswith("ack") for line in tuple(self.lines))

    def end(self) -> tuple[set[int], Counter[str]]:
        """Kill it, and return what it said."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return heard("".join(self.lines))


def stop(group: int, states: str) -> None:
    """Stop a process, and wait until each of its threads is in one of the states."""
    os.killpg(group, signal.SIGSTOP)
    for _ in range(5000):
        if all(_state(task) in states for task in Path(f"/proc/{group}/task").iterdir()):
            return
        time.sleep(0.0001)
    raise RuntimeError("the writer does not stop")


def _state(task: Path) -> str:
    try:
        return (task / "stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "X"
