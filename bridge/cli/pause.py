"""Pause a webhook.

Events are recorded all the same; what waits is held until `genbridge resume`. What is under way
ends.
"""

import json
from typing import Annotated

import typer

from bridge.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    Token,
    Url,
    WebhookName,
)

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def pause(
    context: typer.Context,
    webhook: WebhookName,
    *,
    why: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Shown until it is resumed.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask the daemon to send nothing more."""
    from bridge.cli.reaching import reached

    with reached(context, config, url, token) as client:
        document = client.pause(webhook, {} if why is None else {"why": why})
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        typer.echo(f"{webhook} is {document['condition']}; what waits for it is held")
