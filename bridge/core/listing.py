"""What the store tells people of what it keeps: watches, events, deliveries, webhooks, replicas.

Instants are those of the store's own clock, aware and in UTC. They are for reading: whoever
decides something counts spans.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Particulars, Status, WebhookState
from bridge.core.ladder import State
from bridge.core.message import Message
from bridge.core.network.exchange import Timings
from bridge.core.watch import Generation, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedWatch:
    """A watch, running or over; `webhooks` are ids, `rank` is -1 before the first look."""

    id: int
    generation: Generation
    origin: Origin
    until: State
    webhooks: tuple[int, ...]
    metadata: Mapping[str, Any]
    rank: int
    native_state: str | None
    seq: int
    active: bool
    ended: str | None
    created_at: datetime
    deadline_at: datetime
    state_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDelivery:
    """A delivery; `due_at` says when it is tried next, where it is still pending."""

    id: int
    webhook: int
    status: Status
    attempts: int
    due_at: datetime
    settled_at: datetime | None
    code: int | None
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDelivery:
    """A delivery beside the event it carries; `generation` is None for an operational event.

    `manual`: it was replayed last. `first_at` is when it was made.
    """

    delivery: ListedDelivery
    event: UUID
    type: str
    seq: int
    generation: Generation | None
    manual: bool
    first_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries are wanted; None: whatever it is. `since` and `until` bound `first_at`."""

    status: Status | None = None
    webhook: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """Some deliveries, newest first, and where to go on, as a WatchPage does."""

    deliveries: tuple[ToldDelivery, ...]
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAttempt:
    """An attempt as it was logged; `answer` is None where no body came or it is kept no longer."""

    number: int
    at: datetime
    replica: int
    code: int | None
    why: str | None
    timings: Timings
    particulars: Particulars | None
    answer: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A delivery, the message it carries, and its attempts, oldest first."""

    delivery: ToldDelivery
    message: Message
    attempts: tuple[ListedAttempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEvent:
    """An event with its deliveries; `body` is the standard envelope without `raw`."""

    id: UUID
    tag: str
    seq: int
    occurred_at: datetime
    body: bytes = field(repr=False)
    deliveries: tuple[ListedDelivery, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A watch with its events, oldest first."""

    watch: ListedWatch
    events: tuple[ListedEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchFilter:
    """Which watches are wanted; None: whatever it is."""

    source: str | None = None
    state: State | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPage:
    """Some watches, newest first, and where to go on: at those whose id is below `before`.

    None: there is nothing below. A page may be short or empty and yet not be the last.
    """

    watches: tuple[ListedWatch, ...]
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedWebhook:
    """A webhook as the store knows it; `callback` is there for those a caller brought along."""

    state: WebhookState
    callback: Callback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """A process that shares the work; `dead_at`: when the others found it gone."""

    id: int
    name: str
    version: str
    started_at: datetime
    seen_at: datetime
    owned: int
    dead_at: datetime | None
