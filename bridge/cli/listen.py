"""Receive callbacks here, verify and print them.

Every callback is one line: when, what, which attempt, what its signature was worth, and the
status it was answered with. Ctrl-C ends it.
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from bridge.cli.options import Secrets
from bridge.cli.paint import say
from bridge.core.delivering.signing import Key, read_key

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def listen(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0: any that is free.")
    ] = 8390,
    secret: Secrets = None,
    status: Annotated[
        int, typer.Option(min=200, max=599, help="How callbacks that verify are answered.")
    ] = 200,
) -> None:
    """Receive until told to stop."""
    from functools import partial

    from bridge.cli.foreground import until_told
    from bridge.simulator.receiver import serve
    from bridge.telemetry.clock import SystemClock

    keys = keys_of(secret or ())
    if not keys:
        say("without --secret nothing can be verified")
    until_told(
        partial(serve, clock=SystemClock(), port=port, say=say, keys=keys, status=status)
    )


def keys_of(texts: Sequence[str]) -> tuple[Key, ...]:
    """Return the keys that secrets mean; a bad one is a mistake of the command line."""
    try:
        return tuple(read_key(text) for text in texts)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--secret") from None
