"""The daemon as a process, with a configuration of its own, for the measurements."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A daemon that is ready; `took` seconds after it was started."""

    process: subprocess.Popen[bytes]
    took: float

    def rss(self) -> float:
        """Return MiB of memory that the process holds now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu(self) -> float:
        """Return seconds of CPU that the process has used."""
        fields = (
            Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def configuration(
    folder: Path,
    upstream: str,
    receiver: str,
    ids: list[str],
    *,
    server: Mapping[str, Any] | None = None,
    **source: Any,
) -> Mapping[str, Any]:
    """Return a configuration of one source and one webhook."""
    return {
        "database": str(folder / "bench.db"),
        "server": server or {"listen": "off"},
        "network": {"allow": ["127.0.0.0/8"]},
        "sources": {
            "aiml": {
                "provider": "aimlapi-luma",
                "api_key": "key",
                "base_url": upstream,
                **source,
            }
        },
        "webhooks": {"bench": {"url": receiver, "secret": SECRET, "concurrency": 32}},
        "watches": [{"source": "aiml", "ids": ids}] if ids else [],
    }


@contextmanager
def running(
    upstream: str,
    receiver: str,
    ids: list[str],
    *,
    folder: Path | None = None,
    **source: Any,
) -> Iterator[Daemon]:
    """Run a daemon; it is ready inside the block and ends with it."""
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as own:
        place = folder or Path(own)
        config = Path(own, "config.yaml")
        config.write_text(
            json.dumps(configuration(place, upstream, receiver, ids, **source))
        )
        yield from _started(config, Path(own, "notify"))


def _started(config: Path, notify: Path) -> Iterator[Daemon]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(str(notify))
        bell.settimeout(60)
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bridge", "run", "-c", str(config)],
            env={**os.environ, "NOTIFY_SOCKET": str(notify)},
            stderr=subprocess.DEVNULL,
        )
        try:
            while b"READY=1" not in bell.recv(4096):
                pass
            yield Daemon(process=process, took=time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
