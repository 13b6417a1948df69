"""Prometheus Alertmanager as the reference for deliveries: one POST an alert, nothing stored.

It is Debian's package (`apt-get install prometheus-alertmanager`); every alert is a group of its
own, and one core is all it may use (GOMAXPROCS=1), as ours.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

BINARY = "prometheus-alertmanager"
AT_ONCE = 500
"""Alerts in one request."""

# Without a wait a group may be looked at before its alert is in it, and then an hour later.
CONFIGURATION = """
route:
  receiver: bench
  group_by: ['...']
  group_wait: 100ms
  group_interval: 1h
  repeat_interval: 24h
receivers:
  - name: bench
    webhook_configs: [{url: '%s', send_resolved: false}]
"""


def installed() -> bool:
    """Return whether there is one to compare with."""
    return shutil.which(BINARY) is not None


def cost(receiver: str, count: int, *, patience: float = 120.0) -> tuple[float, float]:
    """Return its CPU µs per alert posted to a receiver, and alerts a second.

    Raises TimeoutError where they are not all there after `patience` seconds.
    """
    with _running(receiver) as (process, url):
        _post(url, _alerts("warm", AT_ONCE))
        _wait(receiver, _told(receiver) + AT_ONCE // 2, patience)
        time.sleep(0.5)
        before, cpu, began = _told(receiver), _cpu(process.pid), time.perf_counter()
        for first in range(0, count, AT_ONCE):
            _post(url, _alerts(f"run-{first}", min(AT_ONCE, count - first)))
        _wait(receiver, before + count, patience)
        wall = time.perf_counter() - began
        return (_cpu(process.pid) - cpu) / count * 1e6, count / wall


@contextmanager
def _running(receiver: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folder = Path(name)
        (folder / "alertmanager.yml").write_text(CONFIGURATION % receiver)
        port = _free_port()
        command = [
            BINARY,
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]
        url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "GOMAXPROCS": "1"}
        with subprocess.Popen(
            command, env=environment, stderr=subprocess.DEVNULL
        ) as process:
            try:
                _until_ready(url)
                yield process, url
            finally:
                process.send_signal(signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _until_ready(url: str) -> None:
    for _ in range(200):
        try:
            httpx.get(f"{url}/-/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("Alertmanager does not become ready")


def _alerts(name: str, count: int) -> list[object]:
    """Return alerts whose bodies weigh about what our events do."""
    return [
        {
            "labels": {"alertname": "completed", "id": f"{name}-{number}"},
            "annotations": {"note": "x" * 200, "state": "completed"},
        }
        for number in range(count)
    ]


def _post(url: str, alerts: list[object]) -> None:
    httpx.post(f"{url}/api/v2/alerts", json=alerts).raise_for_status()


def _told(receiver: str) -> int:
    return int(httpx.get(receiver).text)


def _wait(receiver: str, count: int, patience: float) -> None:
    end = time.monotonic() + patience
    while _told(receiver) < count:
        if time.monotonic() > end:
            raise TimeoutError(f"{count - _told(receiver)} alerts never came")
        time.sleep(0.05)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
