"""What the store keeps when its disk loses power, fails or fills up; each control must fail.

usage: python -m bench faults [--cuts 1000] [--step 1] [--hold 60]

It needs root, strace and e2fsprogs. Ends with 1 where a promise was broken, or where a control
has found nothing.
"""

import argparse
import sys
import time
from collections.abc import Callable

from bench.disk import failing, powercut, syscalls
from bench.disk.judging import Outcome
from bench.disk.mounting import no_ext4, no_strace


def main() -> None:
    """Run every fault and its control."""
    parser = argparse.ArgumentParser(
        usage=(__doc__ or "").split("usage: ")[1].split("\n")[0]
    )
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--step", type=int, default=1, help="of system calls")
    parser.add_argument("--hold", type=float, default=60.0, help="seconds without room")
    given = parser.parse_args()
    why = no_ext4() or no_strace()
    if why is not None:
        sys.exit(f"cannot be tried here: {why}")
    kept = [
        _shown("power cut", lambda: powercut.cut(given.cuts)),
        _shown("  control: NORMAL", lambda: powercut.cut(10, bug="normal"), control=True),
        _shown("system calls", lambda: syscalls.every(step=given.step)),
        _shown("  control: early", lambda: syscalls.every(bug="early"), control=True),
        _shown("  control: blind", lambda: syscalls.every(bug="blind"), control=True),
        _shown("disk full", lambda: failing.full(given.hold)),
        _shown("  control: blind", lambda: failing.full(1, bug="blind"), control=True),
        _shown("read-only", lambda: failing.read_only(2)),
        _shown("  control: blind", lambda: failing.read_only(1, bug="blind"), control=True),
    ]
    sys.exit(not all(kept))


def _shown(name: str, fault: Callable[[], Outcome], *, control: bool = False) -> bool:
    """Print what came of it; return whether it is what should."""
    began = time.monotonic()
    outcome = fault()
    right = outcome.lost > 0 if control else outcome.good
    took = time.monotonic() - began
    print(f"{name:18} {'as it should' if right else 'WRONG':12} {took:7.1f} s  {outcome}")
    sys.stdout.flush()
    return right


if __name__ == "__main__":
    main()
