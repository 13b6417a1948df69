"""How a webhook stands at this moment, in the process that sends to it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Breaker(StrEnum):
    """Whether deliveries go out."""

    CLOSED = "closed"
    OPEN = "open"
    """Only probes go out, one at a time."""
    HALF_OPEN = "half-open"
    """A probe was accepted; some more, and it closes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of a webhook beside what the store keeps.

    `concurrency` is how many attempts may be under way now, `in_flight` how many are. `gate` is
    how long nothing is sent to it, None: it is open.
    """

    breaker: Breaker = Breaker.CLOSED
    concurrency: int
    in_flight: int = 0
    gate: timedelta | None = None
