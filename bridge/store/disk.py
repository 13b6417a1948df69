"""What a store in memory calls its disk: the rows of the tables, as records."""

from dataclasses import dataclass, field
from uuid import UUID

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.delivery import Attempt, Condition, Status
from bridge.core.delivering.health import HEALTHY, Health
from bridge.core.delivering.receipt import Receipt
from bridge.core.discovery import Discovery
from bridge.core.message import Message
from bridge.core.pacing.saved import SavedTable
from bridge.core.replay import ReplayFilter
from bridge.core.watch import Generation
from bridge.store.uniting import Standing


@dataclass(slots=True, kw_only=True)
class WatchRow:
    """A watch as it lies on the disk."""

    id: int
    uid: UUID
    generation: Generation
    standing: Standing
    fence: int = 0
    native_state: str | None = None
    seq: int = -1
    state_at: int | None = None
    ended_at: int | None = None
    created_at: int


@dataclass(slots=True, kw_only=True)
class EventRow:
    """An event as it lies on the disk."""

    id: int
    watch: int | None
    tag: str
    seq: int
    message: Message
    occurred_at: int


@dataclass(slots=True, kw_only=True)
class DeliveryRow:
    """A delivery as it lies on the disk."""

    id: int
    event: int
    watch: int | None
    webhook: int
    seq: int
    status: Status = Status.PENDING
    manual: bool = False
    attempt: int
    tries: int = 0
    due_at: int
    claimed: bool
    fence: int = 0
    last_code: int | None = None
    last_why: str | None = None
    first_at: int
    settled_at: int | None = None


@dataclass(slots=True, kw_only=True)
class WebhookRow:
    """A webhook as it lies on the disk."""

    id: int
    key: str
    callback: Callback | None = None
    condition: Condition = Condition.ACTIVE
    gate_until: int | None = None
    why: str | None = None
    health: Health = HEALTHY
    """But for `failing`, which ages."""
    failing_since: int | None = None
    wanted_until: int = 0


@dataclass(slots=True, kw_only=True)
class ReplayRow:
    """A replay as it lies on the disk."""

    id: int
    filter: ReplayFilter
    cursor: int
    last: int
    done: int = 0
    begun_at: int
    over_at: int | None = None


@dataclass(slots=True)
class Disk:
    """What outlives a run."""

    watches: dict[int, WatchRow] = field(default_factory=dict)
    generations: dict[Generation, int] = field(default_factory=dict)
    events: dict[int, EventRow] = field(default_factory=dict)
    uids: dict[UUID, int] = field(default_factory=dict)
    deliveries: dict[int, DeliveryRow] = field(default_factory=dict)
    addressed: dict[tuple[int, int], int] = field(default_factory=dict)
    pending: dict[int, dict[int, DeliveryRow]] = field(default_factory=dict)
    attempts: dict[tuple[int, int], tuple[int, Attempt]] = field(default_factory=dict)
    receipts: dict[tuple[int, int], Receipt] = field(default_factory=dict)
    """By watch and webhook."""
    bodies: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    webhooks: dict[int, WebhookRow] = field(default_factory=dict)
    replays: dict[int, ReplayRow] = field(default_factory=dict)
    budgets: dict[str, int] = field(default_factory=dict)
    pace: dict[str, dict[tuple[str, str], tuple[int, SavedTable]]] = field(
        default_factory=dict
    )
    """By source, then by model and state: when it was saved, and what."""
    discoveries: dict[str, tuple[int, Discovery]] = field(default_factory=dict)
    digest: str | None = None
