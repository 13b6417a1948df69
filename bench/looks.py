"""The real poller: how late, with how many requests, and at what cost.

usage: ./run bench looks [--part holds|batches|day|start|fleet|cpu|many|held ...] [--seed 1]

On virtual time the API is a fake and the round trip 0 (0.2 s in a day); with the real clock it
is a process of its own. Ends with 1 where a figure that was asked for is not reached.
"""

import argparse
import os

from bench.looking import real, virtual
from bench.looking.figures import missed

PARTS = {
    "holds": virtual.holds,
    "batches": virtual.batches,
    "day": virtual.day,
    "start": virtual.start,
    "fleet": virtual.fleet,
    "cpu": real.cpu,
    "many": real.many,
    "held": real.held,
}


def main() -> None:
    """Print all parts, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=PARTS, nargs="+", default=list(PARTS))
    options = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}")
    for part in options.part:
        PARTS[part](options.seed)
        print(flush=True)
    said = (
        "not reached: " + "; ".join(missed) if missed else "every figure asked is reached"
    )
    print(said)
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
