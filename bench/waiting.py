"""100,000 deliveries that wait for a dead webhook: what they cost, and how soon they move again.

usage: python -m bench.waiting [--count 100000] [--seconds 20]

Nothing listens where the webhook is. Measured: the CPU of the idle daemon; after a restart, the
time until it is ready; after the endpoint is there, the time to the first delivery, without a
restart and with one. The reference for CPU is an idle daemon with nothing that waits.
"""

import argparse
import os
import socket
import statistics
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx

from bench.daemon import running
from bench.receiver import running as receiving
from bench.start import fill

SETTLE = 15.0
"""Seconds in which the breaker opens and the start is over."""

UPSTREAM = "http://127.0.0.1:9"


def free_port() -> int:
    """Return a port where nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def idle(url: str, folder: Path, seconds: float) -> tuple[float, float]:
    """Return the CPU share, in per cent, and the MiB of a daemon that has nothing it can do."""
    with running(UPSTREAM, url, [], folder=folder) as daemon:
        time.sleep(SETTLE)
        cpu = daemon.cpu()
        time.sleep(seconds)
        return (daemon.cpu() - cpu) / seconds * 100, daemon.rss()


def healed(url: str, folder: Path) -> float:
    """Return seconds from the moment an endpoint is there to its first delivery."""
    with running(UPSTREAM, url, [], folder=folder):
        time.sleep(SETTLE)
        return _first(url)


def restarted(url: str, folder: Path) -> tuple[float, float]:
    """Return seconds from a start to READY, and from READY to the first delivery."""
    port = url.rsplit(":", 1)[1].split("/", maxsplit=1)[0]
    with receiving("--port", port), running(UPSTREAM, url, [], folder=folder) as daemon:
        began = time.perf_counter()
        while not _told(url):
            time.sleep(0.005)
        return daemon.took, time.perf_counter() - began


def _first(url: str) -> float:
    port = url.rsplit(":", 1)[1].split("/", maxsplit=1)[0]
    with receiving("--port", port):
        began = time.perf_counter()
        while not _told(url):
            time.sleep(0.01)
        return time.perf_counter() - began


def _told(url: str) -> int:
    return int(httpx.get(url).text)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    url = f"http://127.0.0.1:{free_port()}/hook"
    with (
        TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as none,
        TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name,
    ):
        empty, memory = idle(url, Path(none), options.seconds)
        folder = Path(name)
        anyio.run(partial(fill, folder / "bench.db", options.count, ended="completed"))
        full, more = idle(url, folder, options.seconds)
        print(f"{options.count:,} waiting, {os.cpu_count()} cores")
        print(f"idle, nothing waits        {empty:6.2f} % CPU {memory:7.0f} MiB")
        print(
            f"idle, all wait             {full:6.2f} % CPU {more:7.0f} MiB   asked: ≤ 1 %"
        )
        soon = [healed(url, folder) for _ in range(options.runs)]
        print(
            f"endpoint heals -> first    {statistics.median(soon):6.2f} s median, "
            f"{max(soon):.2f} worst   asked: ≤ 1"
        )
        starts = [restarted(url, folder) for _ in range(options.runs)]
        print(
            f"restart -> ready           {statistics.median(s for s, _ in starts):6.2f} s median, "
            f"{max(s for s, _ in starts):.2f} worst   asked: ≤ 1"
        )
        print(
            f"ready -> first             {statistics.median(f for _, f in starts):6.2f} s median, "
            f"{max(f for _, f in starts):.2f} worst   asked: ≤ 1"
        )


if __name__ == "__main__":
    main()
