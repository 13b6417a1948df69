"""How watches are taken up: in slices, lanes first, and none lost while the store is away."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import anyio
import pytest

from bridge.core.ladder import State
from bridge.core.watch import Generation, Watch
from bridge.engine.intake import SLICE, Intake
from bridge.errors import StoreBroken, StoreError, StoreUnavailable
from tests.engine.rig import Lines
from tests.fakes.clock import Dice

pytestmark = pytest.mark.anyio


def watch(number: int, *, webhooks: tuple[int, ...] = (1,), seq: int = -1) -> Watch:
    return Watch(
        id=number,
        uid=UUID(int=number),
        fence=1,
        generation=Generation("aiml", f"g{number}"),
        until=State.COMPLETED,
        webhooks=webhooks,
        metadata={},
        seq=seq,
    )


class World:
    """The store, the lanes and the pollers around an intake."""

    def __init__(self, owned: int = 0) -> None:
        self.owned = [watch(number) for number in range(owned)]
        self.met: set[int] = set()
        self.running: dict[Generation, Watch] = {}
        self.away: StoreError | None = None
        self.slices: list[int] = []
        self.pending: dict[int, timedelta] = {}
        self.while_meeting: Callable[[], None] = lambda: None

    async def claim_watches(self, limit: int) -> Sequence[Watch]:
        await self._ask()
        some, self.owned = self.owned[:limit], self.owned[limit:]
        self.slices.append(len(some))
        return some

    async def next_due(self) -> Mapping[int, timedelta]:
        await self._ask()
        return self.pending

    async def meet(self, webhooks: Iterable[int]) -> None:
        await self._ask()
        self.while_meeting()
        self.met |= set(webhooks)

    async def _ask(self) -> None:
        await anyio.sleep(0.001)
        if self.away is not None:
            raise self.away

    def add(self, watches: Iterable[Watch]) -> None:
        for one in watches:
            assert self.met.issuperset(one.webhooks), "no lane is open"
            self.running[one.generation] = one

    def drop(self, generations: Iterable[Generation]) -> None:
        for generation in generations:
            self.running.pop(generation, None)

    @property
    def ids(self) -> list[str]:
        return sorted(generation.id for generation in self.running)


@asynccontextmanager
async def intake(world: World) -> AsyncIterator[Intake]:
    """An intake at work."""
    taking = Intake(world, world, world, chance=Dice(1), log=Lines())

    async def work() -> None:
        await taking.take_up()
        await taking.run()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        yield taking
        tasks.cancel_scope.cancel()


async def test_what_is_there_is_taken_up_in_slices() -> None:
    world = World(owned=1200)
    async with intake(world) as taking:
        assert not taking.done
        await anyio.sleep(1)
        assert taking.done
    assert world.slices == [SLICE, SLICE, 200, 0]
    assert len(world.running) == 1200


async def test_first_looks_are_spread() -> None:
    world = World(owned=SLICE)
    async with intake(world):
        await anyio.sleep(1)
    waits = sorted(one.wait.total_seconds() for one in world.running.values())
    assert waits[0] < 0.1
    assert 0.9 < waits[-1] <= 1.0
    assert 0.4 < waits[SLICE // 2] < 0.6


async def test_a_look_that_is_due_later_keeps_its_moment() -> None:
    world = World()
    late = timedelta(minutes=10)
    world.owned = [replace(watch(1), wait=late)]
    async with intake(world):
        await anyio.sleep(1)
    assert world.running[Generation("aiml", "g1")].wait == late


async def test_lanes_open_for_what_is_pending_though_nobody_watches() -> None:
    world = World()
    world.pending = {7: timedelta()}
    async with intake(world):
        await anyio.sleep(1)
    assert world.met == {7}


async def test_a_store_that_is_away_holds_watches_up_and_loses_none() -> None:
    world = World()
    async with intake(world) as taking:
        await anyio.sleep(1)
        world.away = StoreUnavailable("full")
        await taking.begin([watch(1)])
        assert not world.running
        await anyio.sleep(30)
        await taking.begin([watch(2)])
        world.away = None
        await anyio.sleep(2)
    assert world.ids == ["g1", "g2"]


async def test_a_start_without_the_store_waits_for_it() -> None:
    world = World(owned=3)
    world.away = StoreUnavailable("full")
    async with intake(world) as taking:
        await anyio.sleep(30)
        assert not taking.done
        world.away = None
        await anyio.sleep(2)
        assert taking.done
    assert world.ids == ["g0", "g1", "g2"]


async def test_what_ends_while_it_is_held_up_is_not_begun() -> None:
    world = World()
    async with intake(world) as taking:
        await anyio.sleep(1)
        world.away = StoreUnavailable("full")
        await taking.begin([watch(1), watch(2)])
        taking.drop([Generation("aiml", "g1")])
        world.away = None
        await anyio.sleep(2)
    assert world.ids == ["g2"]


async def test_what_ends_while_its_lane_is_opened_is_not_begun() -> None:
    world = World()
    async with intake(world) as taking:
        await anyio.sleep(1)
        world.while_meeting = lambda: taking.drop([Generation("aiml", "g1")])
        await taking.begin([watch(1)])
        await anyio.sleep(2)
    assert not world.running


async def test_the_latest_of_two_changes_counts() -> None:
    world = World()
    async with intake(world) as taking:
        await anyio.sleep(1)
        world.away = StoreUnavailable("full")
        await taking.begin([watch(1, seq=0)])
        await taking.begin([watch(1, seq=1)])
        world.away = None
        await anyio.sleep(2)
    assert [one.seq for one in world.running.values()] == [1]


async def test_what_belongs_to_others_is_forgotten() -> None:
    world = World()
    async with intake(world) as taking:
        await anyio.sleep(1)
        world.away = StoreUnavailable("full")
        await taking.begin([watch(1)])
        taking.forget()
        world.away = None
        await anyio.sleep(2)
    assert not world.running


async def test_a_damaged_database_ends_it() -> None:
    world = World(owned=1)
    world.away = StoreBroken("damaged")
    with pytest.raises(ExceptionGroup) as caught:
        async with intake(world):
            await anyio.sleep(5)
    assert caught.group_contains(StoreBroken)
