"""Run the daemon.

It works until SIGTERM or SIGINT; SIGHUP makes it read the configuration again. The log goes to
standard error: coloured on a terminal, JSON otherwise.
"""

from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from bridge.cli.options import DEFAULT_CONFIG, ConfigFile

app = typer.Typer(add_completion=False)


class Level(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@app.command(help=__doc__)
def run(
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    log_level: Annotated[
        Level, typer.Option(help="The least that is logged.")
    ] = Level.INFO,
) -> None:
    """Run the daemon until it is told to stop."""
    from bridge.cli.configuration import settings

    reread = partial(settings, config)
    checked = reread()

    import anyio

    from bridge.app import serve
    from bridge.telemetry.clock import SystemClock
    from bridge.telemetry.log import adopt, open_log

    log = open_log(SystemClock(), level=log_level)
    adopt(log)
    anyio.run(
        partial(serve, checked, reread=reread, log=log),
        backend="asyncio",
        backend_options={"use_uvloop": True},
    )
