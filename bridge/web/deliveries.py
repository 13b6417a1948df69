"""Deliveries: listed, shown with every attempt, made due once more."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bridge.core.delivering.delivery import Status
from bridge.core.listing import DeliveryFilter, History, ListedWebhook, ToldDelivery
from bridge.core.network.urls import shown
from bridge.core.secrecy import veil_of
from bridge.core.settings import Settings, Webhook
from bridge.core.text.clocktext import rfc3339
from bridge.web.addressees import every, named, no_such, receiver_of, standing
from bridge.web.answer import Json, answer, problems
from bridge.web.attempts import diagnosed, shown_attempt, shown_diagnosis
from bridge.web.delivery_shapes import DeliveriesShape, HistoryShape, ToldDeliveryShape
from bridge.web.instants import Instant, inverted
from bridge.web.mistakes import refused
from bridge.web.paging import PageQuery
from bridge.web.phase import must_be_open
from bridge.web.service import Service
from bridge.web.showing import HELD, PENDING, Known, held, shown_delivery

STRETCH = 1000
"""Deliveries that are read at once where only some of them are wanted."""

ROUNDS = 25
"""Stretches that one page walks over for those."""

DeliveryId = Annotated[int, Path(ge=1, le=2**62)]
_UNKNOWN = "there is no such delivery, or it is kept no longer"


class DeliveryQuery(PageQuery):
    """Which deliveries are listed."""

    status: (
        Literal["pending", "held", "delivered", "failed", "superseded", "cancelled"] | None
    ) = None
    webhook: Annotated[str, Field(max_length=64, min_length=1)] | None = None
    since: Instant | None = None
    until: Instant | None = None


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["deliveries"])
    desk = _Desk(service)
    calls.add_api_route(
        "/v1/deliveries",
        desk.page,
        methods=["GET"],
        summary="List deliveries",
        responses={**answer(DeliveriesShape), **problems(422, 503)},
    )
    calls.add_api_route(
        "/v1/deliveries/{id}",
        desk.one,
        methods=["GET"],
        summary="Show a delivery with every attempt",
        responses={**answer(HistoryShape), **problems(404, 422, 503)},
    )
    calls.add_api_route(
        "/v1/deliveries/{id}/retry",
        desk.retry,
        methods=["POST"],
        summary="Send a delivery again",
        status_code=202,
        responses={
            202: {
                "model": ToldDeliveryShape,
                "description": "It is due now; that is on the disk.",
            },
            **problems(404, 422, 503),
        },
    )
    return calls


class _Desk:
    """Answers the calls."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def page(self, query: Annotated[DeliveryQuery, Query()]) -> Response:
        """Return deliveries, newest first. `held`: pending for a webhook that is off."""
        if inverted(query.since, query.until):
            return refused([{"path": "?until", "message": "it must lie after `since`"}])
        webhook = None
        if query.webhook is not None:
            webhook = await named(self._service.lists, query.webhook)
            if webhook is None:
                message = no_such(self._service.settings)
                return refused([{"path": "?webhook", "message": message}])
        found, next_ = await self._found(query, webhook)
        known = await standing(self._service.lists, {x.delivery.webhook for x in found})
        document = {
            "deliveries": [shown_told(one, known) for one in found],
            "next": None if next_ is None else str(next_),
        }
        return Json(document)

    async def _found(
        self, query: DeliveryQuery, webhook: ListedWebhook | None
    ) -> tuple[Sequence[ToldDelivery], int | None]:
        wanted = DeliveryFilter(
            status=_status(query.status),
            webhook=None if webhook is None else webhook.state.id,
            since=query.since,
            until=query.until,
        )
        if wanted.status is not Status.PENDING:
            page = await self._service.deliveries.list_deliveries(
                wanted, before=query.before, limit=query.limit
            )
            return page.deliveries, page.before
        return await self._waiting(wanted, query)

    async def _waiting(
        self, wanted: DeliveryFilter, query: DeliveryQuery
    ) -> tuple[Sequence[ToldDelivery], int | None]:
        """Return what is pending and held, or pending and not: no row says which."""
        off = {id_ for id_, one in (await every(self._service.lists)).items() if held(one)}
        found: list[ToldDelivery] = []
        before = query.before
        for _ in range(ROUNDS):
            page = await self._service.deliveries.list_deliveries(
                wanted, before=before, limit=STRETCH
            )
            before = page.before
            fitting = [
                one
                for one in page.deliveries
                if (one.delivery.webhook in off) == (query.status == HELD)
            ]
            room = query.limit - len(found)
            found += fitting[:room]
            if len(fitting) > room:
                return found, found[-1].delivery.id
            if before is None:
                break
        return found, before

    async def one(self, id: DeliveryId) -> Response:  # noqa: A002  (as in the path)
        """Return a delivery, its event, its attempts, and what the last of them means."""
        history = await self._service.deliveries.history(id)
        if history is None:
            raise HTTPException(404, _UNKNOWN)
        known = await standing(self._service.lists, [history.delivery.delivery.webhook])
        return Json(shown_history(history, known, self._service.settings))

    async def retry(self, id: DeliveryId) -> Response:  # noqa: A002
        """Make a delivery due now, whatever became of it; it keeps its `webhook-id`."""
        must_be_open(self._service)
        history = await self._service.deliveries.history(id)
        if history is None or not await self._service.retry(id):
            raise HTTPException(404, _UNKNOWN)
        again = await self._service.deliveries.history(id) or history
        known = await standing(self._service.lists, [again.delivery.delivery.webhook])
        return Json(shown_told(again.delivery, known), 202)


def _status(word: str | None) -> Status | None:
    """Return the status that is kept for a word; what is held is pending there."""
    return None if word is None else Status[(PENDING if word == HELD else word).upper()]


def shown_told(told: ToldDelivery, known: Known) -> dict[str, Any]:
    """Return a delivery beside the event that it carries."""
    generation = told.generation
    return {
        **shown_delivery(told.delivery, known),
        "event": str(told.event),
        "type": told.type,
        "sequence": told.seq,
        "source": None if generation is None else generation.source,
        "generation_id": None if generation is None else generation.id,
        "replayed": told.manual,
        "first_at": rfc3339(told.first_at),
    }


def shown_history(history: History, known: Known, settings: Settings) -> dict[str, Any]:
    """Return a delivery with what it says, every attempt, and what the last of them means."""
    webhook = known.get(history.delivery.delivery.webhook)
    receiver = None if webhook is None else receiver_of(webhook, settings)
    format_name = receiver.format_name if isinstance(receiver, Webhook) else "standard"
    url = "…" if receiver is None else shown(receiver.url)
    found = diagnosed(history.attempts, format_name=format_name, url=url)
    veil = veil_of(receiver)
    return {
        **shown_told(history.delivery, known),
        "format": format_name,
        "url": url,
        "data": msgspec.json.decode(history.message.body).get("data", {}),
        "log": [shown_attempt(one, veil) for one in history.attempts],
        "diagnosis": None if found is None else shown_diagnosis(found),
    }
