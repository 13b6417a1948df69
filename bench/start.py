"""How long `--help` takes, and until the daemon is ready.

usage: python -m bench.start [--runs 10]
"""

import argparse
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import anyio

from bench.daemon import running
from bridge.core.change import Change, Recipient
from bridge.core.event import event_id
from bridge.core.message import Message
from bridge.core.watch import Generation, Origin, Watch, WatchWish
from bridge.store.sqlite import SqliteStore
from bridge.telemetry.clock import SystemClock

MANY = 100_000


def timed(*command: str) -> float:
    """Return seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def ready(ids: list[str], folder: Path | None = None) -> float:
    """Return seconds until READY=1."""
    with running(
        "http://127.0.0.1:9", "http://127.0.0.1:9/hook", ids, folder=folder
    ) as daemon:
        return daemon.took


async def fill(path: Path, count: int = MANY, *, ended: str | None = None) -> None:
    """Leave a database with many watches, each with a delivery that nobody has claimed."""
    clock = SystemClock()
    async with await SqliteStore.open(path, clock=clock, uid=uuid4) as store:
        hook = (await store.webhooks(["name:bench"]))["name:bench"].id
        for start in range(0, count, 500):
            wishes = [
                WatchWish(
                    generation=Generation("aiml", f"generation-{i:06d}"),
                    origin=Origin.API,
                    webhooks=(hook,),
                )
                for i in range(start, min(count, start + 500))
            ]
            watches = (await store.register(wishes)).started
            await store.write([change(watch, hook, ended) for watch in watches], [])


def change(watch: Watch, hook: int, ended: str | None = None) -> Change:
    """Return a first change, whose delivery nobody has room for."""
    message = Message(id=event_id(watch.uid, "queued"), body=b'{"type":"x","data":{}}')
    recipient = Recipient(webhook=hook, room=False, lease=timedelta(seconds=30))
    return Change(
        watch=watch,
        rank=0,
        native_state="queued",
        ended=ended,
        tag="queued",
        message=message,
        recipients=(recipient,),
    )


def row(name: str, times: list[float], asked: str) -> None:
    """Print a line of the table."""
    print(f"{name:44}{statistics.median(times):8.2f}{max(times):8.2f}   {asked}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = range(parser.parse_args().runs)
    print(f"{'seconds':44}{'median':>8}{'worst':>8}")
    row(
        "python -c pass, for reference",
        [timed(sys.executable, "-c", "pass") for _ in runs],
        "",
    )
    row(
        "genbridge --help",
        [timed(sys.executable, "-P", "-m", "bridge", "--help") for _ in runs],
        "asked: ≤ 0.3",
    )
    row(
        "ready, 10 watches",
        [ready([f"g{i}" for i in range(10)]) for _ in runs],
        "asked: ≤ 1",
    )
    with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        anyio.run(fill, Path(folder, "bench.db"))
        row(
            f"ready, {MANY:,} watches and {MANY:,} pending deliveries",
            [ready([], Path(folder)) for _ in runs],
            "asked: ≤ 1 (later)",
        )


if __name__ == "__main__":
    main()
