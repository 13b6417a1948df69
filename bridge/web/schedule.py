"""The schedule: what recurs, when it runs next and how it went."""

from fastapi import APIRouter
from starlette.responses import Response

from bridge.core.text.clocktext import rfc3339
from bridge.web.answer import Json, answer, problems
from bridge.web.service import Service
from bridge.web.shapes import ScheduleShape


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["operation"])

    @calls.get(
        "/v1/schedule",
        summary="Show what recurs",
        responses={**answer(ScheduleShape), **problems()},
    )
    async def schedule() -> Response:
        """Return every recurring job of this process."""
        found = [
            {
                "name": job.name,
                "every_seconds": job.every.total_seconds(),
                "next_run": rfc3339(job.next_run),
                "last_run": rfc3339(job.last_run),
                "last_result": job.last_result,
            }
            for job in service.jobs()
        ]
        return Json({"jobs": found})

    return calls
