"""Make secrets."""

import json
import secrets
import sys
from typing import Annotated

import typer

from bridge.cli.options import AsJson
from bridge.core.delivering.signing import (
    KEY_BYTES,
    Kind,
    fingerprint,
    new_key,
    public_text,
    read_key,
)

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

_ADVICE = """
Give it to the receiver, and to genbridge through its environment:

    export STUDIO_SECRET={secret}

    webhooks:
      studio:
        url: https://example.com/hooks/generations
        secret: ${{STUDIO_SECRET}}
"""
_PUBLIC_ADVICE = """
The receiver verifies with the public key (second line) and needs no secret. Few libraries know
ed25519 signatures: keep a whsec_ secret beside it unless yours does.
"""


@app.callback()
def keys() -> None:
    """Do nothing: `new` is a command of its own."""


@app.command()
def new(
    *,
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="A key pair, instead of a shared secret.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a new secret, and with --ed25519 the public key that belongs to it.

    Only the keys go to standard output; how to use them is told on standard error.
    """
    kind = Kind.ED25519 if ed25519 else Kind.HMAC
    key = read_key(new_key(secrets.token_bytes(KEY_BYTES), kind=kind))
    public = public_text(key)
    if as_json:
        document = {"secret": key.text, "public": public, "fingerprint": fingerprint(key)}
        typer.echo(json.dumps(document))
        return
    typer.echo("\n".join(text for text in (key.text, public) if text))
    sys.stderr.write(_ADVICE.format(secret=key.text) + (_PUBLIC_ADVICE if public else ""))
