"""What a replica does among others, on virtual time."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import anyio
import pytest

from bridge.core.delivering.delivery import WebhookState
from bridge.core.ladder import State
from bridge.core.sharing.liveness import Pace, Sighting
from bridge.core.sharing.share import Bulletin, Spare, Tally
from bridge.core.watch import Generation, Watch
from bridge.engine.membership import Membership
from bridge.errors import StoreRefused, StoreUnavailable
from tests.engine.rig import Lines
from tests.fakes.clock import LoadedDice

pytestmark = pytest.mark.anyio

PACE = Pace()
ALONE = Tally(living=1, owned=0, others=0, unowned=0, orphaned=0)


def a_watch(number: int = 1) -> Watch:
    return Watch(
        id=number,
        uid=UUID(int=number),
        fence=0,
        generation=Generation("luma", f"g{number}"),
        until=State.COMPLETED,
        webhooks=(1,),
        metadata={},
    )


@dataclass
class FakeRegister:
    """A database with other replicas, as a test tells it."""

    me: int = 1
    present: bool = True
    certain: bool = True
    away: bool = False
    alive: bool = True
    others: list[Sighting] = field(default_factory=list)
    news: Bulletin = field(default_factory=lambda: Bulletin(tally=ALONE))
    unowned: list[Watch] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)
    buried: list[int] = field(default_factory=list)
    given_back: list[Spare] = field(default_factory=list)
    slow: float = 0.0
    heard: Callable[[], None] = lambda: None
    hinting: bool = False

    def listen(self, heard: Callable[[], None]) -> None:
        self.heard = heard

    async def hint_later(self) -> None:
        self.hinting = True
        await anyio.sleep_forever()

    async def _answer(self) -> None:
        await anyio.sleep(self.slow)
        if self.away:
            self.present = False
            raise StoreUnavailable("away")

    async def join(self) -> bool:
        await self._answer()
        self.present = True
        if not self.alive:
            self.me, self.alive = self.me + 1, True
            return False
        return True

    async def beat(self) -> bool:
        await self._answer()
        self.beats.append(anyio.current_time())
        return self.alive

    async def look_around(self) -> Sequence[Sighting]:
        await self._answer()
        return self.others

    async def bury(self, ids: Sequence[int]) -> tuple[Sequence[int], frozenset[int]]:
        self.buried += ids
        self.others = [one for one in self.others if one.id not in ids]
        return ids, frozenset({7})

    async def forget(self) -> None:
        await self._answer()

    async def bulletin(self) -> Bulletin:
        await self._answer()
        news = replace(self.news, tally=replace(self.news.tally, unowned=len(self.unowned)))
        self.news = Bulletin(tally=self.news.tally)
        return news

    async def claim_watches(self, limit: int) -> Sequence[Watch]:
        await self._answer()
        taken, self.unowned = self.unowned[:limit], self.unowned[limit:]
        return taken

    async def give_back(self, spares: Sequence[Spare]) -> Sequence[int]:
        await self._answer()
        self.given_back += spares
        self.news = Bulletin(tally=ALONE)
        return [one.watch.id for one in spares]

    async def chunk(self, key: str, length: timedelta) -> timedelta:
        return timedelta()

    async def duty(self, name: str, every: timedelta) -> bool:
        return True


@dataclass
class FakeCrew:
    """Notes what it is told."""

    begun: list[Watch] = field(default_factory=list)
    dropped: list[Generation] = field(default_factory=list)
    woken: set[int] = field(default_factory=set)
    abandoned: list[float] = field(default_factory=list)
    nudged: list[float] = field(default_factory=list)
    living: int = 0
    looked: int = 0

    async def begin(self, watches: Sequence[Watch]) -> None:
        self.begun += watches

    def drop(self, generations: Iterable[Generation]) -> None:
        self.dropped += generations

    async def wake(self, webhooks: Iterable[int]) -> None:
        self.woken |= set(webhooks)

    def heed(self, states: Mapping[int, WebhookState], living: int) -> None:
        self.living = living

    def spare(self, most: int) -> list[Spare]:
        some, self.begun = self.begun[:most], self.begun[most:]
        return [Spare(watch=watch, wait=9.0) for watch in some]

    def abandon(self) -> None:
        self.abandoned.append(anyio.current_time())
        self.begun = []

    def look(self) -> None:
        self.looked += 1

    def nudge(self) -> None:
        self.nudged.append(anyio.current_time())


@dataclass
class Stage:
    register: FakeRegister
    crew: FakeCrew
    membership: Membership
    log: Lines


@asynccontextmanager
async def among(register: FakeRegister) -> AsyncIterator[Stage]:
    crew, log = FakeCrew(), Lines()
    membership = Membership(
        register,
        crew,
        steady=anyio.current_time,
        chance=LoadedDice(0.5),
        log=log,
        pace=PACE,
    )
    await membership.begin()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(membership.run)
        yield Stage(register, crew, membership, log)
        tasks.cancel_scope.cancel()


async def test_it_beats_and_may_begin() -> None:
    async with among(FakeRegister()) as stage:
        await anyio.sleep(21)
        assert stage.membership.fit()
        assert stage.membership.trouble() is None
    gaps = {
        b - a for a, b in zip(stage.register.beats, stage.register.beats[1:], strict=False)
    }
    assert gaps == {5.0}


async def test_nothing_begins_once_its_beats_are_not_confirmed() -> None:
    async with among(FakeRegister()) as stage:
        stage.register.slow = 1000.0
        await anyio.sleep(PACE.fresh - 0.1)
        assert stage.membership.fit()
        await anyio.sleep(0.2)
        assert not stage.membership.fit()
        assert stage.membership.trouble() is not None


async def test_a_beat_counts_from_when_it_was_sent() -> None:
    async with among(FakeRegister()) as stage:
        await anyio.sleep(4.9)
        stage.register.slow = 10.0  # sent at 5, answered at 15; then a look until 25
        await anyio.sleep(18.0)
        assert stage.membership.fit()
        await anyio.sleep(0.2)
        assert not stage.membership.fit()


async def test_nothing_begins_without_a_session() -> None:
    async with among(FakeRegister()) as stage:
        stage.register.present = False
        assert not stage.membership.fit()


async def test_a_lost_session_is_opened_again_and_work_goes_on() -> None:
    async with among(FakeRegister()) as stage:
        stage.register.away = True
        await anyio.sleep(4)
        assert not stage.membership.fit()
        stage.register.away = False
        await anyio.sleep(1)
        assert stage.membership.fit()
        assert stage.crew.nudged
        assert not stage.crew.abandoned


async def test_a_database_that_is_too_new_when_the_session_is_back_ends_it() -> None:
    async def join() -> bool:
        raise StoreRefused("a newer genbridge")

    with pytest.RaisesGroup(StoreRefused, flatten_subgroups=True):
        async with among(FakeRegister()) as stage:
            await anyio.sleep(1)
            stage.register.join = join  # type: ignore[method-assign]  # a fake's answer
            stage.register.present = False
            await anyio.sleep(60)


async def test_whoever_was_declared_dead_abandons_everything_and_returns() -> None:
    async with among(FakeRegister()) as stage:
        stage.register.alive = False
        await anyio.sleep(6)
        assert stage.crew.abandoned
        assert stage.register.me == 2
        assert stage.membership.fit()


async def test_the_dead_are_buried_and_their_deliveries_are_woken() -> None:
    async with among(FakeRegister()) as stage:
        await anyio.sleep(10)
        stage.register.others = [Sighting(id=5, gone=True, silent=False)]
        await anyio.sleep(0.9)
        assert stage.register.buried == []
        await anyio.sleep(1)
        assert stage.register.buried == [5]
        assert stage.crew.woken == {7}


async def test_nobody_is_buried_right_after_the_session_was_lost() -> None:
    async with among(FakeRegister()) as stage:
        await anyio.sleep(10)
        stage.register.away = True
        await anyio.sleep(2)
        stage.register.away = False
        stage.register.others = [Sighting(id=5, gone=True, silent=False)]
        await anyio.sleep(2.5)
        assert stage.register.buried == []


async def test_what_has_no_owner_is_taken_up_within_a_second() -> None:
    async with among(FakeRegister()) as stage:
        await anyio.sleep(3)
        stage.register.unowned = [a_watch(i) for i in range(1200)]
        await anyio.sleep(1.1)
        assert len(stage.crew.begun) == 1200
        assert max(watch.wait for watch in stage.crew.begun) == timedelta(seconds=0.5)


async def test_a_hint_is_followed_at_once() -> None:
    async with among(FakeRegister()) as stage:
        await anyio.sleep(3.1)
        stage.register.unowned = [a_watch()]
        stage.register.heard()
        await anyio.sleep(0.01)
        assert len(stage.crew.begun) == 1
        assert stage.crew.looked == 1


async def test_hints_that_came_too_soon_after_another_are_sent_while_it_runs() -> None:
    register = FakeRegister()
    async with among(register):
        await anyio.sleep(0.1)
        assert register.hinting


async def test_nothing_is_taken_up_while_nothing_may_begin() -> None:
    async with among(FakeRegister()) as stage:
        await anyio.sleep(3)
        stage.register.present = False
        stage.register.away = True
        stage.register.unowned = [a_watch()]
        await anyio.sleep(5)
        assert stage.crew.begun == []


async def test_what_is_above_the_share_is_given_back() -> None:
    async with among(FakeRegister()) as stage:
        stage.crew.begun = [a_watch(i) for i in range(300)]
        stage.register.news = Bulletin(
            tally=Tally(living=2, owned=300, others=0, unowned=0, orphaned=0)
        )
        await anyio.sleep(1.1)
        assert len(stage.register.given_back) == 150
        assert stage.crew.living == 1


async def test_what_could_not_be_given_back_is_watched_on() -> None:
    async with among(FakeRegister()) as stage:
        stage.crew.begun = [a_watch(i) for i in range(300)]
        tally = Tally(living=2, owned=300, others=0, unowned=0, orphaned=0)

        async def bulletin() -> Bulletin:
            stage.register.away = True
            return Bulletin(tally=tally)

        stage.register.bulletin = bulletin  # type: ignore[method-assign]  # a fake's answer
        await anyio.sleep(1.1)
        assert len(stage.crew.begun) == 300
        assert stage.register.given_back == []


async def test_what_others_changed_is_watched_as_it_is_now() -> None:
    async with among(FakeRegister()) as stage:
        stage.register.news = Bulletin(
            changed=(a_watch(3),), ended=(Generation("luma", "g4"),), tally=ALONE
        )
        await anyio.sleep(1.1)
        assert stage.crew.begun == [a_watch(3)]
        assert stage.crew.dropped == [Generation("luma", "g4")]


async def test_whoever_leaves_gives_everything_back_and_takes_up_no_more() -> None:
    async with among(FakeRegister()) as stage:
        stage.crew.begun = [a_watch(i) for i in range(3)]
        await stage.membership.leave()
        stage.register.unowned = [a_watch(9)]
        await anyio.sleep(6)
        assert [one.wait for one in stage.register.given_back] == [9.0, 9.0, 9.0]
        assert stage.crew.begun == []
        assert len(stage.register.beats) > 1
