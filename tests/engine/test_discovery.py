"""New generations are found in a source's list and watched, each once, whatever breaks off."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from uuid import UUID

import anyio
import pytest

from bridge.core.ladder import State
from bridge.core.looking import Observation, Reading, Seen, Trouble
from bridge.core.watch import Generation, Origin, WatchWish
from bridge.engine.discovery import Discoverer
from bridge.errors import StoreUnavailable
from bridge.store.memory import MemoryStore
from tests.engine.rig import Lines
from tests.fakes.clock import EPOCH, VirtualClock

pytestmark = pytest.mark.anyio


class World:
    """A source with a list of three a page, and a store that may be away."""

    def __init__(self) -> None:
        numbers = count(1)
        self.store = MemoryStore(VirtualClock(), lambda: UUID(int=next(numbers)))
        self.running: list[str] = []
        self.watched: list[str] = []
        self.pages = 0
        self.trouble_after: int | None = None
        self.away = False

    async def page(self, _source: str, cursor: str | None) -> Reading:
        if self.trouble_after == self.pages:
            return Trouble(why="answered with 500")
        self.pages += 1
        at = int(cursor or 0)
        shown = tuple(
            Observation(id=id_, native_state="q", state=State.QUEUED, observed_at=EPOCH)
            for id_ in self.running[at : at + 3]
        )
        more = str(at + 3) if at + 3 < len(self.running) else None
        return Seen(observations=shown, next=more)

    async def watch(self, generations: Sequence[Generation]) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.watched += [one.id for one in generations]
        wishes = [
            WatchWish(generation=g, origin=Origin.API, webhooks=()) for g in generations
        ]
        await self.store.register(wishes)


async def always(_name: str, _every: timedelta) -> bool:
    return True


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def discoverer(world: World, lines: Lines) -> Discoverer:
    return Discoverer(
        world.store,
        page=world.page,
        watch=world.watch,
        duty=always,
        clock=VirtualClock(),
        log=lines,
    )


async def test_each_new_generation_is_watched_once_the_oldest_first(
    world: World, discoverer: Discoverer
) -> None:
    world.running = ["b", "a"]
    await discoverer.round("s")
    world.running = ["d", "c", "b", "a"]
    await discoverer.round("s")
    await discoverer.round("s")
    assert world.watched == ["a", "b", "c", "d"]


async def test_what_somebody_has_ordered_is_left_as_it_was_ordered(
    world: World, discoverer: Discoverer
) -> None:
    world.running = ["b", "a"]
    await world.watch([Generation("s", "a")])
    await discoverer.round("s")
    assert world.watched == ["a", "b"]


async def test_a_round_that_breaks_off_is_made_again_and_orders_nothing_twice(
    world: World, discoverer: Discoverer, lines: Lines
) -> None:
    await discoverer.round("s")
    world.running = [f"g{n}" for n in range(7, 0, -1)]
    world.trouble_after = world.pages + 2
    await discoverer.round("s")
    await discoverer.round("s")
    assert len(world.watched) == 6
    assert lines.phrases("warning") == ["a list could not be read"]
    world.trouble_after = None
    await discoverer.round("s")
    assert sorted(world.watched) == sorted(world.running)


async def test_while_the_store_is_away_nothing_counts_as_known(
    world: World, discoverer: Discoverer
) -> None:
    await discoverer.round("s")
    world.running, world.away = ["a"], True
    with pytest.raises(StoreUnavailable):
        await discoverer.round("s")
    world.away = False
    await discoverer.round("s")
    assert world.watched == ["a"]


async def test_a_quiet_source_costs_a_page_a_round_and_no_write(
    world: World, discoverer: Discoverer
) -> None:
    world.running = ["c", "b", "a"]
    await discoverer.round("s")
    marks, pages = await world.store.discovery("s"), world.pages
    await anyio.sleep(60)
    await discoverer.round("s")
    assert await world.store.discovery("s") == marks
    assert world.pages == pages + 1
