"""A provider's callback reaches whoever watches what it is about, at whichever replica it came."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from bridge.core.hints import Named
from bridge.core.settings import Rate, Source
from bridge.core.watch import Generation
from bridge.engine.hinter import GATHERED, PASSED, Hinter
from bridge.errors import StoreUnavailable
from tests.engine.rig import Lines, source
from tests.fakes.clock import VirtualClock
from tests.fakes.upstream import FakeUpstream

pytestmark = pytest.mark.anyio


@dataclass
class Notices:
    """The way to all replicas, this one too, as a database makes it."""

    listeners: list[Callable[[Sequence[Generation]], None]] = field(default_factory=list)
    passed: list[Sequence[Generation]] = field(default_factory=list)
    away: bool = False

    async def pass_on(self, generations: Sequence[Generation]) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.passed.append(generations)
        for heard in self.listeners:
            heard(generations)

    def listen_for_hints(self, heard: Callable[[Sequence[Generation]], None]) -> None:
        self.listeners.append(heard)


class Replica:
    """A hinter, and what is watched and was hinted at beside it."""

    def __init__(self, *watched: str, notices: Notices | None = None) -> None:
        self.watched = set(watched)
        self.hinted: list[str] = []
        self.log = Lines()
        self.hinter = Hinter(self._hint, clock=VirtualClock(), log=self.log, others=notices)

    def _hint(self, generation: Generation) -> bool:
        if generation.id not in self.watched:
            return False
        self.hinted.append(generation.id)
        return True


def luma(rate: float = 100.0) -> Source:
    return source(FakeUpstream(VirtualClock()), rate=Rate(per_second=rate))


def about(*ids: str, others: tuple[str, ...] = ()) -> Named:
    return Named(keyed=ids, others=others)


@asynccontextmanager
async def running(*replicas: Replica) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        for one in replicas:
            tasks.start_soon(one.hinter.run)
        yield
        tasks.cancel_scope.cancel()


async def test_what_is_watched_here_is_looked_at_whatever_key_its_id_is_under() -> None:
    alone = Replica("g1", "g2")
    alone.hinter.heard(luma(), about("job", "g1", others=("done", "g2")))
    assert alone.hinted == ["g1", "g2"]


async def test_alone_there_is_nobody_to_pass_it_on_to() -> None:
    alone = Replica()
    async with running(alone):
        alone.hinter.heard(luma(), about("g1"))
        await anyio.sleep(1)


async def test_what_is_watched_elsewhere_is_passed_on_to_its_owner() -> None:
    notices = Notices()
    here, there = Replica("g1", notices=notices), Replica("g2", notices=notices)
    async with running(here, there):
        here.hinter.heard(luma(), about("g2"))
        await anyio.sleep(2 * GATHERED)
    assert (here.hinted, there.hinted) == ([], ["g2"])


async def test_what_is_watched_here_is_not_passed_on() -> None:
    notices = Notices()
    here = Replica("g1", notices=notices)
    async with running(here):
        here.hinter.heard(luma(), about("g1", "other"))
        await anyio.sleep(1)
    assert notices.passed == []


async def test_what_nobody_watches_goes_around_once() -> None:
    notices = Notices()
    here, there = Replica(notices=notices), Replica(notices=notices)
    async with running(here, there):
        here.hinter.heard(luma(), about("stranger"))
        await anyio.sleep(10)
    assert notices.passed == [[Generation("aimlapi-luma", "stranger")]]


async def test_hints_that_come_together_are_passed_on_together() -> None:
    notices = Notices()
    here = Replica(notices=notices)
    async with running(here):
        for i in range(5):
            here.hinter.heard(luma(), about(f"g{i}"))
        await anyio.sleep(1)
    assert [len(some) for some in notices.passed] == [5]


async def test_only_the_likeliest_texts_are_passed_on() -> None:
    notices = Notices()
    here = Replica(notices=notices)
    async with running(here):
        here.hinter.heard(luma(), about(*(f"g{i}" for i in range(10)), others=("x",)))
        here.hinter.heard(luma(), about(others=("text",)))
        here.hinter.heard(luma(), about())
        await anyio.sleep(1)
    (some,) = notices.passed
    assert [one.id for one in some] == [*(f"g{i}" for i in range(PASSED)), "text"]


async def test_a_flood_is_passed_on_at_a_fifth_of_the_rate() -> None:
    notices = Notices()
    here = Replica(notices=notices)
    async with running(here):
        for i in range(1000):
            here.hinter.heard(luma(10.0), about(f"g{i}"))
            await anyio.sleep(0.01)
        await anyio.sleep(1)
    passed = sum(map(len, notices.passed))
    assert 20 <= passed <= 24  # ten seconds at 2/s, a second's worth ahead, and the first


async def test_a_database_that_is_away_loses_hints_and_nothing_else() -> None:
    notices = Notices(away=True)
    here, there = Replica(notices=notices), Replica("g2", notices=notices)
    async with running(here, there):
        here.hinter.heard(luma(), about("g1"))
        await anyio.sleep(1)
        notices.away = False
        here.hinter.heard(luma(), about("g2"))
        await anyio.sleep(1)
    assert there.hinted == ["g2"]
    assert here.log.phrases("debug") == ["hints were not passed on"]
