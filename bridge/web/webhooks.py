"""Webhooks: those of the configuration and those that callers brought, how they stand; pause."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bridge.core.listing import ListedWebhook
from bridge.core.text.cleantext import one_line
from bridge.web.addressees import named, no_such, receiver_of
from bridge.web.answer import Json, answer, problems, takes
from bridge.web.instants import Instant
from bridge.web.mistakes import refused
from bridge.web.paging import PageQuery
from bridge.web.phase import must_be_open
from bridge.web.receivers import shown_webhook
from bridge.web.service import Service
from bridge.web.strict import Strict, optional_body
from bridge.web.webhook_shapes import ResumedShape, WebhookShape, WebhooksShape

LONGEST_WHY = 200
_GONE = "this webhook was taken out of the configuration just now"
_WHY = "somebody paused it"


class Pause(Strict):
    """How a webhook is paused."""

    model_config = ConfigDict(json_schema_extra={"example": {"why": "moving house"}})

    why: Annotated[str, Field(max_length=LONGEST_WHY)] | None = Field(
        default=None, description="Shown until it is resumed."
    )


class Resume(Strict):
    """What becomes of what waits for a webhook."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"since": "2026-11-21T08:30:00Z"}}
    )

    since: Instant | None = Field(
        default=None, description="What waits and is older is cancelled."
    )
    discard: bool = Field(default=False, description="All that waits is cancelled.")


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["webhooks"])
    desk = _Desk(service)
    calls.add_api_route(
        "/v1/webhooks",
        desk.page,
        methods=["GET"],
        summary="List webhooks",
        responses={**answer(WebhooksShape), **problems(422, 503)},
    )
    calls.add_api_route(
        "/v1/webhooks/{name}",
        desk.one,
        methods=["GET"],
        summary="Show a webhook",
        responses={**answer(WebhookShape), **problems(404, 503)},
    )
    calls.add_api_route(
        "/v1/webhooks/{name}/pause",
        desk.pause,
        methods=["POST"],
        summary="Pause a webhook",
        responses={**answer(WebhookShape), **problems(400, 404, 415, 422, 503)},
        openapi_extra=takes(Pause, required=False),
    )
    calls.add_api_route(
        "/v1/webhooks/{name}/resume",
        desk.resume,
        methods=["POST"],
        summary="Resume a webhook",
        responses={**answer(ResumedShape), **problems(400, 404, 415, 422, 503)},
        openapi_extra=takes(Resume, required=False),
    )
    return calls


class _Desk:
    """Answers the calls."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def page(self, query: Annotated[PageQuery, Query()]) -> Response:
        """Return webhooks, oldest first, with their conditions. A page may be short."""
        rows = await self._service.lists.list_webhooks(
            after=query.before or 0, limit=query.limit
        )
        there = [self._shown(row) for row in rows]
        next_ = str(rows[-1].state.id) if len(rows) == query.limit else None
        found = [one for one in there if one is not None]
        return Json({"webhooks": found, "next": next_})

    async def one(self, name: str) -> Response:
        """Return a webhook; one that a caller brought is called `callback 7`."""
        return Json(await self._found(name))

    async def pause(self, name: str, request: Request) -> Response:
        """Send nothing more to a webhook. Events are recorded; what waits is held."""
        order = await optional_body(request, Pause)
        if not isinstance(order, Pause):
            return refused(order)
        webhook = await webhook_named(self._service, name)
        must_be_open(self._service)
        why = one_line(order.why or "", LONGEST_WHY) or _WHY
        with still_there():
            await self._service.pause(webhook.state.id, why)
        return Json(await self._found(name))

    async def resume(self, name: str, request: Request) -> Response:
        """Send to a webhook again, in order, what waits for it."""
        order = await optional_body(request, Resume)
        if not isinstance(order, Resume):
            return refused(order)
        if order.discard and order.since is not None:
            message = "either `since` or `discard`: the one keeps some, the other nothing"
            return refused([{"path": "$.discard", "message": message}])
        webhook = await webhook_named(self._service, name)
        must_be_open(self._service)
        with still_there():
            waiting = await self._service.resume(
                webhook.state.id, since=order.since, discard=order.discard
            )
        return Json({"waiting": waiting, "webhook": await self._found(name)})

    async def _found(self, name: str) -> dict[str, Any]:
        shown = self._shown(await webhook_named(self._service, name))
        if shown is None:
            raise HTTPException(404, _GONE)
        return shown

    def _shown(self, row: ListedWebhook) -> dict[str, Any] | None:
        """Return a webhook; None: it is no longer configured."""
        receiver = receiver_of(row, self._service.settings)
        if receiver is None:
            return None
        return shown_webhook(row, receiver, self._service.standing(row.state.id))


@contextmanager
def still_there() -> Iterator[None]:
    """Answer that a webhook is gone where a reload takes it away while it is spoken of."""
    try:
        yield
    except LookupError:
        raise HTTPException(404, _GONE) from None


async def webhook_named(service: Service, name: str) -> ListedWebhook:
    """Return the webhook that people call so; raises HTTPException 404 where there is none."""
    webhook = await named(service.lists, name)
    if webhook is None or receiver_of(webhook, service.settings) is None:
        raise HTTPException(404, no_such(service.settings))
    return webhook
