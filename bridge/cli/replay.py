"""Send deliveries again, by their IDs or many at once.

Each keeps its `webhook-id`, so a receiver that has it already can tell. Many at once are a job of
the daemon that outlasts its restart: this command only follows it.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.columns import clear, coloured, counted, lasting, sentence, show
from bridge.cli.deliveries import table
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

if TYPE_CHECKING:
    from bridge.cli.client import Client

app = typer.Typer(add_completion=False)

Document = Any
"""A JSON document of the API."""

PAUSE = 0.25
"""Seconds between two questions about what is followed."""

PATIENCE = 30.0
"""Seconds that a delivery is followed: its webhook may be held, or have a rate."""


@app.command(help=__doc__)
def replay(
    context: typer.Context,
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID", min=1, show_default=False)
    ] = None,
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="All that failed: the default of a filter.")
    ] = False,
    missing: Annotated[
        bool,
        typer.Option(
            "--missing", help="Events that were never meant for --webhook, and now are."
        ),
    ] = False,
    status: Annotated[
        str | None,
        typer.Option(metavar="STATUS", help="failed, delivered, superseded or cancelled."),
    ] = None,
    webhook: WebhookOption = None,
    since: Since = None,
    until: Until = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sent again.")
    ] = False,
    follow: Annotated[
        bool, typer.Option(help="Stay until it is done.", show_default=True)
    ] = True,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask the daemon to send again, and see it done."""
    from bridge.cli.reaching import reached
    from bridge.telemetry.clock import SystemClock

    now = SystemClock().now()
    wanted = {
        "status": _status(failed=failed, missing=missing, status=status),
        "webhook": webhook,
        "since": instant(since, option="--since", now=now),
        "until": instant(until, option="--until", now=now),
    }
    order = {name: value for name, value in wanted.items() if value is not None}
    _check(ids, order, dry_run=dry_run)
    with reached(context, config, url, token) as client:
        if ids:
            found = [_again(client, id_, follow=follow) for id_ in dict.fromkeys(ids)]
            show(found, (one_line(one) for one in found), as_json=as_json)
        elif dry_run:
            preview = client.replay({**order, "dry_run": True})
            show(preview, previewed(preview), as_json=as_json)
        else:
            job = client.replay(order)
            if follow:
                job = followed(client, job, tell=_teller(as_json=as_json))
            show(job, ended(job), as_json=as_json)


def _status(*, failed: bool, missing: bool, status: str | None) -> str | None:
    """Return the status that the options mean; None: none was given."""
    given = [
        word
        for word, wanted in (
            ("failed", failed),
            ("missing", missing),
            (status, status is not None),
        )
        if wanted
    ]
    if len(set(given)) > 1:
        raise typer.BadParameter("one of them is enough", param_hint="--status")
    return given[0] if given else None


def _check(ids: Sequence[int] | None, order: Document, *, dry_run: bool) -> None:
    if ids and (order or dry_run):
        raise typer.BadParameter("either IDs, or a filter", param_hint="ID")
    if not ids and not order:
        raise typer.BadParameter(
            "say which: IDs, or --failed, --missing, --status, --webhook, --since"
        )


def previewed(preview: Document) -> Iterator[str]:
    """Yield what a replay would do."""
    count = counted(preview["count"], "delivery", "deliveries")
    seconds = preview["duration_seconds"]
    if seconds is None:
        yield f"{count} would be sent again"
    else:
        yield f"{count} would be sent again, which takes {lasting(seconds)} at least by the rate"
    if preview["first"]:
        *rows, _ = table(preview["first"])
        yield "the first of them:"
        yield from rows


def followed(
    client: "Client",
    job: Document,
    *,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Document:
    """Return a replay once it is over, or is listed no longer; show how far it is meanwhile."""
    while not job["over"]:
        tell(f"replay {job['id']}: {counted(job['done'], 'delivery', 'deliveries')} due")
        sleep(PAUSE)
        now = [one for one in client.replays() if one["id"] == job["id"]]
        if not now:
            break
        job = now[0]
    tell("")
    return job


def ended(job: Document) -> Iterator[str]:
    """Yield what became of a replay."""
    done = counted(job["done"], "delivery is", "deliveries are")
    if job["over"]:
        yield f"replay {job['id']}: {done} due again; `genbridge deliveries` shows them"
    else:
        yield f"replay {job['id']} goes on in the daemon; {done} due again so far"


def _teller(*, as_json: bool) -> Callable[[str], None]:
    """Return how progress is shown: on one line of a terminal, else not at all."""
    if as_json or not sys.stderr.isatty():
        return lambda _text: None

    def tell(text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    return tell


def _again(client: "Client", id_: int, *, follow: bool) -> Document:
    attempts = client.delivery(id_)["attempts"]
    due = client.retry(id_)
    return settled(client, id_, attempts) if follow and due["status"] != "held" else due


def settled(
    client: "Client",
    id_: int,
    attempts: int,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Document:
    """Return a delivery once an attempt beyond so many is over, or as it is after a while."""
    one = client.delivery(id_)
    for _ in range(round(PATIENCE / PAUSE)):
        log = one["log"]
        if one["status"] != "pending" or (log and log[-1]["number"] > attempts):
            break
        sleep(PAUSE)
        one = client.delivery(id_)
    return one


def one_line(one: Document) -> str:
    """Return what became of a delivery that was sent again."""
    text = f"{one['id']} to {clear(one['webhook'])}: {coloured(one['status'])}"
    if one["status"] == "held":
        return f"{text}; `genbridge resume {clear(one['webhook'])}` sends it"
    if one["status"] == "pending" and one["due_at"] is not None:
        text += f", next {one['due_at']}"
    why = sentence(one["reason"])
    return f"{text} ({why})" if why and one["status"] != "delivered" else text
