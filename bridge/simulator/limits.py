"""Limits: how often one key may ask, and how a refusal says when to come back."""

import json
import math
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from enum import Enum, auto

from bridge.simulator.exchange import Reply


class RetryAfter(Enum):
    """How a 429 says when to come back."""

    NONE = auto()
    SECONDS = auto()
    DATE = auto()
    MILLISECONDS = auto()
    """`retry-after-ms`."""
    BODY = auto()
    """`retry_after` in the document."""


@dataclass(kw_only=True)
class Meter:
    """Remembers the moments of the requests that it let through in the last second."""

    let: deque[float] = field(default_factory=deque)

    def wait(self, now: float, limit: int) -> float:
        """Let a request through and return 0, or return the seconds until one would be.

        No second holds more than `limit` of them; 0 lets nothing through. What is refused does
        not count.
        """
        while self.let and now - self.let[0] >= 1.0:
            self.let.popleft()
        if len(self.let) >= limit:
            return 1.0 - (now - self.let[-limit]) if limit else 1.0
        self.let.append(now)
        return 0.0


def refusal(reply: Reply, wait: float, form: RetryAfter, now: datetime) -> Reply:
    """Return the refusal, saying in this form to come back after `wait` s, never too early."""
    seconds = max(1, math.ceil(wait))
    match form:
        case RetryAfter.NONE:
            return reply
        case RetryAfter.SECONDS:
            return _with(reply, ("retry-after", str(seconds)))
        case RetryAfter.DATE:
            then = now.replace(microsecond=0) + timedelta(seconds=seconds + 1)
            return _with(
                reply,
                ("date", format_datetime(now, usegmt=True)),
                ("retry-after", format_datetime(then, usegmt=True)),
            )
        case RetryAfter.MILLISECONDS:
            return _with(reply, ("retry-after-ms", str(math.ceil(wait * 1000))))
        case RetryAfter.BODY:
            document = {**json.loads(reply.body), "retry_after": seconds}
            body = json.dumps(document).encode()
            return replace(reply, body=body)


def _with(reply: Reply, *headers: tuple[str, str]) -> Reply:
    return replace(reply, headers=(*reply.headers, *headers))
