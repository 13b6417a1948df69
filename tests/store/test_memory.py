"""What the twin adds for tests: it breaks on demand, and runs on any loop."""

from typing import Any

import pytest
import trio.testing

from bridge.core.ladder import State
from bridge.errors import StoreUnavailable
from tests.store.world import MemoryWorld, announced, claimed, step, to, watching, wish

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def test_a_broken_store_does_nothing_until_it_is_mended() -> None:
    world = MemoryWorld()
    watch = await watching(world.store)
    world.store.broken = StoreUnavailable("the disk is full")
    with pytest.raises(StoreUnavailable, match="full"):
        await world.store.write([step(watch, State.QUEUED, to())], [])
    with pytest.raises(StoreUnavailable):
        await world.store.register([wish("g2")])
    with pytest.raises(StoreUnavailable):
        await world.store.alive()
    world.store.broken = None
    assert (await world.store.census()).events == 0
    await announced(world.store, watch, State.QUEUED)
    assert len(await claimed(world.store)) == 1
