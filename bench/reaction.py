"""How long from a provider's answer to the first byte at the webhook.

usage: python -m bench.reaction [--rounds 20] [--generations 10]

The daemon is a process; provider and receiver share one clock in this one. Each round starts it
anew with ten generations and lets each climb its three rungs, one at a time. Beside it: the same
path without a daemon, an answer on one connection forwarded at once to another.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from contextlib import ExitStack

import uvloop

from bench.daemon import running
from bench.upstream import Stage

STATES = ("queued", "dreaming", "completed")


async def rounds(count: int, generations: int) -> list[float]:
    """Return the reactions, in milliseconds."""
    stage = Stage()
    await stage.open()
    for n in range(count):
        ids = [f"generation-{n}-{i}" for i in range(generations)]
        with ExitStack() as stack:
            await asyncio.to_thread(
                stack.enter_context, running(stage.upstream, stage.receiver, ids)
            )
            for state in STATES:
                await climb(stage, ids, state)
            await asyncio.to_thread(stack.close)
    return [
        (stage.came[key] - left) * 1e3
        for key, left in stage.left_at.items()
        if key in stage.came
    ]


async def climb(stage: Stage, ids: list[str], state: str) -> None:
    """Let every generation reach a state, one after the other, and wait for its callback."""
    for id_ in random.sample(ids, len(ids)):
        await asyncio.wait_for(stage.holding([id_]), 30)
        await asyncio.sleep(random.uniform(0.02, 0.06))
        stage.advance(id_, state)
        while (id_, state) not in stage.came:
            await asyncio.sleep(0.005)


async def fsyncs(count: int) -> list[float]:
    """Return how long a durable write takes here: the least that a promise costs, in ms."""
    took = []
    with tempfile.TemporaryFile(dir=".") as file:
        for _ in range(count):
            began = time.perf_counter()
            os.write(file.fileno(), b"x" * 4096)
            os.fsync(file.fileno())
            took.append((time.perf_counter() - began) * 1e3)
            await asyncio.sleep(0.01)
    return took


def row(name: str, times: list[float]) -> str:
    """Return a line of the table."""
    cuts = statistics.quantiles(times, n=100)
    return f"{name:38}{cuts[49]:9.2f}{cuts[89]:9.2f}{cuts[98]:9.2f}{max(times):9.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--generations", type=int, default=10)
    options = parser.parse_args()
    times = uvloop.run(rounds(options.rounds, options.generations))
    disk = uvloop.run(fsyncs(300))
    print(f"{'milliseconds':38}{'p50':>9}{'p90':>9}{'p99':>9}{'max':>9}   n={len(times)}")
    print(row("answer → first byte at the webhook", times))
    print(row("one 4 KiB write + fsync, for reference", disk))
    ratio = statistics.median(times) / statistics.median(disk)
    print(f"asked: p50 ≤ 5, p99 ≤ 15. p50 to one fsync: {ratio:.1f}x")


if __name__ == "__main__":
    main()
