"""A notice: an operational event as people read it (DELIVERY, section 4)."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

_TITLES = {
    "webhook.failing": "Webhook {} is failing",
    "webhook.disabled": "Webhook {} was switched off",
    "webhook.recovered": "Webhook {} accepts again",
    "webhook.forbidden": "Webhook {} has a forbidden address",
    "delivery.exhausted": "Deliveries to {} were given up",
    "delivery.unrendered": "A body for {} cannot be rendered",
}
_COLOURS = {"webhook.recovered": "2E7D32", "webhook.failing": "F9A825"}
_ALARMING = "C62828"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What there is to show; `facts` are name and value, `webhook` whose troubles it tells."""

    type: str
    title: str
    webhook: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    occurred_at: datetime
    colour: str


class _Data(msgspec.Struct):
    webhook: str
    condition: str = ""
    since: datetime | None = None
    failures: int = 0
    share: int | None = None
    count: int | None = None
    reason: str = ""


class _Envelope(msgspec.Struct):
    type: str
    timestamp: datetime
    data: _Data


_DECODER = msgspec.json.Decoder(_Envelope)


def read_notice(body: bytes) -> Notice:
    """Return what a stored body tells; raises ValueError where it is no operational event."""
    document = _DECODER.decode(body)
    if document.type not in _TITLES:
        raise ValueError("not an operational event")
    told = document.data
    return Notice(
        type=document.type,
        title=_TITLES[document.type].format(told.webhook),
        webhook=told.webhook,
        reason=told.reason,
        facts=tuple(_facts(told)),
        occurred_at=document.timestamp,
        colour=_COLOURS.get(document.type, _ALARMING),
    )


def _facts(told: _Data) -> list[tuple[str, str]]:
    facts = [("Webhook", told.webhook)]
    if told.condition:
        facts.append(("Condition", told.condition))
    if told.since is not None:
        facts.append(("Failing since", f"{told.since:%Y-%m-%d %H:%M} UTC"))
    if told.failures:
        facts.append(("Failed attempts", str(told.failures)))
    if told.share is not None:
        facts.append(("Until it is switched off", f"{told.share} % of the time is over"))
    if told.count is not None:
        facts.append(("Given up", str(told.count)))
    if told.reason:
        facts.append(("Reason", told.reason))
    return facts
