"""A delivery: one event on its way to one webhook, and what one attempt made of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import ClassVar

from bridge.core.delivering.health import HEALTHY, Health
from bridge.core.delivering.receipt import Receipt
from bridge.core.message import Message
from bridge.core.network.exchange import Headers, Peer, Timings
from bridge.core.record import Record


class Status(IntEnum):
    """Where a delivery stands; the numbers are stored."""

    PENDING = 0
    DELIVERED = 1
    FAILED = 2
    SUPERSEDED = 3
    CANCELLED = 4


class Condition(IntEnum):
    """How a webhook stands; the numbers are stored."""

    ACTIVE = 0
    PAUSED = 1
    DISABLED = 2


class Delivery(Record, frozen=True, kw_only=True):
    """A claimed delivery: nobody else sends it while `fence` holds.

    `attempt` is the number of the attempt that was claimed, from 1; `tries` how many steps of
    the retry schedule earlier attempts have used. `receipt` names the message at the receiver
    that is edited to tell it; None: it is posted.
    """

    id: int
    fence: int
    webhook: int
    watch: int | None
    seq: int
    attempt: int
    tries: int
    manual: bool
    message: Message
    receipt: str | None = None


class Purpose(StrEnum):
    """Why an attempt was made."""

    LIVE = "live"
    PROBE = "probe"
    """To find out whether a webhook whose breaker is open has recovered."""
    REPLAY = "replay"


class Result(StrEnum):
    """What the verdict on an attempt was, in a word."""

    DELIVERED = "delivered"
    AGAIN = "again"
    FAILED = "failed"
    DISABLED = "disabled"
    SKIPPED = "skipped"


class Particulars(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The circumstances of an attempt, for people (DELIVERY, section 6).

    `started` is when the first byte could go. `step` counts the steps of the schedule that were
    used before. `form` is the form that was sent last (`full`, `compact`, `text`). The values of
    `sent` and `heard` are masked where they are secret. `next` is the wait until the next
    attempt, None: there is none; `because` says what set it (`step 3`, `Retry-After 120
    s`, `gate`). What is as a new one has it is not stored, here and in `Timings`: the defaults
    are for good.
    """

    unshown: ClassVar[frozenset[str]] = frozenset({"sent", "heard"})

    purpose: Purpose = Purpose.LIVE
    step: int = 0
    started: datetime | None = None
    peer: Peer | None = None
    form: str = "full"
    sent: Headers = ()
    heard: Headers = ()
    cut: bool = False
    result: Result = Result.AGAIN
    reason: str = ""
    sentence: str = ""
    next: timedelta | None = None
    because: str | None = None


class Attempt(Record, frozen=True, kw_only=True):
    """One POST and what came of it, for the log of attempts."""

    unshown: ClassVar[frozenset[str]] = frozenset({"answer"})

    number: int
    code: int | None
    why: str | None
    timings: Timings
    answer: bytes = b""
    particulars: Particulars = Particulars()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookState:
    """A webhook as the store keeps it: its gate stays shut for `gate`, None: it is open."""

    id: int
    key: str
    condition: Condition = Condition.ACTIVE
    gate: timedelta | None = None
    why: str | None = None
    health: Health = HEALTHY


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An operational event, on its way to the webhook that is told of another one's troubles.

    Its message's id is derived from its cause, so that it can only be repeated, never forked.
    It is stored with its cause, in the same transaction. `tag` is `failing:50`, `disabled` ….
    """

    webhook: int
    tag: str
    message: Message


class Settlement(Record, frozen=True, kw_only=True):
    """What becomes of a claimed delivery after an attempt, and of its webhook.

    `wait` counts for a delivery that stays pending. `step` says whether a step of the schedule
    was used. `attempt` is None for a delivery that is given back unsent: what its claim counted
    is taken back. `webhook` is the webhook's new state where the answer changed it. `alerts`
    are committed with it, and so is `receipt`, which names from now on the message that tells of
    the generation's progress; None: nothing changes.
    """

    delivery: Delivery
    status: Status
    wait: timedelta = timedelta()
    step: bool = True
    attempt: Attempt | None
    webhook: WebhookState | None = None
    alerts: tuple[Alert, ...] = ()
    receipt: Receipt | None = None
