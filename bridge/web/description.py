"""The description of the API: OpenAPI as JSON, and as a page that loads nothing from anywhere."""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from bridge.web.answer import Json

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}"
    "summary{cursor:pointer;padding:.4rem 0}code,pre{font-family:ui-monospace,monospace}"
    "pre{overflow:auto;padding:.6rem;background:#8881}b{display:inline-block;min-width:4.5rem}"
    ":root{color-scheme:light dark}"
)


def router(document: Callable[[], Mapping[str, Any]]) -> APIRouter:
    """Return the calls; `document` gives the OpenAPI document."""
    calls = APIRouter(include_in_schema=False)

    @calls.get("/openapi.json")
    async def openapi() -> Response:
        return Json(document())

    @calls.get("/docs")
    async def docs() -> Response:
        headers = {"content-security-policy": _POLICY}
        return HTMLResponse(page(document()), headers=headers)

    return calls


def page(document: Mapping[str, Any]) -> str:
    """Return the page that shows every call with what it takes and answers."""
    info = document["info"]
    return "\n".join(
        (
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>",
            f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>",
            f"<p>{escape(info['description'])}</p>",
            '<p>As JSON: <a href="/openapi.json">/openapi.json</a></p>',
            *_calls(document),
            "</html>",
        )
    )


def _calls(document: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            yield f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> "
            yield f"{escape(call['summary'])}</summary>"
            yield f"<p>{escape(call.get('description', ''))}</p><ul>"
            yield from (_parameter(one) for one in call.get("parameters", ()))
            yield "</ul>" + _body(call) + "<ul>"
            yield from (_answer(*one) for one in sorted(call["responses"].items()))
            yield "</ul></details>"


def _parameter(parameter: Mapping[str, Any]) -> str:
    name, where = escape(parameter["name"]), escape(parameter["in"])
    about = escape(parameter.get("description", ""))
    return f"<li><code>{name}</code> ({where}) {about}</li>"


def _body(call: Mapping[str, Any]) -> str:
    body = call.get("requestBody")
    if body is None:
        return ""
    schema = body["content"]["application/json"]["schema"]
    rows = [
        f"<li><code>{escape(name)}</code> {escape(field.get('description', ''))}</li>"
        for name, field in schema["properties"].items()
    ]
    return f"<p>Takes JSON:</p><ul>{''.join(rows)}</ul>"


def _answer(status: str, answer: Mapping[str, Any]) -> str:
    return f"<li><b>{escape(status)}</b> {escape(answer['description'])}</li>"
