"""Kill the daemon at random moments and audit from outside what its webhooks got.

usage: python -m bench crash [--kills 1000] [--processes] [--refuse 0.1] [--seed 7]
       python -m bench crash --kills 40 --broken       control: the loss must be seen

Passing: every generation's end arrived at each webhook; every rung arrived or is named as skipped;
never an older state after a newer one; one webhook-id for an event and one event for an id; every
signature right; nobody died of anything but a kill. Repetitions are counted, they break no promise.
"""

import argparse

import anyio

from bench.crash.killing import Plan, killed


def main() -> None:
    """Print the report as a line of JSON; exit with 1 where a promise was broken."""
    parser = argparse.ArgumentParser(
        prog="bench crash",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--window", type=float, default=0.2)
    parser.add_argument("--settle", type=float, default=60.0)
    parser.add_argument("--refuse", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--processes", action="store_true", help="no fork, new interpreters"
    )
    parser.add_argument(
        "--broken", action="store_true", help="a build that settles too early"
    )
    options = vars(parser.parse_args())
    broken = options.pop("broken")
    if broken:
        options["main"] = "bench.crash.early:main"
    report = anyio.run(killed, Plan(**options))
    print(report.line)
    if not report.clean and not broken:
        print(report.log)
    raise SystemExit(report.clean == broken)


if __name__ == "__main__":
    main()
