"""Show what is watched.

Without arguments every running watch; with a source those of the source; with an id too, one
watch and everything that happened to it, and why the last look at it taught nothing, if it did not.
A source that is in trouble, or may not look as often as it would have to, is named below with the
reason.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated, Any

import typer

from bridge.cli.columns import aligned, clear, counted, sentence, show
from bridge.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, Token, Url

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
            sources = [] if as_json or not document["active"] else client.sources()
            mine = [one for one in sources if one["name"] == source]
            show(document, chain(timeline(document), troubles(mine)), as_json=as_json)
            return
        query = {} if everything else {"active": "true"}
        if source is not None:
            query["source"] = source
        found = list(client.watches(**query))
        sources = [] if as_json else client.sources()
    wanted = [one for one in sources if source in (None, one["name"])]
    lines = chain(table(found, everything=everything), troubles(wanted))
    show(found, lines, as_json=as_json)


def table(watches: Sequence[Document], *, everything: bool = True) -> Iterator[str]:
    """Yield a line for each watch, aligned, and how many there are."""
    head: tuple[str, ...] = ("source", "id", "state", "until", "since", "told")
    rows = [head, *(_row(watch) for watch in watches)] if watches else []
    yield from aligned(rows)
    count = counted(len(watches), "watch", "watches")
    yield (
        count if watches or everything else f"{count} now; --all shows those that are over"
    )


def _row(watch: Document) -> tuple[str, ...]:
    state = watch["state"] or "not seen yet"
    if not watch["active"] and watch["ended"] != watch["state"]:
        state += f" ({watch['ended']})"
    return (
        clear(watch["source"]),
        clear(watch["id"]),
        clear(state),
        watch["until"],
        watch["state_at"] or watch["created_at"],
        clear(", ".join([*watch["webhooks"], *watch["callbacks"]])),
    )


_STANDS = {
    "busy": "throttles us",
    "refused": "refuses the key",
    "away": "does not answer",
}


def troubles(sources: Sequence[Document]) -> Iterator[str]:
    """Yield a line for every source that is in trouble, and one for what its key lacks."""
    for source in sources:
        stands = _STANDS.get(source["standing"])
        if stands is not None:
            why = f": {clear(source['why'])}" if source["why"] else ""
            yield f"{clear(source['name'])} {stands} since {source['since']}{why}"
        if source["saturation"]:
            yield clear(source["saturation"])


def timeline(watch: Document) -> Iterator[str]:
    """Yield what is known of a watch, and a line for every event and delivery."""
    yield f"{clear(watch['source'])} {clear(watch['id'])}"
    yield f"  state     {_state(watch)}"
    yield f"  watched   {_watched(watch)}"
    yield f"  since     {watch['created_at']}"
    # A daemon of the release before does not tell it.
    if watch.get("in_vain"):
        yield f"  last look {_in_vain(watch['in_vain'])}"
    if watch["metadata"]:
        yield f"  metadata  {json.dumps(watch['metadata'])}"
    for event in watch["events"]:
        yield f"{event['timestamp']}  {clear(event['type'])}"
        yield from (f"    {line}" for line in _about(event["data"]))
        yield from (f"    {_delivery(one)}" for one in event["deliveries"])


def _state(watch: Document) -> str:
    native = watch["native_state"]
    state: str = watch["state"] or "not seen yet"
    return state if native in (None, state) else f"{state} ({clear(native)})"


def _watched(watch: Document) -> str:
    if watch["active"]:
        return f"until {watch['until']}, deadline {watch['deadline_at']}"
    return f"no longer: {clear(watch['ended'] or 'over')}, {watch['ended_at']}"


def _in_vain(failed: Document) -> str:
    why, count = clear(failed["reason"]), failed["in_a_row"]
    return f"taught nothing: {why}" + (f", {count} in a row" if count > 1 else "")


def _about(data: Document) -> Iterator[str]:
    for output in data.get("outputs") or ():
        yield f"{clear(output['type'])} {clear(output['url'])}"
    failure = data.get("failure")
    if failure:
        yield f"failed: {clear(str(failure['code']))}: {clear(str(failure['reason']))}"


def _delivery(delivery: Document) -> str:
    text = f"{clear(delivery['webhook'])}: {delivery['status']}"
    if delivery["attempts"]:
        text += f" after {counted(delivery['attempts'], 'attempt')}"
    if delivery["due_at"] is not None:
        text += f", next {delivery['due_at']}"
    if delivery["reason"] and delivery["status"] != "delivered":
        text += f" ({sentence(delivery['reason'])})"
    return text
