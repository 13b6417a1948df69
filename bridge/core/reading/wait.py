"""How long a provider asks us to wait (PROVIDERS, rule 1)."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from bridge.core.network.retry_after import retry_after

_MOST = 10**10
"""Seconds; a longer wait is nonsense."""

_DECIMAL = re.compile(r"\s*([0-9]{1,10}(?:\.[0-9]{1,9})?)\s*", re.ASCII)
_RESETS = re.compile(
    r"resets? in ~? ?([0-9]{1,6}(?:\.[0-9]{1,6})?) ?s", re.ASCII | re.IGNORECASE
)


def asked_wait(
    headers: Mapping[str, str], received_at: datetime, *, body: object, detail: object
) -> timedelta | None:
    """Return the wait, from the first of its places that can be read.

    In order: the header `retry-after-ms`, `Retry-After`, `body` (the document's own
    `retry_after`, seconds as a number or as text), "resets in ~30s" in the text `detail`.
    """
    waits = (
        _milliseconds(headers.get("retry-after-ms")),
        retry_after(headers, received_at),
        _seconds(body),
        _told(detail),
    )
    return next((wait for wait in waits if wait is not None), None)


def hinted(headers: Mapping[str, str], name: str) -> timedelta | None:
    """Return the time to the next look that a header tells; None: it tells none.

    It counts milliseconds where its name ends with `-ms`, else seconds.
    """
    text = headers.get(name.lower()) if name else None
    return _milliseconds(text) if name.endswith("-ms") else _seconds(text)


def _milliseconds(text: str | None) -> timedelta | None:
    seconds = _seconds(text)
    return None if seconds is None else seconds / 1000


def _seconds(value: object) -> timedelta | None:
    if isinstance(value, str):
        match = _DECIMAL.fullmatch(value)
        return None if match is None else timedelta(seconds=float(match[1]))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return timedelta(seconds=value) if 0 <= value < _MOST else None


def _told(detail: object) -> timedelta | None:
    match = _RESETS.search(detail) if isinstance(detail, str) else None
    return None if match is None else timedelta(seconds=float(match[1]))
