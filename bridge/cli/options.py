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

DEFAULT_CONFIG = Path("config.yaml")
