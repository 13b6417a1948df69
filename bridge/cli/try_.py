"""Ask a source about one generation, once, and say what was read.

For writing the description of an API (`provider: http`), and for looking what an API answers:
the request, the answer, and what each expression found in it. The API is asked directly, as the
daemon would; nothing is stored and nobody is told. Exit code 0: the state was read; 1: it was
not; 2: the configuration or the command line is wrong.
"""

from typing import Annotated

import typer

from bridge.cli.columns import show
from bridge.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    GenerationId,
    SourceName,
)

app = typer.Typer(add_completion=False)

_HOLDS = ("queued", "dreaming", "completed")


@app.command(help=__doc__)
def try_(
    source: SourceName,
    generation: GenerationId,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    hold: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            help=f"Wait for a state with a long poll: {', '.join(_HOLDS)}.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask, and print what came of it."""
    from bridge.cli.configuration import settings
    from bridge.cli.findings import findings, lines
    from bridge.cli.trial import tried
    from bridge.core.ladder import State
    from bridge.core.looking import Get, Hold, Look

    known = settings(config)
    if source not in known.sources:
        there = ", ".join(known.sources) or "none"
        raise typer.BadParameter(f"{config} has {there}", param_hint="SOURCE")
    chosen = known.sources[source]
    look: Look = Get(id=generation)
    if hold is not None:
        if hold not in _HOLDS:
            raise typer.BadParameter(f"one of {', '.join(_HOLDS)}", param_hint="--hold")
        if chosen.provider.abilities.hold is None:
            raise typer.BadParameter(f"{source} has no long poll", param_hint="--hold")
        look = Hold(id=generation, until=State.of(hold))
    trial = tried(chosen.provider, look, allow=known.allow)
    report = findings(chosen, generation, trial)
    show(report, lines(report), as_json=as_json)
    if not report["read"]:
        raise typer.Exit(1)
