"""Run one measurement, or all of them.

usage: python -m bench [NAME [ARGS]]        ./run bench delivery --count 20000
"""

import runpy
import sys

NAMES = {
    "start": "how long --help takes, and until the daemon is ready",
    "reaction": "from a provider's answer to the first byte at a webhook",
    "pace": "how late changes are found for how many looks, beside other schedules (virtual time)",
    "looks": "the real poller: how late, with how many requests, at what cost",
    "delivery": "CPU per signed, durably logged delivery, beside httpx and a bare client",
    "holds": "1,000 holds at once: is any asked late, and how much memory",
    "isolation": "1,000 webhooks of which 300 hang: what the healthy ones notice",
    "http": "CPU per POST of our client, beside aiohttp, httpx and a bare client",
    "memory": "memory per attempt against answers that never end",
    "waiting": "100,000 deliveries that wait for a dead webhook: cost, restart, recovery",
    "registrations": "watches ordered over HTTP a second, and pages of a long list",
    "replicas": "three replicas on one PostgreSQL: its load, and every kind of take-over",
    "store": "events recorded and settled a second on SQLite, FULL",
}

LONG = {
    "crash": "random kills",
    "formats": "10,000 generated messages in every format: every limit, no markup",
    "faults": "power cuts, full and failing disks under the store (root)",
}
"""What takes many minutes, and therefore is not a part of all."""


def main() -> None:
    """Hand over to the named measurement."""
    name, *arguments = sys.argv[1:] or ["all"]
    if name == "all":
        chosen = list(NAMES)
    elif name in NAMES or name in LONG:
        chosen = [name]
    else:
        known = NAMES | LONG
        width = max(map(len, known))
        print("usage: ./run bench [NAME [ARGS]]\n")
        print("\n".join(f"  {name:{width}}  {what}" for name, what in known.items()))
        raise SystemExit(2)
    for one in chosen:
        print(f"\n== {one}: {(NAMES | LONG)[one]}", flush=True)
        sys.argv = [f"bench.{one}", *arguments]
        runpy.run_module(f"bench.{one}", run_name="__main__")


if __name__ == "__main__":
    main()
