"""Health: whether the daemon lives, and whether it is ready to work. Neither needs a token."""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bridge.web.problem import on_fault, on_http

ALIVE, READY = "/healthz", "/readyz"


def application(*, readiness: Callable[[], Sequence[str]]) -> Starlette:
    """Return an application that answers for the daemon's health, and nothing else."""
    return Starlette(
        routes=routes(readiness),
        exception_handlers={HTTPException: on_http, Exception: on_fault},
    )


def routes(readiness: Callable[[], Sequence[str]]) -> list[Route]:
    """Return `/healthz` and `/readyz`; `readiness` gives the reasons why no work is possible now.

    An answer of `/healthz` is the proof that the loop turns. `/readyz` is 200, or 503 with
    `{"reasons": […]}`.
    """

    async def healthz(_request: Request) -> JSONResponse:
        return alive()

    async def readyz(_request: Request) -> JSONResponse:
        return ready(readiness())

    return [Route(ALIVE, healthz), Route(READY, readyz)]


def alive() -> JSONResponse:
    """Return what the daemon answers while its loop turns."""
    return JSONResponse({"status": "alive"})


def ready(reasons: Sequence[str]) -> JSONResponse:
    """Return the answer to whether work is possible now; `reasons` are those why it is not."""
    if reasons:
        return JSONResponse({"reasons": list(reasons)}, 503)
    return JSONResponse({"status": "ready"})
