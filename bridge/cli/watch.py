"""Watch a generation.

The running daemon is asked; once this ends well, the watch is on its disk. The same again
unites the webhooks, raises `--until` and replaces deadline and metadata.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bridge.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    GenerationId,
    SourceName,
    Token,
    Url,
)

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def watch(
    context: typer.Context,
    source: SourceName,
    id: GenerationId,  # noqa: A002  (a generation's id is called id everywhere)
    *,
    until: Annotated[
        str | None,
        typer.Option(metavar="STATE", help="queued, dreaming or completed (the default)."),
    ] = None,
    webhook: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Who is told; several times for several. Default: all."
        ),
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Comes back in every event; several times, or once as a JSON object.",
        ),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="The first answer after it ends it, as lost if it is not over; default 24h.",
        ),
    ] = None,
    callback_url: Annotated[
        str | None, typer.Option(metavar="URL", help="A webhook of your own.")
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            metavar="SECRET",
            envvar="GENBRIDGE_SECRET",
            help="Signs what goes to the callback URL (whsec_ or whsk_).",
        ),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Order a watch."""
    from bridge.cli.reaching import reached

    wanted = {
        "source": source,
        "id": id,
        "until": until,
        "webhooks": webhook,
        "deadline": deadline,
        "metadata": metadata_of(metadata or ()),
        "callback_url": callback_url,
        # The variable may be meant for other commands: alone it means nothing here.
        "secret": secret if callback_url else None,
    }
    order = {name: value for name, value in wanted.items() if value is not None}
    with reached(context, config, url, token) as client:
        document, begun = client.order(order)
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        typer.echo(sentence(document, begun=begun))


def metadata_of(texts: Sequence[str]) -> dict[str, Any] | None:
    """Return the metadata that `KEY=VALUE` texts or one JSON object mean; None: there is none.

    A value that is JSON is taken as such: `order=1042` is a number, `name=Ann` a text.
    """
    if not texts:
        return None
    if texts[0].lstrip().startswith("{"):
        if len(texts) > 1:
            raise _wrong("either one JSON object, or KEY=VALUE as often as you like")
        return _document(texts[0])
    pairs = [text.partition("=") for text in texts]
    if not all(key and equals for key, equals, _ in pairs):
        raise _wrong("expected KEY=VALUE, or one JSON object")
    return {key: _value(value) for key, _, value in pairs}


def _document(text: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = _json(text)
    except (ValueError, RecursionError):
        raise _wrong("this is not a JSON object") from None
    return document


def _value(text: str) -> Any:  # noqa: ANN401  (any JSON value)
    try:
        return _json(text)
    except (ValueError, RecursionError):
        return text


def _json(text: str) -> Any:  # noqa: ANN401  (any JSON value)
    """Return a JSON value; `NaN` and `Infinity`, which Python knows, are none."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


def _wrong(message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint="--metadata")


def sentence(document: Any, *, begun: bool) -> str:  # noqa: ANN401  (a JSON document)
    """Return what has become of an order."""
    told = ", ".join([*document["webhooks"], *document["callbacks"]])
    if not document["active"]:
        return f"over already ({document['ended']}); told: {told}"
    what = "watching" if begun else "watched already, changed as asked"
    return f"{what} until {document['until']}; told: {told}"
