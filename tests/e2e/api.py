"""The API of a running daemon, as its callers see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.e2e.scene import TOKEN


@asynccontextmanager
async def calling(port: int) -> AsyncIterator["Caller"]:
    """Call the daemon at a port."""
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"authorization": f"Bearer {TOKEN}"},
        trust_env=False,
        timeout=30.0,
    ) as client:
        yield Caller(client)


class Caller:
    """Calls that must succeed."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str) -> Any:
        """Return what a path shows."""
        answer = await self._client.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    async def post(self, path: str, order: dict[str, Any] | None = None) -> Any:
        """Order something; return what the answer says."""
        answer = await self._client.post(path, json=order)
        assert answer.is_success, answer.text
        return answer.json()
