"""Columns: rows of texts, aligned; texts from outside, made harmless for a terminal."""

import json
import re
import sys
from collections.abc import Iterator, Sequence

import typer

from bridge.cli.paint import paint_for
from bridge.core.card import readable

_COLOURS = {
    "delivered": "green",
    "active": "green",
    "closed": "green",
    "failed": "red",
    "disabled": "red",
    "open": "red",
    "held": "yellow",
    "again": "yellow",
    "paused": "yellow",
    "pending": "cyan",
}


def clear(text: str) -> str:
    """Return a text from outside on one line, without what a terminal would obey."""
    return " ".join(readable(text).split())


_CODE = re.compile(r"[a-z][a-z0-9-]{0,40}: ")


def sentence(reason: str | None) -> str:
    """Return a stored reason without the verdict's code before it (`timeout: …`)."""
    text = clear(reason or "")
    code = _CODE.match(text)
    return text[code.end() :] if code else text


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row, its cells under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    paint = paint_for(sys.stdout)
    for row in rows:
        cells = (
            # The spaces behind a word are no part of what is coloured.
            paint(cell, _COLOURS[cell]) + " " * (width - len(cell))
            if cell in _COLOURS
            else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()


def coloured(word: str) -> str:
    """Return a status in its colour, where standard output is a terminal."""
    return paint_for(sys.stdout)(word, _COLOURS[word]) if word in _COLOURS else word


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return `1 attempt`, `1,042 attempts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def show(document: object, lines: Iterator[str], *, as_json: bool) -> None:
    """Print a document of the API as it is, or what people read of it."""
    typer.echo(json.dumps(document, indent=2) if as_json else "\n".join(lines))
