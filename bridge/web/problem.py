"""An error as the answer of an API: `application/problem+json` (RFC 9457)."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse


class Problem(JSONResponse):
    """An answer that says what went wrong; `detail` is a sentence for people."""

    media_type = "application/problem+json"

    def __init__(
        self, status: int, detail: str, *, headers: dict[str, str] | None = None
    ) -> None:
        title = HTTPStatus(status).phrase
        document = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
        }
        super().__init__(document, status, headers)


async def on_http(_request: Request, error: Exception) -> Problem:
    """Answer what a route refused, and paths and methods that there are none of."""
    if not isinstance(error, HTTPException):
        raise error
    detail = _DETAILS.get(error.status_code, error.detail)
    return Problem(error.status_code, detail, headers=dict(error.headers or {}))


async def on_fault(_request: Request, _error: Exception) -> Problem:
    """Answer for a fault of ours: it is in the log, and none of it leaves the house."""
    return Problem(500, "genbridge made a mistake here; its log says more")


_DETAILS = {404: "nothing is here", 405: "this path does not take this method"}
