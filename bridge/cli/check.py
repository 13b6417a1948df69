"""Name every mistake in the configuration.

Each one with its line, a caret and what was probably meant. Nothing is contacted. Exit code 2
where there are mistakes; warnings are none.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from bridge.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from bridge.cli.paint import Paint, paint_for
from bridge.config import Mistake, Wrong
from bridge.core.settings import Settings

app = typer.Typer(add_completion=False)


@app.command(help=__doc__)
def check(*, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Check a configuration and say what is wrong with it."""
    from bridge.cli.configuration import settings

    try:
        good = settings(config, check=True)
    except Wrong as wrong:
        if as_json:
            _print_json([_entry(mistake) for mistake in wrong.mistakes])
        else:
            _print_mistakes(wrong)
        raise typer.Exit(wrong.exit_code) from None
    if as_json:
        _print_json([{"severity": "warning", "message": text} for text in good.warnings])
    else:
        _print_verdict(config, good)


def _print_mistakes(wrong: Wrong) -> None:
    paint = paint_for(sys.stderr)
    for mistake in wrong.mistakes:
        sys.stderr.write(f"{_coloured(mistake, paint)}\n")
    more = wrong.total - len(wrong.mistakes)
    rest = f", of which {more:,} are not shown" if more else ""
    sys.stderr.write(f"{_counted(wrong.total, 'mistake')}{rest}\n")


def _coloured(mistake: Mistake, paint: Paint) -> str:
    """Return the mistake as it reads in plain text, in colours."""
    head, *excerpt = str(mistake).split("\n")
    place = f"{mistake.file}:{mistake.line}:{mistake.column}:"
    said = head.removeprefix(place)
    if mistake.hint:
        said = said.removesuffix(mistake.hint) + paint(mistake.hint, "cyan")
    carets = [paint(line, "red") if line.strip() == "^" else line for line in excerpt]
    return "\n".join((paint(place, "white") + said, *carets))


def _print_verdict(path: Path, good: Settings) -> None:
    parts = [
        _counted(len(good.sources), "source"),
        _counted(len(good.webhooks), "webhook"),
        _counted(len(good.watches), "watch", "watches"),
    ]
    ok = paint_for(sys.stdout)("ok", "green")
    typer.echo(f"{path}: {ok}, {', '.join(parts)}")
    warning = paint_for(sys.stderr)("warning:", "yellow")
    for text in good.warnings:
        sys.stderr.write(f"{warning} {text}\n")


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _entry(mistake: Mistake) -> dict[str, Any]:
    return {"severity": "error", **asdict(mistake)}


def _print_json(entries: Sequence[dict[str, Any]]) -> None:
    typer.echo(json.dumps(entries, indent=2))
