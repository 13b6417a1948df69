"""Show everything at work, without a key: a simulated API, the daemon, a receiver.

Five generations at four simulated APIs are watched, and three webhooks are told about them. The
first receiver answers 503, then 429, before it accepts. Every callback is printed as it arrives.
Nothing leaves this machine, and nothing is left behind.
"""

import sys
from typing import Annotated

import typer

from bridge.cli.paint import paint_for, say

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def demo(
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")
    ] = False,
) -> None:
    """Play the demo; exit code 1 where it does not show what it should."""
    import tempfile
    from pathlib import Path

    from bridge.cli.foreground import until_told
    from bridge.cli.stage.performance import Performance
    from bridge.cli.stage.programme import Programme

    programme = Programme(say, paint_for(sys.stdout))
    with tempfile.TemporaryDirectory(prefix="genbridge-demo-") as folder:
        address = _free_address() if keep else None
        performance = Performance(Path(folder), programme, keep=address)
        finished = until_told(performance.play)
    if not performance.passed:
        if not finished:
            say("stopped")
        raise typer.Exit(1)


def _free_address() -> str:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"
