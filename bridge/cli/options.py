"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ConfigFile: TypeAlias = Annotated[
    Path, typer.Option("-c", "--config", metavar="FILE", help="The configuration.")
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON, for programs.")
]
Secrets: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="SECRET",
        envvar="GENBRIDGE_SECRET",
        help="A secret (whsec_ or whsk_); may be given several times. "
        "In the variable it is not seen by others on this machine.",
    ),
]
Url: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Where the daemon is, such as http://127.0.0.1:8383; "
        "otherwise the configuration says it.",
    ),
]
Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        envvar="GENBRIDGE_TOKEN",
        help="The daemon's `server.token`; otherwise the configuration says it. "
        "In the variable it is not seen by others on this machine.",
    ),
]
SourceName: TypeAlias = Annotated[
    str, typer.Argument(metavar="SOURCE", help="The name of a source.", show_default=False)
]
GenerationId: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The provider's id of a generation.", show_default=False
    ),
]
WebhookName: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="WEBHOOK",
        help="The name of a webhook; one that a caller brought is called 'callback 7'.",
        show_default=False,
    ),
]
WebhookOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--webhook", metavar="NAME", help="Only those for this webhook."),
]
Since: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="WHEN", help="Not older: 2h ago, or 2026-11-21T08:30:00Z."
    ),
]
Until: TypeAlias = Annotated[
    str | None,
    typer.Option("--until", metavar="WHEN", help="Older: 2h ago, or 2026-11-21T08:30:00Z."),
]

DEFAULT_CONFIG = Path("config.yaml")
