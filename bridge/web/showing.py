"""Showing: records as documents for people. No secret is in them, no path of a webhook's URL."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from bridge.core.delivering.callback import callback_name
from bridge.core.delivering.delivery import Condition, Status
from bridge.core.ladder import word
from bridge.core.listing import (
    ListedDelivery,
    ListedEvent,
    ListedWatch,
    ListedWebhook,
    Timeline,
)
from bridge.core.network.urls import shown
from bridge.core.pacing.report import InVain
from bridge.core.text.clocktext import rfc3339

Known: TypeAlias = Mapping[int, ListedWebhook]
"""Webhooks by their ids."""

NAMED = "name:"
"""How the key of a webhook of the configuration begins."""

PENDING, HELD = "pending", "held"
"""What is not over: on its way, or waiting for its webhook to be resumed."""


def shown_watch(watch: ListedWatch, known: Known) -> dict[str, Any]:
    """Return a watch."""
    told = [known[id_] for id_ in watch.webhooks if id_ in known]
    return {
        "source": watch.generation.source,
        "id": watch.generation.id,
        "state": word(watch.rank),
        "native_state": watch.native_state,
        "active": watch.active,
        "ended": watch.ended,
        "until": watch.until.word,
        "webhooks": [name_of(one) for one in told if one.callback is None],
        "callbacks": [shown(one.callback.url) for one in told if one.callback is not None],
        "metadata": watch.metadata,
        "sequence": watch.seq,
        "origin": watch.origin.name.lower(),
        "created_at": rfc3339(watch.created_at),
        "deadline_at": rfc3339(watch.deadline_at),
        "state_at": rfc3339(watch.state_at),
        "ended_at": rfc3339(watch.ended_at),
    }


def shown_timeline(
    timeline: Timeline, known: Known, in_vain: InVain | None = None
) -> dict[str, Any]:
    """Return a watch with its events, and how its last looks failed."""
    events = [_event(event, known) for event in timeline.events]
    failed = in_vain and {"reason": in_vain.reason, "in_a_row": in_vain.in_a_row}
    return {**shown_watch(timeline.watch, known), "in_vain": failed, "events": events}


def name_of(webhook: ListedWebhook) -> str:
    """Return how people call a webhook."""
    state = webhook.state
    return (
        state.key.removeprefix(NAMED)
        if webhook.callback is None
        else callback_name(state.id)
    )


def _event(event: ListedEvent, known: Known) -> dict[str, Any]:
    body = msgspec.json.decode(event.body)
    return {
        "id": str(event.id),
        "type": body.get("type", event.tag),
        "sequence": event.seq,
        "timestamp": rfc3339(event.occurred_at),
        "data": body.get("data", {}),
        "deliveries": [shown_delivery(one, known) for one in event.deliveries],
    }


def shown_delivery(delivery: ListedDelivery, known: Known) -> dict[str, Any]:
    """Return a delivery; what waits for a webhook that is off is `held`, and due at no time."""
    webhook = known.get(delivery.webhook)
    status = delivery.status.name.lower()
    if delivery.status is Status.PENDING and held(webhook):
        status = HELD
    return {
        "id": delivery.id,
        "webhook": callback_name(delivery.webhook) if webhook is None else name_of(webhook),
        "status": status,
        "attempts": delivery.attempts,
        "due_at": rfc3339(delivery.due_at) if status == PENDING else None,
        "settled_at": rfc3339(delivery.settled_at),
        "code": delivery.code,
        "reason": delivery.why,
    }


def held(webhook: ListedWebhook | None) -> bool:
    """Return whether what is pending for a webhook waits for somebody to resume it."""
    return webhook is not None and webhook.state.condition is not Condition.ACTIVE
