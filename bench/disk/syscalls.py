"""Faults at every Nth system call of a run: killed there, or the call fails."""

import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.disk.judging import Outcome, command, heard

CALLS = ("fdatasync", "pwrite64")
ACTIONS = ("SIGKILL", "EIO", "ENOSPC")
COUNT = 2
"""Events of a run: the second one is written into a log that is there already."""


def every(
    *,
    calls: tuple[str, ...] = CALLS,
    actions: tuple[str, ...] = ACTIONS,
    step: int = 1,
    bug: str = "",
) -> Outcome:
    """Let each action happen at every `step`th of the calls, each in a run of its own.

    With a bug, the first case that catches it is enough.
    """
    outcome = Outcome()
    for call in calls:
        total = _total(call)
        for action in actions:
            fault = "signal" if action.startswith("SIG") else "error"
            for number in range(1, total + 1, step):
                _traced(call, f"{fault}={action}:when={number}", bug, outcome)
                if bug and outcome.wrong:
                    return outcome
    return outcome


@cache
def _total(call: str) -> int:
    return _traced(call, "", "", Outcome())


@cache
def _new() -> bytes:
    """Return a database in which nothing has happened yet: making one is not what is tried."""
    with TemporaryDirectory() as work:
        subprocess.run(command(Path(work), 0), check=True, capture_output=True)
        return Path(work, "genbridge.db").read_bytes()


def _traced(call: str, inject: str, bug: str, outcome: Outcome) -> int:
    """Run the writer on a new database and judge it; return how many calls it made."""
    with TemporaryDirectory() as work:
        folder, trace = Path(work, "disk"), Path(work, "trace")
        folder.mkdir()
        (folder / "genbridge.db").write_bytes(_new())
        # Not --seccomp-bpf: strace 6.1 then injects no signals.
        watched = [
            "strace",
            "-f",
            "-qq",
            "-o",
            str(trace),
            "-e",
            f"trace={call}",
        ]
        injected = ["-e", f"inject={call}:{inject}"] if inject else []
        done = subprocess.run(
            [*watched, *injected, *command(folder, COUNT)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "BUG": bug},
        )
        said, errors = heard(done.stdout)
        outcome.errors.update(errors)
        if "Traceback" in done.stderr:
            outcome.wrong.append(f"the writer broke at {call} {inject}: {done.stderr}")
        outcome.judge(said, folder, f"{call} {inject}")
        return sum(f" {call}(" in line for line in trace.read_text().splitlines())
