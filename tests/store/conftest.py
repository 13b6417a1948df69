"""One suite over every kind of store: a new kind joins by one more world."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.core.ports import Store
from tests.store.world import MemoryWorld, SqliteWorld, World


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "memory":
        memory = MemoryWorld()
        yield memory
        await memory.close()
    else:
        file = SqliteWorld(tmp_path / "genbridge.db")
        await file.open()
        yield file
        await file.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteWorld]:
    file = SqliteWorld(tmp_path / "genbridge.db")
    await file.open()
    yield file
    await file.close()


@pytest.fixture
def store(world: World) -> Store:
    return world.store
