"""The API: every resource behind one guard, and every error in one shape."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp

from bridge import __version__
from bridge.errors import StoreError
from bridge.web import (
    deliveries,
    description,
    keys,
    reload,
    replays,
    replicas,
    schedule,
    sources,
    trials,
    vitals,
    watches,
    webhooks,
)
from bridge.web.guard import Guard
from bridge.web.mistakes import path, refused, sentence
from bridge.web.orders import Order
from bridge.web.problem import Problem, on_fault, on_http
from bridge.web.service import Service

RESOURCES = (
    watches,
    replays,
    deliveries,
    sources,
    webhooks,
    trials,
    keys,
    replicas,
    schedule,
    reload,
    vitals,
)
"""Every file that has calls; one more is one more name here."""

_ABOUT = (
    "Watch generations that can only be polled, and have webhooks told about them. "
    "Errors are RFC 9457 problem documents; a wrong request names every mistake at once."
)


def api(service: Service, *, token: str | None) -> ASGIApp:
    """Return the application; `token` None: it is open, to this machine."""
    app = FastAPI(
        title="genbridge",
        version=__version__,
        description=_ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            HTTPException: on_http,
            RequestValidationError: _on_invalid,
            StoreError: _on_store,
            Exception: on_fault,
        },
    )
    for resource in RESOURCES:
        app.router.routes += resource.router(service).routes
    app.router.routes += description.router(lambda: _document(app)).routes
    return Guard(app, token=token)


def _document(app: FastAPI) -> Mapping[str, Any]:
    """Return the OpenAPI document, with the token as what opens every call."""
    document = app.openapi()
    # Calls that read their bodies themselves only refer to it.
    document["components"]["schemas"]["Order"] = Order.model_json_schema()
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    document["components"]["securitySchemes"] = schemes
    document["security"] = [{"token": []}]
    return document


async def _on_invalid(_request: Request, error: Exception) -> Problem:
    """Answer for query parameters that are wrong."""
    if not isinstance(error, RequestValidationError):
        raise error
    return refused([_place(detail) for detail in error.errors()])


def _place(detail: Mapping[str, Any]) -> dict[str, str]:
    """Return a mistake with its place: `?limit` in the query, `{id}` in the path."""
    where, *steps = detail["loc"]
    place = path(steps, "?").replace("?.", "?") if where == "query" else f"{{{steps[0]}}}"
    return {"path": place, "message": sentence(detail)}


async def _on_store(_request: Request, error: Exception) -> Problem:
    """Answer that nothing was promised: the database cannot be used now."""
    detail = f"nothing was done: {error}"
    return Problem(503, detail, headers={"retry-after": "1"})
