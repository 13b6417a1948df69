"""A simulated upstream on a real port, and a client that holds nothing back."""

from collections.abc import AsyncIterator

import httpx
import pytest

from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream(clock=SystemClock()) as serving:
        yield serving


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        trust_env=False,
        timeout=10,
        headers={"authorization": "Bearer any"},
        limits=httpx.Limits(max_connections=None),
    ) as asking:
        yield asking
