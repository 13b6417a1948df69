"""A daemon that is quick to notice a death: `python -m tests.replicas.quick run -c FILE`.

The environment variable `PACE` has the times of `Pace` as JSON; what it leaves out is usual.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path

import anyio

from bridge.app import serve
from bridge.cli.configuration import settings
from bridge.core.sharing.liveness import Pace
from bridge.errors import GenbridgeError
from bridge.telemetry.clock import SystemClock
from bridge.telemetry.log import adopt, open_log


def main() -> None:
    """Run the daemon that the command line and the environment ask for."""
    try:
        _run()
    except GenbridgeError as error:
        sys.exit(_said(error))


def _said(error: GenbridgeError) -> int:
    sys.stderr.write(f"error: {error}\n")
    return error.exit_code


def _run() -> None:
    pace = Pace(**json.loads(os.environ.get("PACE", "{}")))
    reread = partial(settings, Path(sys.argv[-1]))
    checked = reread()
    log = open_log(SystemClock(), level=os.environ.get("LEVEL", "info"))
    adopt(log)
    anyio.run(
        partial(serve, checked, reread=reread, log=log, pace=pace),
        backend="asyncio",
        backend_options={"use_uvloop": True},
    )


if __name__ == "__main__":
    main()
