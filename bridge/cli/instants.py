"""Instants on the command line: `2h` is two hours ago, else RFC 3339."""

from datetime import datetime

import typer

from bridge.core.text.clocktext import rfc3339
from bridge.core.text.durations import duration


def instant(text: str | None, *, option: str, now: datetime) -> str | None:
    """Return what an option means as RFC 3339, None: it was not given.

    What is no duration is left to the daemon, which knows how an instant is written.
    """
    if text is None:
        return None
    try:
        ago = duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    return text if ago is None else rfc3339(now - ago)
