"""Instants on the command line: `2h` is two hours ago, else RFC 3339."""

from datetime import datetime

import typer

from bridge.core.text.clocktext import rfc3339
from bridge.core.text.durations import duration

EXPECTED = "expected how long ago, such as 2h, or an instant such as 2026-11-21T08:30:00Z"


def instant(text: str | None, *, option: str, now: datetime) -> str | None:
    """Return what an option means as RFC 3339, None: it was not given."""
    if text is None:
        return None
    try:
        ago = duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    if ago is None and not _is_instant(text):
        raise typer.BadParameter(EXPECTED, param_hint=option)
    return text if ago is None else rfc3339(now - ago)


def _is_instant(text: str) -> bool:
    """Return whether a text may be an instant; the daemon judges how it is written."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
