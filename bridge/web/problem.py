"""An error as the answer of an API: `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match

MOST_SHOWN = 100
"""Mistakes that one answer names; `detail` counts them all."""


class Problem(JSONResponse):
    """An answer that says what went wrong; `detail` is a sentence for people."""

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(problem(status, detail, errors), status, dict(headers or {}))


def problem(
    status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()
) -> dict[str, object]:
    """Return a problem document; `errors` are the places and sentences of single mistakes."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = list(errors[:MOST_SHOWN])
    return document


async def on_http(request: Request, error: Exception) -> Problem:
    """Answer what a route refused, and paths and methods that there are none of."""
    if not isinstance(error, HTTPException):
        raise error
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = _DETAILS.get(error.status_code, detail)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["allow"] = ", ".join(_allowed(request))
    return Problem(error.status_code, detail, headers=headers)


def _allowed(request: Request) -> list[str]:
    """Return the methods of every route at a path: the router itself names those of one."""
    methods: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            methods |= set(route.methods or ())
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)


async def on_fault(_request: Request, _error: Exception) -> Problem:
    """Answer for a fault of ours: it is in the log, and none of it leaves the house."""
    return Problem(500, "genbridge made a mistake here; its log says more")


_DETAILS = {404: "nothing is here", 405: "this path does not take this method"}
