"""A lane: everything the sender keeps in memory about one webhook."""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from bridge.core.change import Recipient
from bridge.core.delivering.delivery import Condition, Delivery, WebhookState
from bridge.core.ports import Room
from bridge.core.settings import Order, Webhook
from bridge.core.sharing.gate import Gate

LEASE_MARGIN = timedelta(seconds=15)
"""What a claim lasts beyond the two attempts that may be waited for and made under it."""


class Claimed(NamedTuple):
    """A claimed delivery, and the last moment at which its attempt may begin."""

    delivery: Delivery
    until: float


@dataclass(slots=True, kw_only=True)
class Lane:
    """One webhook's queue of claimed deliveries, its slots and its gate.

    `key` is the webhook's name in the store. Moments are seconds on the monotonic clock: `due` is
    the earliest at which the store may have a delivery to claim, `noted` what was learnt of it
    while the store was being asked.
    """

    id: int
    key: str
    webhook: Webhook
    rate: Gate
    condition: Condition = Condition.ACTIVE
    shut_until: float = float("-inf")
    ready: deque[Claimed] = field(default_factory=deque)
    workers: int = 0
    reserved: int = 0
    limit: int
    living: int = 1
    told: WebhookState | None = None
    accepted: int = 0
    throttles: int = 0
    strained_at: float = float("-inf")
    due: float = float("-inf")
    noted: float = float("inf")

    @property
    def lease(self) -> timedelta:
        """How long a claim lasts: one attempt of waiting, one of sending, and a margin."""
        return 2 * self.webhook.timeout + LEASE_MARGIN

    @property
    def patience(self) -> float:
        """How many seconds after its claim the attempt of a delivery may begin at the latest."""
        return (self.lease - self.webhook.timeout).total_seconds()

    @property
    def most(self) -> int:
        """How many attempts this replica may make at once, as one of so many living ones."""
        return max(1, self.webhook.concurrency // self.living)

    def heed(self, state: WebhookState | None, now: float) -> None:
        """Take over what other replicas or people have made of the webhook; None: it is open.

        Only what has changed since the last time counts: we may know something newer.
        """
        if state == self.told:
            return
        before, self.told = self.told, state
        condition = Condition.ACTIVE if state is None else state.condition
        if condition is not (Condition.ACTIVE if before is None else before.condition):
            self.condition = condition
        if state is not None and state.gate is not None:
            self.shut_until = max(self.shut_until, now + state.gate.total_seconds())

    def open(self, now: float) -> bool:
        """Whether an attempt may begin now."""
        return self.condition is Condition.ACTIVE and now >= self.shut_until

    def free(self, now: float) -> int:
        """Return how many more deliveries can be taken: one waits behind each that is sent."""
        if not self.open(now):
            return 0
        waiting = len(self.ready) + self.reserved
        starts = self.rate.starts(now, self.patience)
        return max(0, min(2 * self.limit - self.workers, starts) - waiting)

    def slots(self, now: float) -> int:
        """Return how many deliveries to claim now: none while half of those in waiting are there.

        Claiming one for each that was sent would cost a transaction a delivery.
        """
        return self.free(now) if len(self.ready) <= self.limit // 2 else 0

    def room(self, now: float) -> Room:
        """Return what the store may be asked for."""
        return Room(webhook=self.id, slots=self.slots(now), lease=self.lease)

    def next_moment(self, now: float) -> float | None:
        """Return when the store is worth asking, None: not before somebody rings."""
        if self.condition is not Condition.ACTIVE:
            return None
        at = max(self.due, self.shut_until)
        if self.rate.rate is not None:
            at = max(at, self.rate.opens(now) - self.patience)
        return at if at > now or self.slots(now) else None

    def recipient(self, now: float) -> Recipient:
        """Return the webhook as a change names it; room is reserved until the change is known."""
        room = self.free(now) > 0
        self.reserved += room
        return Recipient(
            webhook=self.id,
            room=room,
            lease=self.lease,
            latest=self.webhook.order is Order.LATEST,
        )

    def note_due(self, at: float) -> None:
        """Note that the store has a delivery that is due at a moment."""
        self.due = min(self.due, at)
        self.noted = min(self.noted, at)

    def succeeded(self) -> None:
        """Note an accepted delivery: after as many as the limit, one slot more."""
        self.throttles = 0
        self.accepted += 1
        if self.accepted >= self.limit:
            self.accepted = 0
            self.limit = min(self.most, self.limit + 1)

    def throttles_before(self, began: float) -> int:
        """Return the throttles in a row before that of an attempt that began at a moment.

        What was already on its way when the receiver throttled is one and the same throttle.
        """
        again = bool(self.throttles) and began <= self.strained_at
        return self.throttles - again

    def strained(self, now: float) -> None:
        """Note a throttle or a time-out: half the slots."""
        self.accepted, self.strained_at = 0, now
        self.limit = max(1, self.limit // 2)
