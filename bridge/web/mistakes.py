"""Mistakes in what a caller sent: every one with its place, as a JSON path and a sentence."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from bridge.web.problem import Problem

Errors: TypeAlias = list[dict[str, str]]
"""`{"path": "$.until", "message": …}` for each mistake."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST = 80

_SENTENCES = {
    "missing": "missing",
    "string_type": "expected a text",
    "list_type": "expected a list",
    "dict_type": "expected an object",
    "model_type": "expected an object",
    "model_attributes_type": "expected an object",
    "bool_parsing": "expected true or false",
    "int_parsing": "expected a whole number",
    "int_parsing_size": "expected a smaller number",
    "string_too_short": "it is empty",
    "string_pattern_mismatch": "it is not of the form that the description shows",
}


def path(steps: Sequence[str | int], root: str = "$") -> str:
    """Return a JSON path: `$.watches[3].until`, `$['a key']`."""
    return root + "".join(_step(step) for step in steps)


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    shown = step if len(step) <= _LONGEST else step[:_LONGEST] + "…"
    return f".{shown}" if _PLAIN.fullmatch(shown) else f"[{shown!a}]"


def named(details: Sequence[Any], root: str = "$", *, known: Sequence[str] = ()) -> Errors:
    """Return the mistakes that pydantic has found, in our words; `known` are the right keys."""
    return [
        {"path": path(detail["loc"], root), "message": sentence(detail, known)}
        for detail in details
    ]


def sentence(detail: Mapping[str, Any], known: Sequence[str] = ()) -> str:
    """Return one mistake that pydantic has found as a sentence of ours."""
    match detail["type"]:
        case "value_error":
            return str(detail["ctx"]["error"])
        case "extra_forbidden":
            return f"unknown; there are {', '.join(known)}" if known else "unknown"
        case "literal_error":
            words = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
            return f"expected one of {words}"
        case "greater_than_equal":
            return f"expected at least {detail['ctx']['ge']:,}"
        case "less_than_equal":
            return f"expected at most {detail['ctx']['le']:,}"
        case kind:
            return _SENTENCES.get(kind) or detail["msg"].replace(
                "Input should", "it should"
            )


def refused(errors: Errors) -> Problem:
    """Return the answer to a request with mistakes."""
    count = "1 mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
    first = f": {errors[0]['path']}: {errors[0]['message']}" if len(errors) == 1 else ""
    return Problem(422, f"{count}{first}", errors=errors)
