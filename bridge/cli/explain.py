"""Explain a delivery: what happened, why, what comes next, what to do."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from bridge.cli.columns import clear, coloured, counted, lasting, show
from bridge.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, Token, Url

app = typer.Typer(add_completion=False)

Document = Any
"""A JSON document of the API."""

NOT_FOUND = 404
FIRST, LAST = 3, 3
"""Attempts that are told, from the beginning and from the end."""


@app.command(help=__doc__)
def explain(
    context: typer.Context,
    delivery: Annotated[
        int,
        typer.Argument(
            metavar="DELIVERY",
            min=1,
            help="Its ID, as `deliveries` shows it.",
            show_default=False,
        ),
    ],
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask the daemon and tell the story."""
    from bridge.cli.reaching import reached

    with reached(context, config, url, token) as client:
        one = client.delivery(delivery)
        webhook = _if_there(client.webhook, one["webhook"])
        watch = None
        if one["status"] == "pending" and one["generation_id"] and not one["replayed"]:
            watch = _if_there(client.watch, one["source"], one["generation_id"])
    before = None if watch is None else ahead(one, watch)
    document = {"delivery": one, "webhook": webhook, "waits_for": before}
    show(document, story(one, webhook, before), as_json=as_json)


def _if_there(ask: Callable[..., Document], *names: str) -> Document | None:
    """Return what the daemon knows under a name; None: nothing any more."""
    from bridge.cli.client import Refused

    try:
        return ask(*names)
    except Refused as refused:
        if refused.status != NOT_FOUND:
            raise
        return None


def ahead(one: Document, watch: Document) -> Document | None:
    """Return the delivery that must be over before this one: of an earlier state, same webhook."""
    waiting = (
        told
        for event in watch["events"]
        if event["sequence"] < one["sequence"]
        for told in event["deliveries"]
        if told["webhook"] == one["webhook"] and told["status"] == "pending"
    )
    return next(waiting, None)


def story(
    one: Document, webhook: Document | None, before: Document | None = None
) -> Iterator[str]:
    """Yield the story of a delivery; `webhook` None: it is no longer configured.

    `before` is the delivery that must be over first.
    """
    yield f"What it is: {_about(one)}."
    yield f"How it stands: {coloured(one['status'])}{_after(one)}."
    if one["log"]:
        yield "What happened:"
        yield from (f"  {line}" for line in _attempts(one["log"]))
    diagnosis = one["diagnosis"]
    if diagnosis is not None:
        yield f"What it means: {clear(diagnosis['means'])}."
    yield f"What comes next: {_next(one, webhook, before)}."
    advice = _advice(one, webhook)
    if advice:
        yield f"What to do: {advice}."


def _about(one: Document) -> str:
    if one["generation_id"] is None:
        what = clear(one["type"])
    else:
        what = (
            f"{clear(one['type'])} of {clear(one['source'])} {clear(one['generation_id'])}"
        )
    return (
        f"{what}, for {clear(one['webhook'])} ({one['url']}, format {one['format']}), "
        f"made {one['first_at']}"
    )


def _after(one: Document) -> str:
    attempts = f" after {counted(one['attempts'], 'attempt')}" if one["attempts"] else ""
    at = f", {one['settled_at']}" if one["settled_at"] else ""
    return (
        attempts + at + (", sent again because somebody asked" if one["replayed"] else "")
    )


def _attempts(log: list[Document]) -> Iterator[str]:
    """Yield the first and the last attempts; those between are alike more often than not."""
    between = len(log) - FIRST - LAST
    if between <= 1:
        yield from (_attempt(one) for one in log)
        return
    yield from (_attempt(one) for one in log[:FIRST])
    yield f"… {counted(between, 'attempt')} between, which `genbridge deliveries` shows"
    yield from (_attempt(one) for one in log[-LAST:])


def _attempt(one: Document) -> str:
    probe = {"probe": "probe, ", "replay": "replay, "}.get(one["purpose"] or "", "")
    text = f"{one['number']}. {one['at']}, {probe}{clear(one['sentence'])}"
    if one["next_at"] is None:
        return text
    why = f" ({clear(one['next_because'])})" if one["next_because"] else ""
    return f"{text}; the next not before {one['next_at']}{why}"


_OVER = {
    "delivered": "nothing: the receiver has it",
    "failed": "nothing by itself: it is kept, and can be sent again",
    "superseded": "nothing: a newer state took its place (`order: latest`)",
    "cancelled": "nothing: it was called off",
}


def _next(one: Document, webhook: Document | None, before: Document | None) -> str:
    if one["status"] in _OVER:
        return _OVER[one["status"]]
    if one["status"] == "held":
        return f"nothing until {clear(one['webhook'])} is resumed{_held_because(webhook)}"
    if webhook is None:
        return "nothing: its webhook is no longer configured"
    return _when(one, webhook, before)


def _when(one: Document, webhook: Document, before: Document | None) -> str:
    """Return what a pending delivery waits for."""
    if before is not None:
        return (
            f"it waits for delivery {before['id']}, an earlier state of the same generation "
            f"(`genbridge explain {before['id']}`): states are told in order"
        )
    if webhook["breaker"] != "closed":
        return (
            "it waits with the others while probes find out whether the receiver is back "
            f"(its breaker is {webhook['breaker']}); that uses none of its attempts"
        )
    if webhook["pause_seconds"]:
        return (
            "another attempt, once the webhook's pause is over, in "
            f"{lasting(webhook['pause_seconds'])}"
        )
    return f"another attempt at {one['due_at']}"


def _held_because(webhook: Document | None) -> str:
    if webhook is None:
        return ""
    why = f": {clear(webhook['reason'])}" if webhook["reason"] else ""
    return f" ({webhook['condition']}{why})"


def _advice(one: Document, webhook: Document | None) -> str:
    """Return the next step; empty: there is none."""
    diagnosis = one["diagnosis"]
    said = "" if diagnosis is None else clear(diagnosis["advice"])
    name = clear(one["webhook"])
    match one["status"]:
        case "held":
            step = f"`genbridge resume {name}`"
            active = webhook is None or webhook["condition"] == "paused"
            return step if active or not said else f"{said}; then {step}"
        case "failed" | "cancelled":
            step = f"`genbridge replay {one['id']}` sends it again"
            return step if not said else f"{said}; {step}"
        case _:
            return said
