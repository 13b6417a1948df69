"""Show deliveries, or one with every attempt.

The newest come first. `held` is what waits for a webhook that is paused or disabled. With an ID,
every attempt of that delivery is shown, and the reason of what came of it.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any

import typer

from bridge.cli.columns import aligned, clear, coloured, counted, sentence, show
from bridge.cli.instants import instant
from bridge.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    Since,
    Token,
    Until,
    Url,
    WebhookOption,
)

app = typer.Typer(add_completion=False)

Document = Any
"""A JSON document of the API."""

SHOWN = 500
"""Characters of an answer that are shown; `--json` has all that is kept."""


@app.command(help=__doc__)
def deliveries(
    context: typer.Context,
    id: Annotated[  # noqa: A002  (it is called id everywhere)
        int | None, typer.Argument(metavar="ID", min=1, show_default=False)
    ] = None,
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="The same as --status failed.")
    ] = False,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="STATUS",
            help="pending, held, delivered, failed, superseded or cancelled.",
        ),
    ] = None,
    webhook: WebhookOption = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many are shown at most.")
    ] = 50,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask the daemon and print what it says."""
    from bridge.cli.reaching import reached
    from bridge.telemetry.clock import SystemClock

    if failed and status not in {None, "failed"}:
        raise typer.BadParameter("either --failed or --status", param_hint="--failed")
    now = SystemClock().now()
    wanted = {
        "status": "failed" if failed else status,
        "webhook": webhook,
        "since": instant(since, option="--since", now=now),
        "until": instant(until, option="--until", now=now),
    }
    query = {name: value for name, value in wanted.items() if value is not None}
    if id is not None and query:
        raise typer.BadParameter("an ID needs no filter", param_hint="ID")
    with reached(context, config, url, token) as client:
        if id is not None:
            document = client.delivery(id)
            show(document, detailed(document), as_json=as_json)
            return
        found = list(islice(client.deliveries(**query), limit + 1))
    lines = table(found[:limit], more=len(found) > limit)
    show(found[:limit], lines, as_json=as_json)


def table(found: Sequence[Document], *, more: bool = False) -> Iterator[str]:
    """Yield a line for each delivery, and how many there are."""
    head = ("id", "webhook", "event", "generation", "status", "attempts", "when", "why")
    if found:
        yield from aligned([head, *(_row(one) for one in found)])
    count = counted(len(found), "delivery", "deliveries")
    yield f"{count}; there are more, --limit shows them" if more else count


def _row(one: Document) -> tuple[str, ...]:
    return (
        str(one["id"]),
        clear(one["webhook"]),
        clear(one["type"]).removeprefix("generation."),
        clear(f"{one['source'] or '-'} {one['generation_id'] or ''}"),
        one["status"],
        f"{one['attempts']:,}",
        one["due_at"] or one["settled_at"] or one["first_at"],
        "" if one["status"] == "delivered" else sentence(one["reason"])[:SHOWN],
    )


def detailed(one: Document) -> Iterator[str]:
    """Yield what is known of a delivery, and some lines for every attempt."""
    yield f"delivery {one['id']} to {clear(one['webhook'])}, {_standing(one)}"
    yield f"  event      {clear(one['type'])}, webhook-id {one['event']}"
    if one["generation_id"] is not None:
        yield f"  generation {clear(one['source'])} {clear(one['generation_id'])}"
    yield f"  receiver   {one['url']}, format {one['format']}"
    for attempt in one["log"]:
        yield from _attempt(attempt)
    missing = one["attempts"] - len(one["log"])
    if missing > 0:
        yield f"  {counted(missing, 'attempt')} more: kept no longer, or under way"
    if one["diagnosis"] is not None:
        yield from told(one["diagnosis"])


def told(diagnosis: Document) -> Iterator[str]:
    """Yield what an answer means, and the next step where there is one."""
    yield f"it means: {clear(diagnosis['means'])}"
    if diagnosis["advice"]:
        yield f"next step: {clear(diagnosis['advice'])}"


def _standing(one: Document) -> str:
    text = coloured(one["status"])
    if one["attempts"]:
        text += f" after {counted(one['attempts'], 'attempt')}"
    if one["due_at"] is not None:
        text += f", next {one['due_at']}"
    return text + (", replayed" if one["replayed"] else "")


def _attempt(attempt: Document) -> Iterator[str]:
    yield f"{attempt['number']:>3}. {attempt['at']}  {clear(attempt['sentence'])}"
    yield f"       {_journey(attempt)}"
    body = answered(attempt)
    if body:
        yield f"       answer: {body}"
    if attempt["next_at"] is not None:
        why = f" ({clear(attempt['next_because'])})" if attempt["next_because"] else ""
        yield f"       next: {attempt['next_at']}{why}"


def _journey(attempt: Document) -> str:
    """Return where an attempt went and how long each phase took."""
    place = attempt["address"] or "nowhere"
    if attempt["tls"]:
        place += f", {attempt['tls']}"
    return f"{place}: {spans(attempt['timings'])}"


def spans(timings: Document) -> str:
    """Return the phases of an exchange in milliseconds: `connect 2.0, total 25.5 ms`."""
    phases = [
        f"{name} {value:.1f}"
        for name, value in timings.items()
        if name != "reused" and value is not None
    ]
    kept = "kept connection, " if timings["reused"] else ""
    return f"{kept}{', '.join(phases)} ms"


def answered(document: Document) -> str:
    """Return the beginning of an answer on one line."""
    if document["answer_base64"] is not None:
        return f"(no text) {document['answer_base64'][:80]}…"
    text = clear((document["answer"] or "")[: 4 * SHOWN])
    return f"{text[:SHOWN]}…" if len(text) > SHOWN else text
