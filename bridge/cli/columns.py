"""Columns: rows of texts, aligned; texts from outside, made harmless for a terminal."""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import accumulate

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


GAP = "  "
BENEATH = "    "
"""Before what of a row has no room beside the rest of it."""

_PAINT = re.compile(r"\x1b\[[0-9;]*m")


def room() -> int | None:
    """Return how many characters a line has on the terminal; None: it is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row, its cells under each other.

    On a terminal with too little room the last cells stand beneath the others: nothing is cut.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    width = room()
    beside = len(widths) if width is None else _fitting(widths, width)
    for row in rows:
        cells = [cell.ljust(size) for cell, size in zip(row, widths, strict=True)]
        yield _painted(row, cells[:beside])
        rest = GAP.join(cell for cell in row[beside:] if cell)
        yield from flowing(BENEATH + rest, width) if rest else ()


def _fitting(widths: Sequence[int], width: int) -> int:
    """Return how many columns stand beside each other; the first does in any case."""
    ends = accumulate(size + len(GAP) for size in widths)
    return max(1, sum(end - len(GAP) <= width for end in ends))


def _painted(row: Sequence[str], cells: Sequence[str]) -> str:
    """Return cells as a line, known words in their colours."""
    paint = paint_for(sys.stdout)
    parts = (
        # The spaces behind a word are no part of what is coloured.
        paint(word, _COLOURS[word]) + cell[len(word) :] if word in _COLOURS else cell
        for word, cell in zip(row, cells, strict=False)
    )
    return GAP.join(parts).rstrip()


def flowing(line: str, width: int | None) -> Iterator[str]:
    """Yield a line broken between its words, where it is longer than that; None: as it is."""
    if width is None or len(_PAINT.sub("", line)) <= width:
        yield line
        return
    margin = line[: len(line) - len(line.lstrip())]
    yield from textwrap.wrap(
        line,
        width,
        subsequent_indent=f"{margin}  ",
        # An address or an id is to be copied whole.
        break_long_words=False,
        break_on_hyphens=False,
    )


def coloured(word: str) -> str:
    """Return a status in its colour, where standard output is a terminal."""
    return paint_for(sys.stdout)(word, _COLOURS[word]) if word in _COLOURS else word


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return `1 attempt`, `1,042 attempts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def lasting(seconds: float) -> str:
    """Return how long something takes: `42 s`, `12 min`, `2.5 h`, `3.1 days`."""
    for unit, length, below in (("s", 1, 90), ("min", 60, 5400), ("h", 3600, 172_800)):
        if seconds < below:
            return f"{seconds / length:.{int(unit == 'h')}f} {unit}"
    return f"{seconds / 86_400:.1f} days"


def show(document: object, lines: Iterator[str], *, as_json: bool) -> None:
    """Print a document of the API as it is, or what people read of it."""
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    width = room()
    typer.echo("\n".join(part for line in lines for part in flowing(line, width)))
