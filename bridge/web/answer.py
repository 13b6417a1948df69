"""Answers: JSON as it leaves, and what every call may answer besides."""

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from bridge.core.text.jsontext import encode
from bridge.web.shapes import ProblemShape


class Json(Response):
    """A JSON answer that was built to its shape; it is not checked against it once more."""

    media_type: str | None = "application/json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401  (Starlette's own signature)
        """Return the bytes."""
        return encode(content)


_SAID = {
    400: "The body is not JSON.",
    401: "The token is missing or wrong.",
    403: "Not from there: another site's page, or a webhook's delivery.",
    404: "There is no such thing.",
    409: "The configuration is wrong, or has just been changed.",
    413: "The body is above 1 MiB.",
    415: "The body is not application/json.",
    422: "Every mistake, each with its place.",
    503: "Not now: starting, stopping, or the database cannot be used.",
}


def answer(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the description of what a call answers when all is well."""
    return {200: {"model": model, "description": model.__doc__ or ""}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of the problems that a call may answer."""
    return {
        status: {
            "description": _SAID[status],
            "model": ProblemShape,
            "content": {"application/problem+json": {}},
        }
        for status in (*statuses, 401, 403, 413)
    }


def takes(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """Return the description of a body that the call reads itself, to name every mistake."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {
        "requestBody": {
            "required": required,
            "content": {"application/json": {"schema": schema}},
        }
    }
