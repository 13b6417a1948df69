"""Operational events: what people are told of a webhook in trouble (DELIVERY, section 4).

They go to another webhook, as messages like any other; their ids are derived from their cause, so
that a crash can only repeat them. They name no URL and hold no secret.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from bridge.core.delivering.delivery import Alert, Condition
from bridge.core.message import Message
from bridge.core.text.clocktext import rfc3339
from bridge.core.text.jsontext import encode

_SPACE = UUID("5f6a7c0e-41f7-5c0c-9c33-2b8b3d4a8f10")
"""The name space of the ids of operational events: a number drawn once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What an operational event tells.

    `mark` tells apart what is told several times: a share, an hour. `key` is the webhook's name
    in the store, `since` the moment of the streak's first failure. `count` are deliveries given
    up since the last time.
    """

    type: str
    mark: str = ""
    key: str
    webhook: str
    streak: int
    condition: Condition
    since: datetime | None = None
    failures: int = 0
    reason: str = ""
    share: int | None = None
    count: int | None = None


def alert(cause: Cause, *, to: int, now: datetime) -> Alert:
    """Return the operational event of a cause, for the webhook with the id `to`."""
    tag = f"{cause.type.partition('.')[2]}{cause.mark and ':'}{cause.mark}"
    return Alert(
        webhook=to,
        tag=tag,
        message=Message(
            id=uuid5(_SPACE, f"{cause.key}\n{cause.streak}\n{cause.type}\n{cause.mark}"),
            body=_envelope(cause, now),
        ),
    )


def _envelope(cause: Cause, now: datetime) -> bytes:
    facts = {
        "webhook": cause.webhook,
        "condition": cause.condition.name.lower(),
        "since": rfc3339(cause.since),
        "failures": cause.failures,
        "share": cause.share,
        "count": cause.count,
        "reason": cause.reason,
    }
    return encode({"type": cause.type, "timestamp": rfc3339(now), "data": facts})


def hour(now: datetime) -> str:
    """Return the hour of a moment, in UTC: what may be told once in it."""
    return f"{now:%Y-%m-%dT%H}"
