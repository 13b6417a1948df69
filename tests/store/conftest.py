"""One suite over every kind of store: a new kind joins by one more world."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bridge.core.ports import Store
from tests.fakes.postgres import Server, serving
from tests.store.postgres_world import PostgresWorld, template
from tests.store.world import MemoryWorld, SqliteWorld, World


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(scope="session")
def clocked(server: Server) -> str:
    return template(server)


@pytest.fixture
def database(server: Server, clocked: str) -> Iterator[str]:
    url = server.database(template=clocked)
    yield url
    server.drop(url)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "memory":
        memory = MemoryWorld()
        yield memory
        await memory.close()
    elif request.param == "postgres":
        # A database is made only where one is asked for.
        database = PostgresWorld(request.getfixturevalue("database"))
        await database.open()
        yield database
        await database.close()
    else:
        file = SqliteWorld(tmp_path / "genbridge.db")
        await file.open()
        yield file
        await file.close()


@pytest.fixture
async def postgres(database: str) -> AsyncIterator[PostgresWorld]:
    world = PostgresWorld(database)
    await world.open()
    yield world
    await world.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteWorld]:
    file = SqliteWorld(tmp_path / "genbridge.db")
    await file.open()
    yield file
    await file.close()


@pytest.fixture
def store(world: World) -> Store:
    return world.store
