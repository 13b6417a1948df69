"""Doors: how an API knows who asks."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from bridge.simulator.exchange import Call

Door: TypeAlias = Callable[[Call, str | None, datetime], str | None]
"""Tells who asks: given the call, the only good key (None: any) and the clients' time.

None: nobody who may. Limits count by what it returns.
"""


def bearer(call: Call, good: str | None, now: datetime) -> str | None:  # noqa: ARG001  (every door's signature)
    """Let in who shows a Bearer key."""
    return _let_in(call.credentials("bearer"), good)


def scheme(name: str) -> Door:
    """Return a door for a key of another scheme in the same header."""
    return lambda call, good, _now: _let_in(call.credentials(name), good)


def header(name: str) -> Door:
    """Return a door for a key in a header of its own, which is given in lower case."""
    return lambda call, good, _now: _let_in(call.headers.get(name), good)


def either(*doors: Door) -> Door:
    """Return a door that lets in whom one of the doors does."""

    def open_(call: Call, good: str | None, now: datetime) -> str | None:
        return next((who for door in doors if (who := door(call, good, now))), None)

    return open_


def _let_in(key: str | None, good: str | None) -> str | None:
    return key if key and good in (None, key) else None
