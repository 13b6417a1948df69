"""The command as a user calls it: a process with arguments, and what it leaves behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GENBRIDGE = (sys.executable, "-m", "bridge")

# What the machine that runs the tests has set must not change what they see.
_FOREIGN = {
    "NO_COLOR",
    "FORCE_COLOR",
    "GENBRIDGE_SECRET",
    "NOTIFY_SOCKET",
    "JOURNAL_STREAM",
}


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return {**kept, "COLUMNS": "100", "PYTHONWARNINGS": "error", **more}


def genbridge(
    *arguments: str | Path, body: bytes = b"", folder: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*GENBRIDGE, *map(str, arguments)],
        input=body,
        capture_output=True,
        cwd=folder,
        check=False,
        env=environment(PYTHONPATH=str(Path.cwd()), **env),
        timeout=20,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


@contextmanager
def running(*arguments: str | Path, **env: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command inside the block; it is killed at the end if it still lives."""
    with subprocess.Popen(
        [*GENBRIDGE, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**env),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_with(process: subprocess.Popen[str], text: str) -> str:
    """Return the next line of its output that holds the text; the test fails without one."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if text in line:
            return line.rstrip("\n")
    raise AssertionError(f"no {text!r} in {''.join(seen)!r}")
