"""Vitals: the two calls of health as the description knows them.

The doors answer them by themselves, so that nothing is loaded for a probe; the answers are the
same ones.
"""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from bridge.web.answer import answer
from bridge.web.health import ALIVE, READY, alive, ready
from bridge.web.service import Service
from bridge.web.shapes import AliveShape, ReadyShape, UnreadyShape


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["operation"])
    open_to_all: dict[str, Any] = {"security": []}

    @calls.get(
        ALIVE, summary="Live", responses=answer(AliveShape), openapi_extra=open_to_all
    )
    async def healthz() -> Response:
        """Answer while the daemon lives, also when it cannot work; needs no token."""
        return alive()

    @calls.get(
        READY,
        summary="Be ready",
        responses={
            **answer(ReadyShape),
            503: {"model": UnreadyShape, "description": UnreadyShape.__doc__ or ""},
        },
        openapi_extra=open_to_all,
    )
    async def readyz() -> Response:
        """Answer whether work is possible now, and if not, why; needs no token."""
        return ready(service.readiness())

    return calls
