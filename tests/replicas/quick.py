"""A daemon that is quick to notice a death: `python -m tests.replicas.quick run -c FILE`.

The environment variable `PACE` has the times of `Pace` as JSON; what it leaves out is usual.
"""

import json
import os
from functools import partial
from pathlib import Path

import anyio

from bridge.app import serve
from bridge.cli.configuration import settings
from bridge.core.sharing.liveness import Pace
from bridge.telemetry.clock import SystemClock
from bridge.telemetry.log import adopt, open_log


def main(config: Path, pace: Pace) -> None:
    reread = partial(settings, config)
    checked = reread()
    log = open_log(SystemClock(), level=os.environ.get("LEVEL", "info"))
    adopt(log)
    anyio.run(
        partial(serve, checked, reread=reread, log=log, pace=pace),
        backend="asyncio",
        backend_options={"use_uvloop": True},
    )


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[-1]), Pace(**json.loads(os.environ.get("PACE", "{}"))))
