"""A lane: everything the sender keeps in memory about one webhook."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bridge.core import live
from bridge.core.change import Recipient
from bridge.core.delivering.breaker import Circuit, Window, heard, recalled
from bridge.core.delivering.delivery import Condition, Delivery, WebhookState
from bridge.core.delivering.health import HEALTHY, Health
from bridge.core.ladder import State
from bridge.core.ports import Room
from bridge.core.record import Record
from bridge.core.settings import Order, Webhook
from bridge.core.sharing.gate import Gate
from bridge.engine.degree import Degree
from bridge.engine.meter import Meter
from bridge.engine.remarks import Remarked

LEASE_MARGIN = timedelta(seconds=15)
"""What a claim lasts beyond the two attempts that may be waited for and made under it."""

RENEWAL = 10.0
"""Seconds of that margin in which fresh links may be looked for."""

DEEP = 4
"""Deliveries in memory for each slot. What a burst brings beyond them is claimed later, in
transactions of its own: with 2 instead of 4 a third of all commits were those (measured)."""

MOST = 1000
"""Due deliveries of one webhook in memory (DELIVERY, section 4)."""


class Claimed(Record, frozen=True, kw_only=True):
    """A claimed delivery, when it was claimed, and the last moment at which it may begin."""

    delivery: Delivery
    at: float
    until: float


@dataclass(slots=True, kw_only=True)
class Lane:
    """One webhook's queue of claimed deliveries, its slots, its rate and its breaker.

    `key` is the webhook's name in the store. Moments are seconds on the monotonic clock: `due` is
    the earliest at which the store may have a delivery to claim, `noted` what was learnt of it
    while the store was being asked, `planned` when the rate lets the next attempt go, None: it is
    not the rate that it waits for. Replays
    wait apart, in `again`; `replaying` counts those under way.
    """

    id: int
    key: str
    webhook: Webhook
    rate: Gate
    meter: Meter
    condition: Condition = Condition.ACTIVE
    why: str | None = None
    shut_until: float = float("-inf")
    ready: deque[Claimed] = field(default_factory=deque)
    again: deque[Claimed] = field(default_factory=deque)
    flying: int = 0
    replaying: int = 0
    replayed: bool = False
    """Whether the last one that began was a replay, while a live one waited."""
    reserved: int = 0
    limit: int
    circuit: Circuit
    living: int = 1
    lease: timedelta = field(init=False)
    """How long a claim lasts: one attempt of waiting, one of sending, and a margin."""
    patience: float = field(init=False)
    """How many seconds after its claim the attempt of a delivery may begin at the latest."""
    latest: bool = field(init=False)
    """Whether an older state gives way to a newer one."""
    deaf_to: frozenset[str] = field(init=False)
    """The words of the states that it is not to hear of."""
    place: str | None = field(init=False)
    """Where the messages stand that are edited; None: none of them is."""
    told: WebhookState | None = None
    accepted: int = 0
    throttles: int = 0
    strained_at: float = float("-inf")
    due: float = float("-inf")
    noted: float = float("inf")
    planned: float | None = None
    paying: bool = False
    asking: bool = False
    window: Window = ()
    degree: Degree = field(default_factory=Degree)
    flights: dict[int, Delivery] = field(default_factory=dict)
    """Deliveries under way, by their ids."""
    overtaken: set[int] = field(default_factory=set)
    """Those of them that a newer state has made useless, where only the latest counts."""
    remarked: Remarked = field(default_factory=Remarked)
    given_up: int = 0
    """Deliveries given up that people have not been told of."""
    given_up_why: str = ""
    given_up_told: str | None = None
    unrendered_told: str | None = None
    """The hours in which people were told of either last."""

    def __post_init__(self) -> None:
        self.use(self.webhook)

    def use(self, webhook: Webhook) -> None:
        """Send under these settings from now on."""
        if webhook is not self.webhook:
            self.remarked = Remarked()
        self.webhook = webhook
        self.latest = webhook.order is Order.LATEST
        self.deaf_to = frozenset(state.word for state in set(State) - webhook.states)
        self.place = live.place(webhook)
        self.lease = 2 * webhook.timeout + LEASE_MARGIN
        self.patience = (self.lease - webhook.timeout).total_seconds() - RENEWAL

    @property
    def most(self) -> int:
        """How many attempts this replica may make at once, as one of so many living ones."""
        return max(1, self.webhook.concurrency // self.living)

    @property
    def width(self) -> int:
        """How many attempts may be under way now: one while the breaker is open."""
        return 1 if self.circuit.open else self.limit

    @property
    def waiting(self) -> int:
        """How many claimed deliveries wait."""
        return len(self.ready) + len(self.again)

    # ---------------------------------------------------------------- how it stands

    def heed(self, state: WebhookState | None, now: float) -> None:
        """Take over what other replicas or people have made of the webhook; None: it is open.

        Only what has changed since the last time counts: we may know something newer.
        """
        if state == self.told:
            return
        before, self.told = self.told, state
        was = Condition.ACTIVE if before is None else before.condition
        condition = Condition.ACTIVE if state is None else state.condition
        if condition is Condition.ACTIVE and condition is not was:
            # Only people open what was off: whatever we remember of it is over.
            self.set(state or WebhookState(id=self.id, key=self.key), now)
            self.told = state
            return
        if condition is not was:
            self.condition = condition
        if state is not None and state.gate is not None:
            self.shut_until = max(self.shut_until, now + state.gate.total_seconds())
        known = HEALTHY if before is None else before.health
        self._heed_health(known, HEALTHY if state is None else state.health, now)

    def _heed_health(self, before: Health, health: Health, now: float) -> None:
        if health.open is not before.open and health.open is not self.circuit.open:
            self.circuit = recalled(health, now)
            self.window = ()
            self.limit = 1
        else:
            self.circuit = heard(self.circuit, before, health, now)

    def set(self, state: WebhookState, now: float) -> None:
        """Take over how the webhook stands, whatever we knew: a person wants it so."""
        self.told, self.condition, self.why = state, state.condition, state.why
        gate = None if state.gate is None else state.gate.total_seconds()
        self.shut_until = float("-inf") if gate is None else now + gate
        self.circuit = recalled(_numbered(state.health, self.circuit), now)
        self.window, self.throttles = (), 0

    def state(self, now: float, condition: Condition = Condition.ACTIVE) -> WebhookState:
        """Return how the webhook stands, for the store; there no answer switches it on again."""
        return WebhookState(
            id=self.id,
            key=self.key,
            condition=condition,
            gate=self.gate(now),
            why=self.why,
            health=self.circuit.health(now),
        )

    def gate(self, now: float) -> timedelta | None:
        """Return how long nothing is sent, None: it is open."""
        left = self.shut_until - now
        return timedelta(seconds=left) if left > 0.0 else None

    def shut(self, gate: timedelta, now: float, why: str) -> None:
        """Send nothing for a while."""
        until = now + gate.total_seconds()
        if until > self.shut_until:
            self.shut_until, self.why = until, why

    def open(self, now: float) -> bool:
        """Whether an attempt may begin now."""
        return self.condition is Condition.ACTIVE and now >= self.shut_until

    # ---------------------------------------------------------------- what may be claimed

    def free(self, now: float) -> int:
        """Return how many more deliveries can be taken: so many for each that is sent at once."""
        if not self.open(now):
            return 0
        mine = len(self.ready) + len(self.again) + self.reserved
        if self.circuit.open:
            return max(0, 1 - self.flying - mine)
        room = min(DEEP * self.limit - self.flying, MOST)
        if self.rate.rate is not None:
            room = min(room, self.rate.starts(now, self.patience))
        return max(0, room - mine)

    def slots(self, now: float) -> int:
        """Return how many deliveries to claim now: none while half of those in waiting are there.

        Claiming one for each that was sent would cost a transaction a delivery.
        """
        return self.free(now) if self.waiting <= self.limit // 2 else 0

    def room(self, slots: int) -> Room:
        """Return what the store may be asked for."""
        return Room(webhook=self.id, slots=slots, lease=self.lease)

    def next_claim(self, now: float) -> float | None:
        """Return when the store is worth asking, None: not before something happens."""
        if self.condition is not Condition.ACTIVE or self.asking:
            return None
        at = max(self.due, self.shut_until)
        if self.rate.rate is not None:
            at = max(at, self.rate.opens(now) - self.patience)
        return at if at > now or self.slots(now) else None

    def recipient(self, now: float) -> Recipient:
        """Return the webhook as a change names it; room is reserved until the change is known."""
        # While the breaker is open the store says who is the oldest.
        room = not self.circuit.open and self.free(now) > 0
        self.reserved += room
        return Recipient(webhook=self.id, room=room, lease=self.lease, latest=self.latest)

    def note_due(self, at: float) -> None:
        """Note that the store has a delivery that is due at a moment."""
        self.due = min(self.due, at)
        self.noted = min(self.noted, at)

    # ---------------------------------------------------------------- what begins next

    def add(self, claimed: Claimed) -> None:
        """Put a claimed delivery at the end."""
        (self.again if claimed.delivery.manual else self.ready).append(claimed)

    def take(self) -> Claimed:
        """Take out what begins next: while live ones wait, replays have half of the turns."""
        if not self.again or not self.ready:
            self.replayed = False
            return (self.ready or self.again).popleft()
        room = self.replaying < max(1, self.limit // 2)
        self.replayed = room and not self.replayed
        return (self.again if self.replayed else self.ready).popleft()

    def expired(self, now: float) -> list[Claimed]:
        """Take out what has waited so long that its claim might end during the attempt."""
        gone: list[Claimed] = []
        for queue in (self.ready, self.again):
            while queue and queue[0].until < now:
                gone.append(queue.popleft())
        return gone

    def take_all(self) -> list[Claimed]:
        """Take out all that waits."""
        everything = [*self.ready, *self.again]
        self.ready.clear()
        self.again.clear()
        return everything

    def overtake(self, watch: int, seq: int) -> list[Claimed]:
        """Take out what waits of a generation and is older than a state; note what is under way."""
        gone = [
            one
            for one in self.ready
            if one.delivery.watch == watch and one.delivery.seq < seq
        ]
        for one in gone:
            self.ready.remove(one)
        self.overtaken |= {
            one.id
            for one in self.flights.values()
            if one.watch == watch and one.seq < seq and not one.manual
        }
        return gone

    def opens(self, now: float) -> float | None:
        """Return when the rate lets the next attempt go; None: it has to be paid for first.

        What is paid for may end before the rate lets anything go: then it is asked again.
        """
        if self.rate.rate is None:
            return now
        own = self.rate.opens(now)
        at = self.meter.opens(own)
        early = at is None and own > now and self.meter.opens(now) is not None
        return own if early else at

    def start(self, now: float) -> None:
        """Note an attempt that begins.

        What was to begin at a moment and was woken a little late counts from that moment:
        otherwise a clock that wakes late would lower the rate.
        """
        if self.rate.rate is not None:
            late = self.planned is not None and 0.0 <= now - self.planned < LATE
            at = self.planned if late and self.planned is not None else now
            self.rate.take(at)
            self.meter.take(at)
        self.planned = None

    def begin(self, claimed: Claimed, now: float) -> None:
        """Note that an attempt begins."""
        if self.rate.rate is None:
            self.planned = None
        else:
            self.start(now)
        delivery = claimed.delivery
        self.flying += 1
        self.replaying += delivery.manual
        self.flights[delivery.id] = delivery

    def land(self, claimed: Claimed) -> None:
        """Note that an attempt is over."""
        delivery = claimed.delivery
        self.flying -= 1
        self.replaying -= delivery.manual
        self.flights.pop(delivery.id, None)
        if self.overtaken:
            self.overtaken.discard(delivery.id)

    # ---------------------------------------------------------------- how many at once

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


LATE = 0.05
"""Seconds that a clock may wake us late without the rate suffering."""


def _numbered(health: Health, circuit: Circuit) -> Health:
    """Return a health whose streak has no number that was given before.

    Of one that is as new people are still to be told that it has recovered.
    """
    told = circuit.told if health.failing is None else health.told
    return replace(health, streak=max(health.streak, circuit.streak), told=told)
