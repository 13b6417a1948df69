"""End a watch.

What is pending for its webhooks still goes out; nothing more is asked about the generation.
"""

import typer

from bridge.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    GenerationId,
    SourceName,
    Token,
    Url,
)

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def unwatch(
    context: typer.Context,
    source: SourceName,
    id: GenerationId,  # noqa: A002  (a generation's id is called id everywhere)
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
) -> None:
    """Call a watch off."""
    from bridge.cli.reaching import reached

    with reached(context, config, url, token) as client:
        document = client.call_off(source, id)
    typer.echo(f"no longer watched ({document['ended']})")
