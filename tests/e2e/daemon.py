"""The daemon as a process: begun, listened to, told to stop, killed, begun again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
from anyio.abc import Process, TaskGroup, UNIXDatagramSocket

from tests.e2e.scene import CANARY, PATIENCE

ROOT = Path(__file__).parents[2]

_FOREIGN = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "NO_COLOR")


class Daemon:
    """`genbridge run` in a folder of its own; what it says is kept, run by run.

    At the end it is killed, and no output of any run may hold a secret or a traceback.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.config = folder / "config.yaml"
        self.database = folder / "genbridge.db"
        self.entries: list[dict[str, Any]] = []
        """What the present run has logged."""
        self.notices: list[str] = []
        """What the present run has told the service manager, a line each."""
        self.code: int | None = None
        self._folder = folder
        self.environment = environment
        self._said = b""
        self._pending = b""
        self._process: Process | None = None
        self._stack = AsyncExitStack()
        self._news = anyio.Event()

    async def __aenter__(self) -> Self:
        self._tasks: TaskGroup = await self._stack.enter_async_context(
            anyio.create_task_group()
        )
        self._bell: UNIXDatagramSocket = await self._stack.enter_async_context(
            await anyio.create_unix_datagram_socket(local_path=self._folder / "notify")
        )
        self._tasks.start_soon(self._hear)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self.kill()
        self._tasks.cancel_scope.cancel()
        await self._stack.__aexit__(kind, error, traceback)
        assert harmless(self._said), self.text

    # ---------------------------------------------------------------- its life

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Write the configuration (JSON is YAML) with this folder's database."""
        whole = {"database": str(self.database), **settings}
        self.config.write_text(json.dumps(whole, indent=1, ensure_ascii=False), "utf-8")

    async def start(self, settings: Mapping[str, Any] | None = None) -> None:
        """Begin a run and wait until it is ready."""
        if settings is not None:
            self.configure(settings)
        await self.begin()
        await self.told("READY=1")

    async def begin(self) -> None:
        """Begin a run; nothing is waited for."""
        assert self._process is None, "it is running"
        self.entries, self.notices, self.code, self._pending = [], [], None, b""
        self._process = await anyio.open_process(
            self._command,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            env=self._surroundings(),
        )
        self._tasks.start_soon(self._attend, self._process)

    async def beside(self) -> subprocess.CompletedProcess[bytes]:
        """Run a second daemon on the same configuration until it ends."""
        with anyio.fail_after(PATIENCE):
            return await anyio.run_process(
                self._command, check=False, env=self._surroundings()
            )

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-m", "bridge", "run", "-c", str(self.config)]

    def _surroundings(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        ours = {
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "NOTIFY_SOCKET": str(self._folder / "notify"),
        }
        return {**kept, **ours, **self.environment}

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self._process is not None, "it is not running"
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait until the process has ended by itself; return its exit code."""
        await self._until(lambda: self.code is not None, "its end")
        assert self.code is not None
        return self.code

    async def stop(self) -> int:
        """End it in order; return its exit code."""
        self.send(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """End it as `kill -9` does, if it is running."""
        if self._process is not None:
            self._process.kill()
            await self.ended()

    # ---------------------------------------------------------------- what it says

    @property
    def text(self) -> str:
        """Everything that all runs have written."""
        return self._said.decode("utf-8", "replace")

    def logs(self, phrase: str, **fields: object) -> list[dict[str, Any]]:
        """Return the present run's entries with this phrase and these fields."""
        wanted = {"event": phrase, **fields}
        return [entry for entry in self.entries if wanted.items() <= entry.items()]

    async def logged(self, phrase: str, **fields: object) -> dict[str, Any]:
        """Wait for such an entry and return the first."""
        await self._until(lambda: bool(self.logs(phrase, **fields)), f"{phrase} {fields}")
        return self.logs(phrase, **fields)[0]

    async def told(self, notice: str, *, times: int = 1) -> None:
        """Wait until the service manager was told so as often."""
        await self._until(lambda: self.notices.count(notice) >= times, notice)

    async def _until(self, seen: Callable[[], bool], what: str) -> None:
        with anyio.move_on_after(PATIENCE):
            while not seen() and (self.code is None or what == "its end"):
                await self._news.wait()
        assert seen(), f"no {what}; exit code {self.code}; {self.notices}\n{self.text}"

    async def _attend(self, process: Process) -> None:
        """Keep what the process writes until it ends."""
        assert process.stdout is not None
        async for part in process.stdout:
            self._said += part
            self._pending += part
            *lines, self._pending = self._pending.split(b"\n")
            self.entries += [json.loads(line) for line in lines if line.startswith(b"{")]
            self._tell()
        self.code = await process.wait()
        await process.aclose()
        self._process = None
        self._tell()

    async def _hear(self) -> None:
        async for datagram in self._bell:
            text, _sender = datagram
            self.notices += text.decode().split("\n")
            self._said += text
            self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()


def harmless(output: bytes) -> bool:
    """Return whether an output holds neither a secret nor a traceback."""
    return CANARY.encode() not in output and b"Traceback (most" not in output
