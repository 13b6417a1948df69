from collections.abc import AsyncIterator

import httpx
import pytest

from tests.web.service import FakeDaemon, calling


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def daemon() -> FakeDaemon:
    return FakeDaemon()


@pytest.fixture
async def client(daemon: FakeDaemon) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(daemon) as one:
        yield one
