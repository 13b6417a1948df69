"""Replicas: who shares the work."""

from fastapi import APIRouter
from starlette.responses import Response

from bridge.core.text.clocktext import rfc3339
from bridge.web.answer import Json, answer, problems
from bridge.web.service import Service
from bridge.web.shapes import ReplicasShape


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["operation"])

    @calls.get(
        "/v1/replicas",
        summary="List replicas",
        responses={**answer(ReplicasShape), **problems(503)},
    )
    async def replicas() -> Response:
        """Return who is alive and how many watches each owns; on SQLite it is one."""
        found = [
            {
                "id": one.id,
                "name": one.name,
                "version": one.version,
                "alive": one.dead_at is None,
                "watches": one.owned,
                "started_at": rfc3339(one.started_at),
                "seen_at": rfc3339(one.seen_at),
                "dead_at": rfc3339(one.dead_at),
            }
            for one in await service.lists.replicas()
        ]
        return Json({"replicas": found})

    return calls
