"""Receivers: how a webhook is shown, whether it stands in the file or a caller brought it."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

from bridge.core.delivering.callback import Callback
from bridge.core.delivering.health import Health
from bridge.core.delivering.signing import Key, fingerprint, public_text, read_key
from bridge.core.delivering.standing import Breaker, Standing
from bridge.core.ladder import State
from bridge.core.listing import ListedWebhook
from bridge.core.network.urls import shown
from bridge.core.settings import Webhook
from bridge.web.showing import name_of

_CALLERS_CONCURRENCY = next(
    one.default for one in fields(Webhook) if one.name == "concurrency"
)


def shown_webhook(
    row: ListedWebhook, receiver: Webhook | Callback, standing: Standing | None
) -> dict[str, Any]:
    """Return a webhook: what it is, how the store knows it, and how it stands here and now."""
    state = row.state
    return {
        "name": name_of(row),
        "url": shown(receiver.url),
        **_terms(receiver),
        "callback": row.callback is not None,
        "condition": state.condition.name.lower(),
        "pause_seconds": _seconds(state.gate),
        "reason": state.why,
        "breaker": _breaker(state.health, standing),
        "health": _health(state.health),
        "live": None if standing is None else _live(standing),
    }


def _terms(receiver: Webhook | Callback) -> dict[str, Any]:
    keys = keys_of(receiver)
    own = receiver if isinstance(receiver, Webhook) else None
    states = frozenset(State) if own is None else own.states
    return {
        "format": "standard" if own is None else own.format_name,
        "states": [state.word for state in sorted(states)],
        "signed": bool(keys),
        "keys": [_key(key) for key in keys],
        "rate_per_second": None if own is None else rate_of(own),
        "concurrency": _CALLERS_CONCURRENCY if own is None else own.concurrency,
    }


def keys_of(receiver: Webhook | Callback) -> Sequence[Key]:
    """Return what deliveries to a webhook are signed with, newest first."""
    if isinstance(receiver, Webhook):
        return receiver.keys
    return () if receiver.secret is None else (read_key(receiver.secret),)


def rate_of(webhook: Webhook) -> float | None:
    """Return how many a second a webhook takes: its own rate, else its format's; None: any."""
    return webhook.format.limits.rate if webhook.rate is None else webhook.rate.per_second


def _key(key: Key) -> dict[str, Any]:
    return {
        "kind": key.kind.value,
        "fingerprint": fingerprint(key),
        "public": public_text(key),
    }


def _breaker(health: Health, standing: Standing | None) -> str:
    """Return what the process that sends knows, else what the store remembers."""
    if standing is not None:
        return standing.breaker.value
    return (Breaker.OPEN if health.open else Breaker.CLOSED).value


def _health(health: Health) -> dict[str, Any]:
    return {
        "failing_seconds": None if health.failing is None else _seconds(health.failing),
        "failures": health.failures,
        "told": health.told,
    }


def _live(standing: Standing) -> dict[str, Any]:
    return {
        "breaker": standing.breaker.value,
        "concurrency": standing.concurrency,
        "in_flight": standing.in_flight,
        "pause_seconds": _seconds(standing.gate),
    }


def _seconds(span: timedelta | None) -> float:
    return 0.0 if span is None else max(0.0, span.total_seconds())
