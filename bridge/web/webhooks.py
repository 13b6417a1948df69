"""Webhooks: those of the configuration and those that callers brought, and how they stand."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from bridge.core.ladder import State
from bridge.core.listing import ListedWebhook
from bridge.core.network.urls import shown
from bridge.core.settings import Settings
from bridge.web.answer import Json, answer, problems
from bridge.web.paging import PageQuery
from bridge.web.service import Service
from bridge.web.shapes import WebhooksShape
from bridge.web.showing import name_of


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["webhooks"])

    @calls.get(
        "/v1/webhooks",
        summary="List webhooks",
        responses={**answer(WebhooksShape), **problems(422, 503)},
    )
    async def webhooks(query: Annotated[PageQuery, Query()]) -> Response:
        """Return webhooks, oldest first, with their conditions. A page may be short."""
        rows = await service.lists.list_webhooks(after=query.before or 0, limit=query.limit)
        there = [_shown(row, service.settings) for row in rows]
        next_ = str(rows[-1].state.id) if len(rows) == query.limit else None
        return Json({"webhooks": [one for one in there if one is not None], "next": next_})

    return calls


def _shown(row: ListedWebhook, settings: Settings) -> dict[str, Any] | None:
    """Return a webhook; None: it is no longer configured."""
    if row.callback is not None:
        return {
            **_standing(row),
            "url": shown(row.callback.url),
            "format": "standard",
            "states": [state.word for state in State],
            "signed": row.callback.secret is not None,
        }
    webhook = settings.webhooks.get(name_of(row))
    if webhook is None:
        return None
    return {
        **_standing(row),
        "url": shown(webhook.url),
        "format": webhook.format_name,
        "states": [state.word for state in sorted(webhook.states)],
        "signed": bool(webhook.keys),
    }


def _standing(row: ListedWebhook) -> dict[str, Any]:
    gate = row.state.gate
    return {
        "name": name_of(row),
        "callback": row.callback is not None,
        "condition": row.state.condition.name.lower(),
        "pause_seconds": 0.0 if gate is None else gate.total_seconds(),
        "reason": row.state.why,
    }
