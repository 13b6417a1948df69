"""Strict bodies: no unknown key, no conversion, and every mistake named at once."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from bridge.web.body import json_body
from bridge.web.mistakes import Errors, named


class Strict(BaseModel):
    """A body that a call takes."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


S = TypeVar("S", bound=Strict)


async def strict_body(request: Request, model: type[S]) -> S | Errors:
    """Return the body as what it means, or what is wrong with it.

    Raises HTTPException as `json_body` does.
    """
    return read(await json_body(request), model)


async def optional_body(request: Request, model: type[S]) -> S | Errors:
    """Return the body as `strict_body` does; an empty one says nothing."""
    if not await request.body():
        return read({}, model)
    return await strict_body(request, model)


def read(document: object, model: type[S]) -> S | Errors:
    """Return what a document means, or everything that is wrong with it."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        details: list[Any] = error.errors(include_url=False, include_input=False)
        return named(details, known=tuple(model.model_fields))
