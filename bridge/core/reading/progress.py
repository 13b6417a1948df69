"""How far a generation is, from 0 to 1 (PROVIDERS, rule 9)."""

import re
from math import isfinite

_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,12}(?:\.[0-9]{0,18})?)\s*(%?)\s*", re.ASCII)


def progress(value: object, full: object = 1.0) -> float | None:
    """Return the share that a value means, clamped to 0..1; None: unreadable.

    Read are numbers and text, counted up to `full`; `46%` is 0.46 whatever `full` is.
    """
    percent = False
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value)
        if match is None:
            return None
        value, percent = float(match[1]), match[2] == "%"
    share = _finite(value)
    whole = 100.0 if percent else _finite(full)
    if share is None or whole is None or whole <= 0:
        return None
    return min(1.0, max(0.0, share / whole))


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None
