"""Watches: ordered one by one or many at once, listed, shown with their timeline, called off."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bridge.core.ladder import State
from bridge.core.listing import ListedWatch, WatchFilter
from bridge.core.order import Ordered, WatchOrder
from bridge.core.watch import Generation
from bridge.web.addressees import standing
from bridge.web.answer import Json, answer, problems, takes
from bridge.web.body import json_body
from bridge.web.mistakes import Errors, refused
from bridge.web.orders import Known, Order, read_order, read_orders, why_no_id
from bridge.web.paging import PageQuery
from bridge.web.phase import must_be_open
from bridge.web.service import Service
from bridge.web.shapes import BatchShape, TimelineShape, WatchesShape, WatchShape
from bridge.web.showing import shown_timeline, shown_watch

MOST_AT_ONCE = 1000
"""Watches that one call orders."""

ROUNDS = 25
"""Stretches of the store that one page walks over for the rare ones that are wanted."""


class WatchQuery(PageQuery):
    """Which watches are listed."""

    source: Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")] | None = (
        None
    )
    state: Literal["queued", "dreaming", "processing", "completed", "failed"] | None = None
    active: bool | None = None


class Batch(BaseModel):
    """Many watches that are wanted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "watches": [{"source": "luma", "id": "1"}, {"source": "luma", "id": "2"}]
            }
        },
    )

    watches: Annotated[
        # A wrong one is told of its mistakes, and keeps nobody else back.
        list[Order | Any],
        Field(min_length=1, max_length=MOST_AT_ONCE),
    ]


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["watches"])
    desk = _Desk(service)
    calls.add_api_route(
        "/v1/watches",
        desk.order,
        methods=["POST"],
        summary="Watch a generation",
        status_code=201,
        responses={
            201: {"model": WatchShape, "description": "Begun. It is on the disk."},
            200: {
                "model": WatchShape,
                "description": "It was watched before: webhooks are united, `until` is "
                "raised, deadline and metadata are replaced.",
            },
            **problems(400, 409, 415, 422, 503),
        },
        openapi_extra=takes(Order),
    )
    calls.add_api_route(
        "/v1/watches:batch",
        desk.order_many,
        methods=["POST"],
        summary="Watch many generations",
        responses={
            200: {"model": BatchShape, "description": "All are on the disk."},
            207: {
                "model": BatchShape,
                "description": "Some are wrong, each with its mistakes; the others are on "
                "the disk.",
            },
            **problems(400, 409, 415, 422, 503),
        },
        openapi_extra=takes(Batch),
    )
    calls.add_api_route(
        "/v1/watches",
        desk.page,
        methods=["GET"],
        summary="List watches",
        responses={**answer(WatchesShape), **problems(422, 503)},
    )
    calls.add_api_route(
        "/v1/watches/{source}/{id:path}",
        desk.one,
        methods=["GET"],
        summary="Show a watch with its timeline",
        responses={**answer(TimelineShape), **problems(404, 422, 503)},
    )
    calls.add_api_route(
        "/v1/watches/{source}/{id:path}",
        desk.call_off,
        methods=["DELETE"],
        summary="End a watch",
        responses={
            200: {
                "model": WatchShape,
                "description": "It is over; what is pending still goes out.",
            },
            **problems(404, 422, 503),
        },
    )
    return calls


class _Desk:
    """Answers the calls."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def order(self, request: Request) -> Response:
        """Begin to watch a generation, or change how it is watched."""
        document = await json_body(request)
        order = read_order(document, Known.of(self._service.settings))
        if not isinstance(order, WatchOrder):
            return refused(order)
        must_be_open(self._service)
        (done,) = await self._registered([order])
        (shown,) = await self._shown([done.watch])
        return Json(shown, 201 if done.begun else 200)

    async def order_many(self, request: Request) -> Response:
        """Begin to watch up to 1,000 generations, those without mistakes in one transaction."""
        documents = _batch(await json_body(request))
        if isinstance(documents, Response):
            return documents
        known = Known.of(self._service.settings)
        # A thousand documents take some 20 ms: too long for everybody else on the loop.
        read = partial(read_orders, documents, known, "$.watches")
        orders = await to_thread.run_sync(read)
        must_be_open(self._service)
        return await self._ordered(orders)

    async def _ordered(self, orders: Sequence[WatchOrder | Errors]) -> Response:
        good = [order for order in orders if isinstance(order, WatchOrder)]
        ordered = await self._registered(good) if good else []
        shown = await self._shown([done.watch for done in ordered])
        done = iter(zip(ordered, shown, strict=True))
        results = [
            _refusal(order) if not isinstance(order, WatchOrder) else _done(*next(done))
            for order in orders
        ]
        begun = sum(one.begun for one in ordered)
        document = {
            "begun": begun,
            "changed": len(good) - begun,
            "refused": len(orders) - len(good),
            "results": results,
        }
        return Json(document, 200 if len(good) == len(orders) else 207)

    async def _registered(self, orders: Sequence[WatchOrder]) -> Sequence[Ordered]:
        try:
            return await self._service.order(orders)
        except LookupError:
            raise HTTPException(409, _CHANGED) from None

    async def page(self, query: Annotated[WatchQuery, Query()]) -> Response:
        """Return watches, newest first. A page may be short though it is not the last."""
        wanted = WatchFilter(
            source=query.source,
            state=None if query.state is None else State.of(query.state),
            active=query.active,
        )
        found: list[ListedWatch] = []
        before = query.before
        for _ in range(ROUNDS):
            page = await self._service.lists.list_watches(
                wanted, before=before, limit=query.limit - len(found)
            )
            found += page.watches
            before = page.before
            if before is None or len(found) == query.limit:
                break
        next_ = None if before is None else str(before)
        return Json({"watches": await self._shown(found), "next": next_})

    async def one(self, source: str, id: str) -> Response:  # noqa: A002  (as in the path)
        """Return a watch with its events and their deliveries."""
        generation = _generation(source, id)
        timeline = await self._service.lists.timeline(generation)
        if timeline is None:
            raise HTTPException(404, _UNKNOWN)
        told = {one.webhook for event in timeline.events for one in event.deliveries}
        known = await standing(self._service.lists, {*told, *timeline.watch.webhooks})
        return Json(shown_timeline(timeline, known, self._service.in_vain(generation)))

    async def call_off(self, source: str, id: str) -> Response:  # noqa: A002
        """End a watch. Doing so again changes nothing."""
        generation = _generation(source, id)
        must_be_open(self._service)
        watch = await self._service.call_off(generation)
        if watch is None:
            raise HTTPException(404, _UNKNOWN)
        (shown,) = await self._shown([watch])
        return Json(shown)

    async def _shown(self, watches: Sequence[ListedWatch]) -> list[dict[str, Any]]:
        known = await self._service.addressees(_webhooks(watches))
        return [shown_watch(watch, known) for watch in watches]


_CHANGED = "a webhook was taken out of the configuration just now; ask again"
_UNKNOWN = "this generation has never been watched"


def _generation(source: str, id_: str) -> Generation:
    if not source.isprintable() or why_no_id(id_) is not None:
        raise HTTPException(404, _UNKNOWN)
    return Generation(source, id_)


def _webhooks(watches: Iterable[ListedWatch]) -> set[int]:
    return {id_ for watch in watches for id_ in watch.webhooks}


def _batch(document: object) -> Sequence[object] | Response:
    """Return the documents of a batch, or the answer to one that is none."""
    if not isinstance(document, dict) or not isinstance(document.get("watches"), list):
        return refused([{"path": "$", "message": 'expected {"watches": […]}'}])
    strange = [
        {"path": f"$.{key}", "message": "unknown"} for key in document.keys() - {"watches"}
    ]
    if strange:
        return refused(strange)
    documents: list[object] = document["watches"]
    if not 1 <= len(documents) <= MOST_AT_ONCE:
        message = f"expected 1 to {MOST_AT_ONCE:,} watches, not {len(documents):,}"
        return refused([{"path": "$.watches", "message": message}])
    return documents


def _done(done: Ordered, shown: dict[str, Any]) -> dict[str, Any]:
    return {"status": 201 if done.begun else 200, "watch": shown}


def _refusal(errors: Errors) -> dict[str, Any]:
    return {"status": 422, "errors": errors}
