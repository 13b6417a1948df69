"""Show what a webhook would be sent.

An example of an event, dressed by a format, in each form: rich, and the poorer ones that a
receiver gets that finds it too rich. Nothing is sent. With --webhook the options of the
configuration count; what is secret is shown as `…`. Where progress is told in one message (`live`),
its edits follow, of an imagined message.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from bridge.cli.paint import paint_for, say
from bridge.core.event import PROGRESS
from bridge.core.examples import (
    GENERATIONS,
    NOTICES,
    RECEIPT,
    example,
    example_options,
)
from bridge.core.message import Message
from bridge.core.network.masking import MASK
from bridge.core.network.urls import beneath, shown
from bridge.core.ports import Editor, Form, Format, Rendered
from bridge.core.settings import Webhook
from bridge.errors import ConfigError

app = typer.Typer(add_completion=False)

_EVENTS = tuple(kind.removeprefix("generation.") for kind in (*GENERATIONS, *NOTICES))
_LONG = 8
"""Characters of a secret that does not stand in a text by chance."""
_FORMS = tuple(form.name.lower() for form in Form)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dressing:
    """A format with its options: `webhook` None: none of a configuration.

    `secrets` are values that nobody is shown, `assumed` the options that were made up.
    """

    name: str
    format: Format
    webhook: Webhook | None = None
    secrets: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


@app.command(help=__doc__)
def render(
    *,
    format_name: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="A format, such as slack."),
    ] = None,
    event: Annotated[
        str,
        typer.Option(metavar="EVENT", help=f"One of {', '.join(_EVENTS)}."),
    ] = "completed",
    form: Annotated[
        str | None,
        typer.Option(metavar="FORM", help="full, compact or text; default: each."),
    ] = None,
    webhook: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A webhook of the configuration."),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Print the body, where it would go and how large it is."""
    kind = _kind(event)
    forms = _forms(form)
    dressing = _dressing(format_name, webhook, config)
    message = example(kind, webhook=webhook or "studio")
    sheets = [
        _sheet(dressing, kind, message, one, receipt)
        for receipt in _receipts(dressing.format, kind)
        for one in forms
    ]
    if as_json:
        typer.echo(json.dumps(sheets, indent=2, ensure_ascii=False))
        return
    if dressing.assumed:
        names = ", ".join(dressing.assumed)
        sys.stderr.write(f"made up, for no webhook was named: {names}\n")
    say("\n\n".join(_printed(sheet) for sheet in sheets))


# What is asked for


def _kind(event: str) -> str:
    if event not in _EVENTS:
        raise typer.BadParameter(f"one of {', '.join(_EVENTS)}", param_hint="--event")
    return event if event in NOTICES else f"generation.{event}"


def _forms(form: str | None) -> Sequence[Form]:
    if form is None:
        return tuple(Form)
    if form not in _FORMS:
        raise typer.BadParameter(f"one of {', '.join(_FORMS)}", param_hint="--form")
    return (Form[form.upper()],)


def _dressing(name: str | None, webhook: str | None, config: Path) -> _Dressing:
    if (name is None) == (webhook is None):
        raise typer.BadParameter("give one of --format and --webhook")
    return _made_up(name) if name is not None else _configured(webhook or "", config)


def _made_up(name: str) -> _Dressing:
    """Return a format without a configuration."""
    from bridge.plugins import Plugins

    names = Plugins().names("format")
    if name not in names:
        raise typer.BadParameter(f"one of {', '.join(names)}", param_hint="--format")
    plugin = Plugins().load("format", name)
    options = example_options(plugin)
    try:
        made: Format = plugin(**options)
    except ValueError as error:
        needed = ", ".join(options)
        raise ConfigError(
            f"format {name} cannot do without {needed}: write a webhook with it into the "
            f"configuration, and name that with --webhook ({error})"
        ) from error
    return _Dressing(name=name, format=made, assumed=tuple(options))


def _configured(webhook: str, config: Path) -> _Dressing:
    """Return a webhook's format; raises ConfigError where the configuration is wrong."""
    from bridge.cli.configuration import settings

    known = settings(config, check=True).webhooks
    if webhook not in known:
        there = ", ".join(known) or "none"
        raise typer.BadParameter(f"{config} has {there}", param_hint="--webhook")
    chosen = known[webhook]
    return _Dressing(
        name=chosen.format_name,
        format=chosen.format,
        webhook=chosen,
        secrets=tuple(_secrets(chosen.format)),
    )


def _secrets(made: Any) -> list[str]:  # noqa: ANN401  (any plugin)
    values = [getattr(made, option.name) for option in fields(made) if not option.repr]
    return [value for value in values if isinstance(value, str) and value]


# What is shown of it


def _receipts(made: Format, kind: str) -> Sequence[str | None]:
    """Return what names the messages that are edited; None: what is posted."""
    edits = isinstance(made, Editor) and made.live and kind in PROGRESS
    return (None, RECEIPT) if edits else (None,)


def _dressed(
    made: Format, message: Message, form: Form, receipt: str | None
) -> Rendered | None:
    if receipt is not None and isinstance(made, Editor):
        return made.edit(message, receipt, form)
    return made.render(message, form)


def _sheet(
    dressing: _Dressing, kind: str, message: Message, form: Form, receipt: str | None
) -> dict[str, Any]:
    rendered = _dressed(dressing.format, message, form, receipt)
    sheet: dict[str, Any] = {
        "format": dressing.name,
        "event": kind,
        "form": form.name.lower(),
        "edit": receipt is not None,
        "assumed": list(dressing.assumed),
    }
    if rendered is None:
        return sheet | {"body": None}
    return sheet | {
        "method": rendered.method,
        "url": _url(dressing.webhook, rendered),
        "headers": _headers(dressing.webhook, message, rendered),
        "body": _body(rendered.body, dressing.secrets),
        "bytes": len(rendered.body),
        "limit": dressing.format.limits.body,
    }


def _url(webhook: Webhook | None, rendered: Rendered) -> str:
    own = f"https://{MASK}" if webhook is None else shown(webhook.url)
    return beneath(own, rendered.path, rendered.query)


def _headers(
    webhook: Webhook | None, message: Message, rendered: Rendered
) -> Mapping[str, str]:
    """Return the headers as on the way; those of one attempt alone are masked like secrets."""
    headers = dict(rendered.headers) | {
        "webhook-id": str(message.id),
        "webhook-timestamp": MASK,
        "webhook-attempt": "1",
    }
    if webhook is None:
        return headers
    if webhook.keys:
        headers["webhook-signature"] = " ".join(
            f"{key.kind},{MASK}" for key in webhook.keys
        )
    if webhook.keys and webhook.hub_signature:
        headers["x-hub-signature-256"] = f"sha256={MASK}"
    if webhook.auth is not None:
        headers["authorization"] = MASK
    return headers | {name.lower(): MASK for name, _ in webhook.headers}


def _body(body: bytes, secrets: Sequence[str]) -> Any:  # noqa: ANN401  (any JSON value)
    """Return the body as JSON, or as text where it is none, its secrets masked."""
    text = body.decode(errors="replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = text
    return _masked(document, secrets)


def _masked(value: Any, secrets: Sequence[str]) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict):
        return {key: _masked(each, secrets) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, secrets) for each in value]
    return _without(value, secrets) if isinstance(value, str) else value


def _without(text: str, secrets: Sequence[str]) -> str:
    """Return a text without secrets; a short one is masked where it stands alone."""
    for secret in secrets:
        if text == secret:
            return MASK
        if len(secret) >= _LONG:
            text = text.replace(secret, MASK)
    return text


def _printed(sheet: Mapping[str, Any]) -> str:
    paint = paint_for(sys.stdout)
    edit = ", edited" if sheet["edit"] else ""
    head = paint(f"{sheet['format']}, {sheet['event']}, {sheet['form']}{edit}", "cyan")
    if sheet["body"] is None:
        return f"{head}\nnothing is said of this event"
    headers = [f"{name}: {value}" for name, value in sheet["headers"].items()]
    body = sheet["body"]
    text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
    first = f"{sheet['method']} {sheet['url']}"
    return "\n".join([head, first, *headers, "", text, "", _size(sheet)])


def _size(sheet: Mapping[str, Any]) -> str:
    size, limit = sheet["bytes"], sheet["limit"]
    if limit is None:
        return f"{size:,} bytes"
    return f"{size:,} bytes of {limit:,} that are taken"
