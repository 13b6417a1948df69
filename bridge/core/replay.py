"""A replay: many deliveries sent once more, as a job that outlasts a crash."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.core.delivering.delivery import Status
from bridge.core.listing import ToldDelivery


class Missing(StrEnum):
    """Deliveries that never were: the webhook came later, or its filter was another one then."""

    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayFilter:
    """What is to be sent again.

    `since` and `until` bound the moment of the event. `Missing` needs a webhook; of its events
    only those with one of `tags` (states' words, `lost`) are delivered. Deliveries that are
    pending are left alone.
    """

    status: Status | Missing = Status.FAILED
    webhook: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a replay would do: how many deliveries, and the first of them (at most 10).

    For `Missing`, `first` is empty: there are none yet.
    """

    count: int
    first: tuple[ToldDelivery, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A replay under way or over; `done` counts the deliveries that are due again by it."""

    id: int
    filter: ReplayFilter
    done: int
    over: bool
    begun_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What one step of a replay did: where it stands, and which webhooks have work by it."""

    replay: Replay
    woken: frozenset[int] = frozenset()
