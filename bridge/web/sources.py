"""Sources: the configured accounts."""

from fastapi import APIRouter
from starlette.responses import Response

from bridge.web.answer import Json, answer, problems
from bridge.web.service import Service
from bridge.web.shapes import SourcesShape


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["sources"])

    @calls.get(
        "/v1/sources",
        summary="List sources",
        responses={**answer(SourcesShape), **problems()},
    )
    async def sources() -> Response:
        """Return every source and how much is watched there."""
        found = [
            {
                "name": name,
                "provider": source.provider_name,
                "rate_per_second": source.rate.per_second,
                "max_connections": source.max_connections,
                "watching": service.watching(name),
            }
            for name, source in service.settings.sources.items()
        ]
        return Json({"sources": found})

    return calls
