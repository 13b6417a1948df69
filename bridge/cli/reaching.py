"""Reaching the daemon, with the options that its commands share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from bridge.cli.client import Client, place


@contextmanager
def reached(
    context: typer.Context, config: Path, url: str | None, token: str | None
) -> Iterator[Client]:
    """Yield a client of the daemon that the command line or the configuration names."""
    origin = context.get_parameter_source("config")
    chosen = origin is not None and origin.name != "DEFAULT"
    with Client(place(config, url=url, token=token or None, chosen=chosen)) as client:
        yield client
