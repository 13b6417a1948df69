"""A thousand generations held at once at aimlapi-luma: is any asked late, and what does it take.

usage: python -m bench.holds [--generations 1000] [--seconds 75] [--rate 200]

The simulated API really holds for 30 s, in a process of its own kind of work: here. A request is
late when it comes more than `LATE` seconds after the answer to the one before it.
"""

import argparse
import statistics
from collections import defaultdict
from itertools import pairwise

import anyio
import anyio.to_thread
import uvloop

from bench.daemon import Daemon, running
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock

HOLD = 30.0
LATE = 1.5


class Told:
    """What the daemon looked like while everything was held."""

    rss: float = 0.0
    cpu: float = 0.0
    most: int = 0


async def hold(
    generations: int, seconds: float, rate: int, told: Told
) -> list[list[float]]:
    """Return the moments of the requests of each generation."""
    async with Upstream(clock=SystemClock()) as upstream:
        ids = [
            upstream.add("aimlapi-luma", script=(("queued", 10_000.0), ("completed", None)))
            for _ in range(generations)
        ]
        context = running(
            upstream.url("aimlapi-luma"),
            "http://127.0.0.1:9/hook",
            ids,
            rate_limit=f"{rate}/s",
            max_connections=generations * 5 // 4,
        )
        daemon: Daemon = await anyio.to_thread.run_sync(context.__enter__)
        try:
            await anyio.sleep(generations * 2 / rate)
            before = daemon.cpu()
            await anyio.sleep(seconds)
            told.cpu = (daemon.cpu() - before) / seconds
            told.rss, told.most = daemon.rss(), upstream.apis.most_open
        finally:
            await anyio.to_thread.run_sync(context.__exit__, None, None, None)
        moments = defaultdict(list)
        for call in upstream.requests:
            moments[dict(call.query).get("generation_id", "")].append(call.at)
        return list(moments.values())


def gaps(moments: list[float]) -> list[float]:
    """Return how long after each answer at the limit the next request came."""
    return [b - a - HOLD for a, b in pairwise(moments[1:])]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=75.0)
    parser.add_argument("--rate", type=int, default=200)
    o = parser.parse_args()
    told = Told()
    all_moments = uvloop.run(hold(o.generations, o.seconds, o.rate, told))
    every = [gap for moments in all_moments for gap in gaps(moments)]
    late = sum(gap > LATE for gap in every)
    print(f"held at once                         {told.most:8}")
    print(f"asked again after a hold             {len(every):8}")
    print(f"of these late (> {LATE} s)              {late:8}   asked: 0")
    if every:
        cut = statistics.quantiles(every, n=100)
        print(
            f"asked again after, p50 / p99 / max   {cut[49] * 1e3:8.0f} {cut[98] * 1e3:8.0f}"
            f" {max(every) * 1e3:8.0f} ms"
        )
    print(f"RSS of the daemon                    {told.rss:8.0f} MiB   asked: ≤ 120")
    print(f"CPU of the daemon                    {told.cpu * 100:8.1f} %")


if __name__ == "__main__":
    main()
