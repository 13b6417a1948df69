"""A simulated upstream and a verifying receiver in the test's process, a daemon beside it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.simulator.receiver import Receiver
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock
from tests.e2e.daemon import Daemon
from tests.e2e.scene import API_KEY, KEY


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream(clock=SystemClock(), key=API_KEY) as serving:
        yield serving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(clock=SystemClock(), keys=[KEY]) as receiving:
        yield receiving


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with Daemon(tmp_path) as one:
        yield one
