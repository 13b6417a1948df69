"""Send an example to a webhook, and say what its answer means.

It is one attempt, made now whatever the webhook's condition, counted by its rate and stored
nowhere. Exit code 0: the receiver has taken it; 1: it has not.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from bridge.cli.columns import clear, show
from bridge.cli.deliveries import answered, spans, told
from bridge.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    Token,
    Url,
    WebhookName,
)

app = typer.Typer(add_completion=False)

Document = Any
"""A JSON document of the API."""

MOST_LINES = 40
"""Lines of a body that are shown; `--json` has it whole."""

_RESULTS = {
    "delivered": "taken",
    "again": "not taken, a delivery would be tried again",
    "failed": "not taken, a delivery would be given up",
    "disabled": "not taken, the webhook would be switched off",
    "skipped": "not sent",
}


@app.command(help=__doc__)
def send_test(
    context: typer.Context,
    webhook: WebhookName,
    *,
    event: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE", help="completed (the default), failed, webhook.disabled …"
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(metavar="FORM", help="full (the default), compact or text."),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask the daemon for a trial and print it."""
    from bridge.cli.reaching import reached

    wanted = {"event": event, "form": form}
    order = {name: value for name, value in wanted.items() if value is not None}
    with reached(context, config, url, token) as client:
        trial = client.test(webhook, order)
    show(trial, shown(trial), as_json=as_json)
    if trial["result"] != "delivered":
        raise typer.Exit(1)


def shown(trial: Document) -> Iterator[str]:
    """Yield the request, the answer, what it means and the next step."""
    request = trial["request"]
    yield f"{request['method']} {request['url']}"
    for name, value in request["headers"]:
        yield f"  {clear(name)}: {clear(value)}"
    yield from _body(request)
    yield ""
    yield from _answer(trial)
    yield ""
    yield f"{_RESULTS[trial['result']]}: {clear(trial['sentence'])}"
    yield from told(trial["diagnosis"])


def _body(request: Document) -> Iterator[str]:
    """Yield a body, JSON with one key a line."""
    if request["body"] is None:
        yield f"  (no text) {(request['body_base64'] or '')[:80]}"
        return
    try:
        text = json.dumps(json.loads(request["body"]), indent=2, ensure_ascii=False)
    except ValueError:
        text = request["body"]
    # Indentation stays, whatever a terminal would obey does not.
    lines = [
        line[: len(line) - len(line.lstrip())] + clear(line) for line in text.splitlines()
    ]
    yield from (f"  {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"  … +{len(lines) - MOST_LINES} lines"


def _answer(trial: Document) -> Iterator[str]:
    if trial["code"] is None:
        at = trial["failed_at"]
        yield "nothing was sent" if at is None else f"no answer ({clear(at)})"
        return
    place = "" if trial["address"] is None else f" from {trial['address']}"
    secured = "" if trial["tls"] is None else f", {trial['tls']}"
    yield f"{trial['code']}{place}{secured}: {spans(trial['timings'])}"
    for name, value in trial["answer_headers"]:
        yield f"  {clear(name)}: {clear(value)}"
    body = answered(trial)
    if body:
        yield f"  {body}"
