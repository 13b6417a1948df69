"""Check the signature of a callback.

The body is read byte for byte from a file or from standard input; the rest comes from the headers
of the same request. Exit code 0: it is genuine; 1: it is not.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import Secrets
from bridge.cli.paint import paint_for, say
from bridge.core.delivering.signing import public_text, read_key
from bridge.verify import VerificationError
from bridge.verify import verify as verified

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def verify(
    body: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The body; default: standard input."),
    ] = None,
    *,
    message_id: Annotated[str, typer.Option("--id", metavar="ID", help="`webhook-id`.")],
    timestamp: Annotated[str, typer.Option(metavar="SECONDS", help="`webhook-timestamp`.")],
    signature: Annotated[
        str, typer.Option(metavar="TEXT", help="`webhook-signature`, whole.")
    ],
    secret: Secrets = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY", help="A public key (whpk_); may be given several times."
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How old it may be.")
    ] = 300,
) -> None:
    """Say whether a callback is genuine."""
    keys = [*map(_verifying, secret or ()), *(key or ())]
    if not keys:
        raise typer.BadParameter("give --secret, $GENBRIDGE_SECRET or --key")
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }
    paint = paint_for(sys.stdout)
    try:
        verified(_read(body), headers, keys, tolerance=tolerance)
    except VerificationError as error:
        if error.reason == "key":
            raise typer.BadParameter(str(error), param_hint="--secret or --key") from None
        say(f"{paint('✗ not genuine:', 'red')} {error}")
        raise typer.Exit(1) from None
    say(paint("✓ genuine", "green"))


def _verifying(secret: str) -> str:
    """Return the text that verifies what a secret signs."""
    try:
        return public_text(known := read_key(secret)) or known.text
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--secret") from None


def _read(path: Path | None) -> bytes:
    if path is None:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="FILE") from None
