"""A process that has imported everything and forks a daemon for each line that it reads.

usage: python -m bench.crash.zygote MODULE:FUNCTION

A line is a JSON list of arguments; the answer is the child's process id. Between a thousand kills
the imports would take most of the time, and nothing is to be learnt from them.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module

PRELOADED = (
    "bridge.app",
    "bridge.cli.commands",
    "bridge.cli.configuration",
    "bridge.cli.run",
    "bridge.formats.standard",
    "bridge.providers.aimlapi_luma",
    "bridge.telemetry.log",
    "uvloop",
)


def main() -> None:
    """Fork until the input ends."""
    module, name = sys.argv[1].split(":")
    for one in PRELOADED:
        import_module(one)
    call: Callable[[], object] = getattr(import_module(module), name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line), call)
        print(child, flush=True)  # the parent's answer


def _become(arguments: list[str], call: Callable[[], object]) -> None:
    """Be the daemon, and end with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.argv = ["genbridge", *arguments]
    code = 1
    try:
        call()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:  # noqa: BLE001  (the child must not go on as a zygote)
        print(repr(error), file=sys.stderr)
    os._exit(code)


if __name__ == "__main__":
    main()
