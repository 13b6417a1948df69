"""How replays are carried out: step by step, at the ring of a bell, whatever the store does."""

from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest

from bridge.core.replay import Replay, Replayed, ReplayFilter
from bridge.engine.replaying import Replayer
from bridge.errors import StoreBroken, StoreUnavailable
from tests.engine.rig import Lines
from tests.fakes.clock import EPOCH, VirtualClock

pytestmark = pytest.mark.anyio


def step(done: int, *, over: bool = False, woken: Iterable[int] = (1,)) -> Replayed:
    replay = Replay(id=9, filter=ReplayFilter(), done=done, over=over, begun_at=EPOCH)
    return Replayed(replay=replay, woken=frozenset(woken))


class Shelf:
    """A store whose steps the test lays out; what is laid out as an error is raised."""

    def __init__(self, *steps: Replayed | Exception) -> None:
        self.steps = deque(steps)
        self.asked: list[float] = []

    async def advance_replay(self) -> Replayed | None:
        await anyio.sleep(0.001)
        self.asked.append(anyio.current_time())
        following = self.steps.popleft() if self.steps else None
        if isinstance(following, Exception):
            raise following
        return following


class Ward:
    """Wakes nobody, and remembers whom it was told to."""

    def __init__(self) -> None:
        self.woken: list[int] = []
        self.broken: Exception | None = None

    async def wake(self, webhooks: Iterable[int]) -> None:
        if self.broken is not None:
            error, self.broken = self.broken, None
            raise error
        self.woken += webhooks


@asynccontextmanager
async def replaying(shelf: Shelf, ward: Ward, log: Lines) -> AsyncIterator[Replayer]:
    replayer = Replayer(shelf, wake=ward.wake, clock=VirtualClock(), log=log)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(replayer.run)
        yield replayer
        tasks.cancel_scope.cancel()


async def test_what_a_crash_left_is_done_at_the_start_and_its_webhooks_are_woken() -> None:
    shelf, ward, log = Shelf(step(500), step(640, over=True, woken=[1, 2])), Ward(), Lines()
    async with replaying(shelf, ward, log):
        await anyio.sleep(1)
    assert ward.woken == [1, 1, 2]
    assert len(shelf.asked) == 3
    assert log.lines[-1] == ("info", "replay over", {"replay": 9, "deliveries": 640})


async def test_a_new_replay_begins_at_the_ring() -> None:
    shelf, ward = Shelf(), Ward()
    async with replaying(shelf, ward, Lines()) as replayer:
        await anyio.sleep(10)
        shelf.steps.append(step(3, over=True))
        replayer.ring()
        await anyio.sleep(1)
    assert ward.woken == [1]


async def test_without_a_ring_the_store_is_asked_once_a_minute() -> None:
    shelf = Shelf()
    async with replaying(shelf, Ward(), Lines()):
        await anyio.sleep(timedelta(minutes=10).total_seconds())
    assert 10 <= len(shelf.asked) <= 11


async def test_a_store_that_is_away_is_asked_again() -> None:
    shelf, ward = Shelf(StoreUnavailable("full"), StoreUnavailable("full"), step(1)), Ward()
    async with replaying(shelf, ward, Lines()):
        await anyio.sleep(5)
    assert ward.woken == [1]


async def test_a_replay_goes_on_where_nobody_could_be_woken() -> None:
    shelf, ward, log = (
        Shelf(step(1, woken=[1]), step(2, over=True, woken=[2])),
        Ward(),
        Lines(),
    )
    ward.broken = StoreUnavailable("away")
    async with replaying(shelf, ward, log):
        await anyio.sleep(5)
    assert ward.woken == [2]
    assert log.phrases("info") == ["replay over"]


async def test_a_damaged_database_ends_it() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with replaying(Shelf(StoreBroken("damaged")), Ward(), Lines()):
            await anyio.sleep(5)
    assert caught.group_contains(StoreBroken)
