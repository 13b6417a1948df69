"""Colours, where there is somebody to see them."""

import os
import sys
from collections.abc import Callable
from typing import TextIO, TypeAlias

import typer

Paint: TypeAlias = Callable[[str, str], str]
"""Returns a text in a colour."""


def paint_for(stream: TextIO) -> Paint:
    """Return how to colour what goes to this stream: not at all unless it is a terminal.

    `NO_COLOR` (https://no-color.org) is obeyed.
    """
    if stream.isatty() and not os.environ.get("NO_COLOR"):
        return lambda text, colour: typer.style(text, fg=colour, bold=True)
    return lambda text, _colour: text


def say(text: str) -> None:
    """Print a line at once, even into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
