"""A simulated upstream on a real port, and a client that holds nothing back."""

import ssl
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

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


@pytest.fixture(scope="session")
def nobody() -> ssl.SSLContext:
    """Trusts nobody, which will do for plain HTTP: to load all authorities takes 20 ms a client."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
async def client(nobody: ssl.SSLContext) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        trust_env=False,
        verify=nobody,
        timeout=10,
        headers={"authorization": "Bearer any", "x-key": "any"},
        limits=httpx.Limits(max_connections=None),
    ) as asking:
        yield asking


# The vendors' clients are slow to import: each waits for the first test that needs it.


@pytest.fixture(scope="session")
def runwayml() -> Any:
    return import_module("runwayml")


@pytest.fixture(scope="session")
def openai() -> Any:
    return import_module("openai")


@pytest.fixture(scope="session")
def replicate() -> Any:
    return import_module("replicate")


@pytest.fixture(scope="session")
def genai() -> Any:
    return import_module("google.genai")


@pytest.fixture(scope="session")
def fal_client() -> Any:
    return import_module("fal_client")
