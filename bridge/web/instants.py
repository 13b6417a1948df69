"""Instants in requests: RFC 3339, nothing looser."""

import re
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2})(?:(\.[0-9]{1,6})[0-9]*)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_EXAMPLE = "expected an instant such as 2026-11-21T08:30:00Z"
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9998, 1, 1, tzinfo=UTC)
"""Nothing happened before or after; what lies outside means them, for some of it overflows."""


def instant(text: object) -> datetime:
    """Return the moment that a text means, in UTC; raises ValueError for what is none."""
    found = _RFC3339.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(_EXAMPLE)
    moment, fraction, zone = found.groups(default="")
    try:
        aware = datetime.fromisoformat(f"{moment}{fraction}{zone}".upper())
    except ValueError:
        raise ValueError(_EXAMPLE) from None
    # Aware moments are compared without being moved to another zone, so nothing overflows.
    return min(max(aware, _FIRST), _LAST).astimezone(UTC)


Instant: TypeAlias = Annotated[
    datetime,
    BeforeValidator(instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An aware moment in UTC, written in RFC 3339."""


def inverted(since: datetime | None, until: datetime | None) -> bool:
    """Return whether a span ends before it begins."""
    return since is not None and until is not None and until <= since
