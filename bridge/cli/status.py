"""Show what is watched.

Without arguments every running watch; with a source those of the source; with an id too, one
watch and everything that happened to it.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from bridge.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, Token, Url
from bridge.core.card import readable

app = typer.Typer(add_completion=False)

Document = Any
"""A JSON document of the API."""


@app.command(help=__doc__)
def status(
    context: typer.Context,
    source: Annotated[
        str | None, typer.Argument(metavar="SOURCE", show_default=False)
    ] = None,
    id: Annotated[  # noqa: A002  (a generation's id is called id everywhere)
        str | None, typer.Argument(metavar="ID", show_default=False)
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Show watches that are over, too.")
    ] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask the daemon and print what it says."""
    from bridge.cli.reaching import reached

    with reached(context, config, url, token) as client:
        if source is not None and id is not None:
            document = client.watch(source, id)
            _print(document, timeline(document), as_json=as_json)
            return
        query = {} if everything else {"active": "true"}
        if source is not None:
            query["source"] = source
        found = list(client.watches(**query))
    _print(found, table(found), as_json=as_json)


def _print(document: Document, lines: Iterator[str], *, as_json: bool) -> None:
    typer.echo(json.dumps(document, indent=2) if as_json else "\n".join(lines))


def _clear(text: str) -> str:
    """Return a text from outside on one line, without what a terminal would obey."""
    return " ".join(readable(text).split())


def table(watches: Sequence[Document]) -> Iterator[str]:
    """Yield a line for each watch, aligned, and how many there are."""
    head: tuple[str, ...] = ("source", "id", "state", "until", "since", "told")
    rows = [head, *(_row(watch) for watch in watches)] if watches else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
    yield f"{len(watches):,} {'watch' if len(watches) == 1 else 'watches'}"


def _row(watch: Document) -> tuple[str, ...]:
    state = watch["state"] or "not seen yet"
    if not watch["active"] and watch["ended"] != watch["state"]:
        state += f" ({watch['ended']})"
    return (
        _clear(watch["source"]),
        _clear(watch["id"]),
        _clear(state),
        watch["until"],
        watch["state_at"] or watch["created_at"],
        _clear(", ".join([*watch["webhooks"], *watch["callbacks"]])),
    )


def timeline(watch: Document) -> Iterator[str]:
    """Yield what is known of a watch, and a line for every event and delivery."""
    yield f"{_clear(watch['source'])} {_clear(watch['id'])}"
    yield f"  state     {_state(watch)}"
    yield f"  watched   {_watched(watch)}"
    yield f"  since     {watch['created_at']}"
    if watch["metadata"]:
        yield f"  metadata  {json.dumps(watch['metadata'])}"
    for event in watch["events"]:
        yield f"{event['timestamp']}  {_clear(event['type'])}"
        yield from (f"    {line}" for line in _about(event["data"]))
        yield from (f"    {_delivery(one)}" for one in event["deliveries"])


def _state(watch: Document) -> str:
    native = watch["native_state"]
    state: str = watch["state"] or "not seen yet"
    return state if native in (None, state) else f"{state} ({_clear(native)})"


def _watched(watch: Document) -> str:
    if watch["active"]:
        return f"until {watch['until']}, at the latest {watch['deadline_at']}"
    return f"no longer: {_clear(watch['ended'] or 'over')}, {watch['ended_at']}"


def _about(data: Document) -> Iterator[str]:
    for output in data.get("outputs") or ():
        yield f"{_clear(output['type'])} {_clear(output['url'])}"
    failure = data.get("failure")
    if failure:
        yield f"failed: {_clear(str(failure['code']))}: {_clear(str(failure['reason']))}"


def _delivery(delivery: Document) -> str:
    text = f"{_clear(delivery['webhook'])}: {delivery['status']}"
    if delivery["attempts"]:
        text += f" after {_counted(delivery['attempts'])}"
    if delivery["due_at"] is not None:
        text += f", next {delivery['due_at']}"
    if delivery["reason"] and delivery["status"] != "delivered":
        text += f" ({_clear(delivery['reason'])})"
    return text


def _counted(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"
