"""The figures of real time: a poller in a process of its own, before an API in another one."""

import json
import os
import subprocess
import sys
from typing import Any

from bench.looking.figures import told
from bench.looking.server import running


def _measured(part: str) -> dict[str, Any]:
    with running() as url:
        command = [sys.executable, "-m", "bench.looking.measured", part, url]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=280)
    found: dict[str, Any] = json.loads(done.stdout)
    print(f"   load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return found


def cpu(_: int) -> None:
    """Print what an unchanged look costs, at one and at a hundred."""
    print(
        "F. CPU of an unchanged look, HTTP included: 1,000 looks a second at 2,000 watches"
    )
    found = _measured("single")
    told("each", found["ms"], most=0.4, unit="ms")
    told("looks a second", found["rate"])
    told("a bare GET by the same client", found["ours"], unit="ms")
    told("a bare GET by httpx", found["httpx"], unit="ms")
    print("   in batches of 100: 500 requests a second at 20,000 watches")
    found = _measured("hundred")
    told("CPU per id of an unchanged look, HTTP included", found["us"], most=10, unit="µs")
    told("ids a request", found["full"])
    told("requests a second", found["rate"])


def many(_: int) -> None:
    """Print what 100,000 watches in batches cost."""
    print("G. 100,000 watches in batches of 100, 100 requests a second")
    found = _measured("batch")
    told("RSS", found["rss"], most=300, unit="MiB")
    told("most of it, ever", found["most"], most=300, unit="MiB")
    told("before the first watch", found["bare"], unit="MiB")
    told("first look after", found["first"], most=2, unit="s")
    told("all taken up after", found["took"], unit="s", note=f"{found['taking']:.1f} s CPU")
    told(
        "CPU per id of an unchanged look, HTTP included",
        found["us"],
        unit="µs",
        note="nobody looked at for 10 s is in a cache",
    )
    told("ids a request", found["full"])
    told("requests a second", found["rate"])


def held(_: int) -> None:
    """Print what 10,000 open holds cost, and how soon their ends are known."""
    print("H. 10,000 holds of 30 s in one process, then released at random within 20 s")
    found = _measured("held")
    told("open at once", found["holds"], least=10_000)
    told("RSS", found["rss"], most=350, unit="MiB")
    told("most of it, ever", found["most"], most=350, unit="MiB")
    told("before the first watch", found["bare"], unit="MiB")
    told("CPU while they are held", found["cpu"], unit="%")
    told("of it a hold", found["each"], unit="ms")
    told("told of", found["told"], least=10_000)
    told("CPU of an end", found["end"], unit="ms")
    told("from the answer to the record: p50", found["p50"], unit="ms")
    told("p99", found["p99"], most=250, unit="ms")
    told("max", found["max"], unit="ms")
