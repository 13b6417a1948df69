from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from bridge.web.health import application

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def ask(app: Any, path: str, *, method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.request(method, path)


def with_reasons(*reasons: str) -> Starlette:
    return application(readiness=lambda: reasons)


async def test_it_is_alive_even_when_it_cannot_work() -> None:
    answer = await ask(with_reasons("the disk is full"), "/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_it_is_ready_when_nothing_speaks_against_it() -> None:
    answer = await ask(with_reasons(), "/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_the_reasons_are_asked_anew_each_time() -> None:
    reasons: list[str] = []

    def readiness() -> Sequence[str]:
        return reasons

    app = application(readiness=readiness)
    assert (await ask(app, "/readyz")).status_code == 200
    reasons.append("the last commit failed: disk full")
    answer = await ask(app, "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"reasons": ["the last commit failed: disk full"]}


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/", 404, "Not Found"),
        ("GET", "/healthz/x", 404, "Not Found"),
        ("POST", "/healthz", 405, "Method Not Allowed"),
    ],
)
async def test_whatever_else_is_asked_gets_a_problem_document(
    method: str, path: str, status: int, title: str
) -> None:
    answer = await ask(with_reasons(), path, method=method)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"] == title


async def test_a_fault_of_ours_is_a_problem_document_that_tells_nothing() -> None:
    async def fault(_request: Request) -> None:
        raise RuntimeError("CANARY")

    app = with_reasons()
    app.router.routes.append(Route("/fault", fault))
    answer = await ask(app, "/fault")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "CANARY" not in answer.text
