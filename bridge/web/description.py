"""The description of the API: OpenAPI as JSON, and as a page that loads nothing from anywhere."""

import json
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
            yield f"<p>{escape(call.get('description', ''))}</p>"
            yield f"<pre>{escape(_example(path, method, call))}</pre><ul>"
            yield from (_parameter(one) for one in call.get("parameters", ()))
            yield "</ul>" + _body(call) + "<ul>"
            for status, answer in sorted(call["responses"].items()):
                yield _answer(status, answer, document["components"]["schemas"])
            yield "</ul></details>"


def _example(path: str, method: str, call: Mapping[str, Any]) -> str:
    """Return a call as a command of curl."""
    for one in call.get("parameters", ()):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", _filled(one))
    parts = ["curl", *(() if method in {"get", "post"} else ("-X", method.upper()))]
    parts.append(f"127.0.0.1:8383{path}")
    if call.get("security") != []:
        parts.append('-H "authorization: Bearer $GENBRIDGE_TOKEN"')
    schema = _schema(call)
    if schema is not None:
        body = json.dumps(schema.get("example", {}))
        parts.append(f"-H 'content-type: application/json' -d '{body}'")
    elif method == "post":
        parts[1:1] = ["-X", "POST"]
    return " ".join(parts)


def _filled(parameter: Mapping[str, Any]) -> str:
    """Return what might stand in a path for a parameter."""
    if parameter["schema"].get("type") == "integer":
        return "17"
    return _FILLED.get(parameter["name"], "…")


_FILLED = {
    "name": "studio",
    "source": "luma",
    "id": "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
}


def _parameter(parameter: Mapping[str, Any]) -> str:
    name, where = escape(parameter["name"]), escape(parameter["in"])
    about = escape(parameter.get("description", ""))
    return f"<li><code>{name}</code> ({where}) {about}</li>"


def _schema(call: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the schema of the body that a call takes; None: it takes none."""
    body = call.get("requestBody")
    schema: Mapping[str, Any] | None = (
        None if body is None else body["content"]["application/json"]["schema"]
    )
    return schema


def _body(call: Mapping[str, Any]) -> str:
    schema = _schema(call)
    return "" if schema is None else f"<p>Takes JSON:</p><ul>{_fields(schema)}</ul>"


def _fields(schema: Mapping[str, Any]) -> str:
    return "".join(
        f"<li><code>{escape(name)}</code> {escape(field.get('description', ''))}</li>"
        for name, field in schema["properties"].items()
    )


def _answer(
    status: str, answer: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]
) -> str:
    """Return an answer; one that is no problem with the keys of its document."""
    reference = answer.get("content", {}).get("application/json", {}).get("schema", {})
    name = reference.get("$ref", "").rpartition("/")[2]
    keys = f"<ul>{_fields(schemas[name])}</ul>" if status < "300" and name else ""
    return f"<li><b>{escape(status)}</b> {escape(answer['description'])}{keys}</li>"
