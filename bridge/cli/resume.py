"""Resume a webhook that was paused or disabled.

What waits for it is sent in order, or only what is not older than --since; with --discard nothing
of it.
"""

import json
from typing import Annotated

import typer

from bridge.cli.columns import counted
from bridge.cli.instants import instant
from bridge.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    Since,
    Token,
    Url,
    WebhookName,
)

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def resume(
    context: typer.Context,
    webhook: WebhookName,
    *,
    since: Since = None,
    discard: Annotated[
        bool, typer.Option("--discard", help="Cancel all that waits.")
    ] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask the daemon to send again."""
    from bridge.cli.reaching import reached
    from bridge.telemetry.clock import SystemClock

    if discard and since is not None:
        raise typer.BadParameter("either --since or --discard", param_hint="--discard")
    moment = instant(since, option="--since", now=SystemClock().now())
    order: dict[str, object] = {"discard": True} if discard else {}
    if moment is not None:
        order["since"] = moment
    with reached(context, config, url, token) as client:
        document = client.resume(webhook, order)
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    waiting = counted(document["waiting"], "delivery waits", "deliveries wait")
    typer.echo(f"{webhook} is {document['webhook']['condition']}; {waiting} for it")
