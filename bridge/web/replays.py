"""Replays: many deliveries sent once more, as a job that outlasts a crash; or only counted."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from bridge.core.delivering.delivery import Status
from bridge.core.ladder import State
from bridge.core.listing import ListedWebhook
from bridge.core.replay import Missing, Preview, Replay, ReplayFilter
from bridge.core.settings import Settings, Webhook
from bridge.core.text.clocktext import rfc3339
from bridge.web.addressees import every, named, no_such, receiver_of, standing
from bridge.web.answer import Json, answer, problems, takes
from bridge.web.deliveries import shown_told
from bridge.web.delivery_shapes import PreviewShape, ReplayShape, ReplaysShape
from bridge.web.instants import Instant, inverted
from bridge.web.mistakes import Errors, refused
from bridge.web.phase import must_be_open
from bridge.web.receivers import rate_of
from bridge.web.service import Service
from bridge.web.showing import Known, name_of
from bridge.web.strict import Strict, strict_body

MISSING = "missing"
ALWAYS_TOLD = ("stalled", "lost")
"""Events of a generation that no webhook's `states` filter."""


class ReplayOrder(Strict):
    """What is to be sent again."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"status": "failed", "webhook": "studio", "dry_run": True}
        }
    )

    status: Literal["failed", "delivered", "superseded", "cancelled", "missing"] = Field(
        default="failed",
        description="What became of it; `missing`: what was never made for this webhook. "
        "What is pending goes out by itself.",
    )
    webhook: str | None = Field(
        default=None, description="Its name; default: every webhook.", max_length=64
    )
    since: Instant | None = Field(default=None, description="The event is not older.")
    until: Instant | None = Field(default=None, description="The event is older.")
    dry_run: bool = Field(default=False, description="Only say what would be sent again.")


class LatestQuery(BaseModel):
    """How many replays are listed."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=1000)] = 20


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["deliveries"])
    desk = _Desk(service)
    calls.add_api_route(
        "/v1/deliveries/retry",
        desk.many,
        methods=["POST"],
        summary="Send many deliveries again",
        status_code=202,
        responses={
            202: {
                "model": ReplayShape,
                "description": "Begun. It is on the disk, and goes on after a crash.",
            },
            200: {"model": PreviewShape, "description": "What `dry_run` asked for."},
            **problems(400, 415, 422, 503),
        },
        openapi_extra=takes(ReplayOrder),
    )
    calls.add_api_route(
        "/v1/replays",
        desk.latest,
        methods=["GET"],
        summary="List replays",
        responses={**answer(ReplaysShape), **problems(422, 503)},
    )
    return calls


class _Desk:
    """Answers the calls."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def many(self, request: Request) -> Response:
        """Send again what a filter finds, each with the `webhook-id` that it had."""
        order = await strict_body(request, ReplayOrder)
        if not isinstance(order, ReplayOrder):
            return refused(order)
        webhook = (
            None
            if order.webhook is None
            else await named(self._service.lists, order.webhook)
        )
        errors = _misfits(order, webhook, self._service.settings)
        if errors:
            return refused(errors)
        wanted = _filter(order, webhook, self._service.settings)
        if order.dry_run:
            return Json(await self._preview(wanted, webhook))
        must_be_open(self._service)
        begun = await self._service.replay(wanted)
        return Json(_shown(begun, _known(webhook)), 202)

    async def _preview(
        self, wanted: ReplayFilter, webhook: ListedWebhook | None
    ) -> dict[str, Any]:
        preview = await self._service.preview_replay(wanted)
        told = {one.delivery.webhook for one in preview.first}
        known = await standing(self._service.lists, told)
        return {
            "count": preview.count,
            "first": [shown_told(one, known) for one in preview.first],
            "duration_seconds": await self._duration(wanted, preview, webhook),
        }

    async def _duration(
        self, wanted: ReplayFilter, preview: Preview, webhook: ListedWebhook | None
    ) -> float | None:
        """Return the seconds that the slowest webhook's rate takes; None: none has a rate."""
        settings = self._service.settings
        if webhook is not None:
            rate = _rate(webhook, settings)
            return None if rate is None else preview.count / rate
        spans = []
        for id_, one in (await every(self._service.lists)).items():
            rate = _rate(one, settings)
            if rate is not None and preview.count:
                part = await self._service.preview_replay(replace(wanted, webhook=id_))
                spans.append(part.count / rate)
        return max(spans, default=None)

    async def latest(self, query: Annotated[LatestQuery, Query()]) -> Response:
        """Return the latest replays, newest first, and how far each has come."""
        found = await self._service.replays(limit=query.limit)
        named_ones = {one.filter.webhook for one in found if one.filter.webhook is not None}
        known = await standing(self._service.lists, named_ones)
        return Json({"replays": [_shown(one, known) for one in found]})


def _misfits(
    order: ReplayOrder, webhook: ListedWebhook | None, settings: Settings
) -> Errors:
    """Return what is wrong with fields that are right each by itself."""
    errors: Errors = []
    if order.webhook is not None and webhook is None:
        errors.append({"path": "$.webhook", "message": no_such(settings)})
    if order.webhook is None and order.status == MISSING:
        message = "`missing` needs a webhook: for whom would they be made?"
        errors.append({"path": "$.webhook", "message": message})
    if inverted(order.since, order.until):
        errors.append({"path": "$.until", "message": "it must lie after `since`"})
    return errors


def _filter(
    order: ReplayOrder, webhook: ListedWebhook | None, settings: Settings
) -> ReplayFilter:
    status: Status | Missing = (
        Missing.MISSING if order.status == MISSING else Status[order.status.upper()]
    )
    return ReplayFilter(
        status=status,
        webhook=None if webhook is None else webhook.state.id,
        since=order.since,
        until=order.until,
        tags=()
        if status is not Missing.MISSING or webhook is None
        else _tags(webhook, settings),
    )


def _tags(webhook: ListedWebhook, settings: Settings) -> tuple[str, ...]:
    """Return the events that a webhook is told of."""
    receiver = receiver_of(webhook, settings)
    states = receiver.states if isinstance(receiver, Webhook) else frozenset(State)
    return (*(state.word for state in sorted(states)), *ALWAYS_TOLD)


def _rate(webhook: ListedWebhook, settings: Settings) -> float | None:
    """Return how many a second a webhook takes at most; None: there is no limit."""
    receiver = receiver_of(webhook, settings)
    return rate_of(receiver) if isinstance(receiver, Webhook) else None


def _known(webhook: ListedWebhook | None) -> Known:
    return {} if webhook is None else {webhook.state.id: webhook}


def _shown(one: Replay, known: Known) -> dict[str, Any]:
    status = one.filter.status
    webhook = None if one.filter.webhook is None else known.get(one.filter.webhook)
    return {
        "id": one.id,
        "status": status.value if isinstance(status, Missing) else status.name.lower(),
        "webhook": None if webhook is None else name_of(webhook),
        "since": rfc3339(one.filter.since),
        "until": rfc3339(one.filter.until),
        "done": one.done,
        "over": one.over,
        "begun_at": rfc3339(one.begun_at),
    }
