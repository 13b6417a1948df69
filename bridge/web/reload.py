"""Reload: the configuration, read again."""

from fastapi import APIRouter
from starlette.responses import Response

from bridge.web.answer import Json, answer, problems
from bridge.web.phase import must_be_open
from bridge.web.problem import Problem
from bridge.web.service import Service
from bridge.web.shapes import ReloadShape


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["operation"])

    @calls.post(
        "/v1/reload",
        summary="Read the configuration again",
        responses={**answer(ReloadShape), **problems(409, 503)},
    )
    async def reload() -> Response:
        """Work under the configuration as it is now; a wrong one changes nothing (409)."""
        must_be_open(service)
        refusal = await service.reload()
        if refusal is not None:
            return Problem(409, refusal)
        settings = service.settings
        return Json(
            {
                "sources": len(settings.sources),
                "webhooks": len(settings.webhooks),
                "watches": len(settings.watches),
                "warnings": list(settings.warnings),
            }
        )

    return calls
