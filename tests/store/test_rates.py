"""What every store promises about rates: paid for in chunks, durable, never spent twice."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.store.memory import MemoryStore
from tests.store.postgres_world import PostgresWorld
from tests.store.world import SECOND, HandClock, World, uids

pytestmark = pytest.mark.anyio


async def test_chunks_follow_each_other(world: World) -> None:
    chunk = world.store.chunk  # type: ignore[attr-defined]  # no part of the port
    assert await chunk("webhook:one", SECOND) == timedelta()
    assert await chunk("webhook:one", SECOND) == SECOND
    assert await chunk("webhook:two", SECOND) == timedelta()
    world.clock.pass_(SECOND / 2)
    assert await chunk("webhook:one", SECOND / 10) == 1.5 * SECOND
    world.clock.pass_(60 * SECOND)
    assert await chunk("webhook:one", SECOND) == timedelta()


async def test_what_was_paid_for_outlives_a_restart(world: World) -> None:
    chunk = world.store.chunk  # type: ignore[attr-defined]  # no part of the port
    await chunk("webhook:one", 60 * SECOND)
    world.clock.pass_(20 * SECOND)
    await world.restart()
    again = await world.store.chunk("webhook:one", 60 * SECOND)  # type: ignore[attr-defined]
    assert again == 40 * SECOND


async def test_a_clock_that_was_wrong_holds_a_rate_up_for_two_seconds_at_most(
    world: World,
) -> None:
    if isinstance(world, PostgresWorld):
        pytest.skip("the server's clock decides, and others may have paid ahead")
    world.clock.wall += timedelta(days=3650)
    await world.restart()
    await world.store.chunk("webhook:one", SECOND)  # type: ignore[attr-defined]
    world.clock.wall -= timedelta(days=3650)
    await world.restart()
    begin = await world.store.chunk("webhook:one", SECOND / 4)  # type: ignore[attr-defined]
    assert begin == 2.25 * SECOND


@given(
    st.lists(
        st.tuples(st.floats(0, 3), st.integers(1, 10), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
async def test_no_window_holds_more_than_the_rate_allows(
    turns: list[tuple[float, int, bool]],
) -> None:
    """One process pays for the next chunk when the last one has begun; it may crash then."""
    clock, names = HandClock(), uids()
    store = MemoryStore(clock, names.__next__)
    starts: list[float] = []
    for pause, size, crash in turns:
        clock.pass_(timedelta(seconds=pause))
        begin = await store.chunk("k", timedelta(seconds=size / 10))
        clock.pass_(begin)
        starts += [clock.steady + i / 10 for i in range(size)]
        if crash:
            store = MemoryStore(clock, names.__next__, disk=store.disk)
    assert all(b - a >= 0.0999 for a, b in pairwise(starts))
