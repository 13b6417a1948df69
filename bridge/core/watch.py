"""A watch: our interest in one generation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import Any, NamedTuple
from uuid import UUID

from bridge.core.ladder import UNSEEN, State


class Origin(IntEnum):
    """Where a watch came from; those of the file are ended when the file no longer names them."""

    FILE = 0
    API = 1


class Generation(NamedTuple):
    """The upstream job: a source's name and the provider's id (text, compared bytewise)."""

    source: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchWish:
    """A watch as somebody asks for it; `webhooks` are their ids in the store."""

    generation: Generation
    origin: Origin
    until: State = State.COMPLETED
    webhooks: tuple[int, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    deadline: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A running watch as its owner holds it.

    `seq` is the sequence of the last event (-1: none yet), `rank` the highest rank seen. The
    spans were true when the store answered: `age` since the watch was created, `left` until its
    deadline (negative: past), `state_age` since its last state (None: no state yet), `wait` until
    its next look.
    """

    id: int
    uid: UUID
    fence: int
    generation: Generation
    until: State
    webhooks: tuple[int, ...]
    metadata: Mapping[str, Any]
    rank: int = UNSEEN
    native_state: str | None = None
    seq: int = -1
    age: timedelta = timedelta()
    left: timedelta = timedelta(hours=24)
    state_age: timedelta | None = None
    wait: timedelta = timedelta()
