"""Show the webhooks and how they stand, or one in full.

Those of the configuration, and those that callers of the API brought along, which are called
`callback 7`.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from bridge.cli.columns import aligned, clear, coloured, counted, lasting, show
from bridge.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, Token, Url

app = typer.Typer(add_completion=False)

Document = Any
"""A JSON document of the API."""


@app.command(help=__doc__)
def webhooks(
    context: typer.Context,
    webhook: Annotated[
        str | None, typer.Argument(metavar="WEBHOOK", show_default=False)
    ] = None,
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask the daemon and print what it says."""
    from bridge.cli.reaching import reached

    with reached(context, config, url, token) as client:
        if webhook is not None:
            document = client.webhook(webhook)
            show(document, detailed(document), as_json=as_json)
            return
        found = list(client.webhooks())
    show(found, table(found), as_json=as_json)


def table(found: Sequence[Document]) -> Iterator[str]:
    """Yield a line for each webhook, and how many there are."""
    head = ("name", "condition", "breaker", "format", "url", "why")
    if found:
        yield from aligned([head, *(_row(one) for one in found)])
    yield counted(len(found), "webhook")


def _row(one: Document) -> tuple[str, ...]:
    return (
        clear(one["name"]),
        one["condition"],
        one["breaker"],
        one["format"],
        one["url"],
        clear(one["reason"] or ""),
    )


def detailed(one: Document) -> Iterator[str]:
    """Yield what is known of a webhook."""
    yield f"{clear(one['name'])}: {coloured(one['condition'])}{_why(one)}"
    yield f"  url       {one['url']}, format {one['format']}"
    yield f"  states    {', '.join(one['states'])}"
    yield f"  rate      {_rate(one)}, {one['concurrency']} at once"
    for key in one["keys"]:
        public = f", {key['public']}" if key["public"] else ""
        yield f"  key       {key['kind']} {key['fingerprint']}{public}"
    if not one["keys"]:
        yield "  key       none: unsigned"
    yield f"  breaker   {coloured(one['breaker'])}{_failing(one['health'])}"
    if one["live"] is not None:
        live = one["live"]
        yield f"  now       {live['in_flight']} of {live['concurrency']} under way"
    if one["pause_seconds"]:
        yield f"  pause     {lasting(one['pause_seconds'])} more"


def _why(one: Document) -> str:
    return f" ({clear(one['reason'])})" if one["reason"] else ""


def _rate(one: Document) -> str:
    rate = one["rate_per_second"]
    return "as fast as it answers" if rate is None else f"{rate:g} a second"


def _failing(health: Document) -> str:
    if health["failing_seconds"] is None:
        return ""
    span = lasting(health["failing_seconds"])
    return f", failing for {span} in {counted(health['failures'], 'attempt')}"
