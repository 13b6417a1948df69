"""A delivery: one event on its way to one webhook, and what one attempt made of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum

from bridge.core.message import Message
from bridge.core.network.exchange import Timings


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A claimed delivery: nobody else sends it while `fence` holds.

    `attempt` is the number of the attempt that was claimed, from 1; `tries` how many steps of
    the retry schedule earlier attempts have used.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One POST and what came of it, for the log of attempts."""

    number: int
    code: int | None
    why: str | None
    timings: Timings
    answer: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookState:
    """A webhook as the store keeps it: its gate stays shut for `gate`, None: it is open."""

    id: int
    key: str
    condition: Condition = Condition.ACTIVE
    gate: timedelta | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What becomes of a claimed delivery after an attempt, and of its webhook.

    `wait` counts for a delivery that stays pending. `step` says whether a step of the schedule
    was used. `attempt` is None for a delivery that is given back unsent: what its claim counted
    is taken back. `webhook` is the webhook's new state where the answer changed it.
    """

    delivery: Delivery
    status: Status
    wait: timedelta = timedelta()
    step: bool = True
    attempt: Attempt | None
    webhook: WebhookState | None = None
