"""Limits: how often one key may ask, and how a refusal says when to come back."""

import json
import math
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime

from bridge.simulator.exchange import Document, Reply, json_reply
from bridge.simulator.switches import RetryAfter


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


def refusal(document: Document, wait: float, form: RetryAfter, now: datetime) -> Reply:
    """Return a 429 that says in this form to come back after `wait` seconds, never too early."""
    reply, seconds = json_reply(document, 429), max(1, math.ceil(wait))
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
            body = json.dumps({**document, "retry_after": seconds}).encode()
            return replace(reply, body=body)


def _with(reply: Reply, *headers: tuple[str, str]) -> Reply:
    return replace(reply, headers=(*reply.headers, *headers))
