"""The command `genbridge`; the daemon's first moments are its own business."""

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Do what the command line says, and end with its exit code."""
    if sys.argv[1:2] == ["run"]:
        _obey_signals()
    from bridge.cli.commands import obey  # noqa: PLC0415  (only now, see below)

    sys.exit(obey())


def _obey_signals() -> None:
    """End at once when told to, until the daemon has handlers of its own.

    As PID 1 of a container, a process without handlers ignores SIGTERM: they must stand before
    the heavy imports begin. Nothing is lost, for nothing has been opened. A SIGHUP that comes
    before the configuration can be reloaded must not end the daemon.
    """
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _end(_number: int, _frame: FrameType | None) -> None:
    # Not SystemExit: whatever is being imported just now might catch it.
    os._exit(0)


if __name__ == "__main__":
    main()
