"""The start with many watches, a machine that slept, clocks that are set, a changed order."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import anyio
import pytest

from bridge.core.change import Change, Recipient, Recorded
from bridge.core.ladder import State
from bridge.core.looking import Abilities, Asking, Batch, Get, Look, Observation, Seen
from bridge.core.network.exchange import Answer, Request, Response
from bridge.core.network.way import DIRECT, Way
from bridge.core.settings import Rate, Source
from bridge.core.watch import Generation, Watch
from bridge.engine.poller import Poller
from tests.engine.rig import Lines, Rig, source, webhook
from tests.fakes.clock import EPOCH, Dice, VirtualClock

pytestmark = pytest.mark.anyio

LUMA = "luma-agents"
MANY = 20_000


class Still:
    """A provider whose generations all dream for ever; it remembers when each was asked about."""

    def __init__(self, batch: int | None) -> None:
        self.abilities = Abilities(rate=10.0, floor=timedelta(seconds=2), batch=batch)
        self.first: dict[str, float] = {}
        self.requests: list[float] = []

    def ask(self, look: Look) -> Asking:
        response = yield Request(method="GET", url="https://upstream.example/")
        assert isinstance(response, Response)
        ids = (
            look.ids
            if isinstance(look, Batch)
            else [look.id]
            if isinstance(look, Get)
            else []
        )
        now = (response.received_at - EPOCH).total_seconds()
        self.requests.append(now)
        for id_ in ids:
            self.first.setdefault(id_, now)
        return Seen(
            observations=tuple(
                Observation(
                    id=id_,
                    native_state="dreaming",
                    state=State.DREAMING,
                    observed_at=response.received_at,
                )
                for id_ in ids
            )
        )


class Prompt:
    """An Http that answers everything at once."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        await anyio.lowlevel.checkpoint()
        return Response(status=200, received_at=self.clock.now())


class Nobody:
    """An audience without webhooks, a recorder of nothing."""

    def recipients(self, watch: Watch, tag: str) -> tuple[Recipient, ...]:
        return ()

    def wants_rungs(self, watch: Watch) -> bool:
        return True

    def deliver(self, change: Change, recorded: Recorded) -> None:
        pass

    async def record(self, change: Change) -> Recorded:
        await anyio.lowlevel.checkpoint()
        return Recorded(accepted=True)

    async def watch(self, generation: Generation) -> None:
        pass


def poller(provider: Any, clock: VirtualClock, log: Lines, **wiring: Any) -> Poller:
    nobody = Nobody()
    return Poller(
        Source(name="s", provider_name="s", provider=provider, rate=Rate(per_second=10.0)),
        http=Prompt(clock),
        recorder=nobody,
        audience=nobody,
        rereader=nobody,
        clock=clock,
        chance=Dice(1),
        log=log,
        **wiring,
    )


def taken_up(count: int, age: float = 30.0) -> list[Watch]:
    """Watches that another life of the daemon had already seen dreaming."""
    return [
        Watch(
            id=n,
            uid=UUID(int=n),
            fence=0,
            generation=Generation("s", f"g{n}"),
            until=State.COMPLETED,
            webhooks=(),
            metadata={},
            rank=State.DREAMING,
            native_state="dreaming",
            seq=0,
            age=timedelta(seconds=age),
            state_age=timedelta(seconds=age),
        )
        for n in range(count)
    ]


async def run_for(one: Poller, seconds: float) -> None:
    with anyio.move_on_after(seconds):
        await one.run()


def most_in_a_second(moments: list[float]) -> int:
    most = begin = 0
    for end, at in enumerate(moments):
        while moments[begin] <= at - 1:
            begin += 1
        most = max(most, end - begin + 1)
    return most


async def test_at_the_start_everybody_is_seen_within_the_time_that_the_rate_allows() -> (
    None
):
    clock, still = VirtualClock(), Still(batch=50)
    one = poller(still, clock, Lines())
    one.add(taken_up(MANY))
    await run_for(one, 1.1 * MANY / (10 * 50))
    assert len(still.first) == MANY
    assert min(still.first.values()) <= 2
    assert most_in_a_second(still.requests) <= 11


async def test_whoever_is_new_does_not_wait_for_those_of_the_start() -> None:
    clock, still = VirtualClock(), Still(batch=None)
    one = poller(still, clock, Lines())
    one.add(taken_up(2000))
    fresh = replace(taken_up(2001)[2000], rank=-1, age=timedelta(), state_age=None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(10)
        one.add([fresh])
        await anyio.sleep(2)
        tasks.cancel_scope.cancel()
    assert 10 <= still.first["g2000"] <= 11


async def test_who_may_have_changed_most_is_looked_at_first() -> None:
    clock, still = VirtualClock(), Still(batch=None)
    one = poller(still, clock, Lines())
    old = [replace(w, state_age=timedelta(seconds=600)) for w in taken_up(100)[90:]]
    one.add([*taken_up(90, age=1.0), *old])
    await run_for(one, 3)
    asked = list(still.first)[:10]
    assert set(asked) == {f"g{n}" for n in range(90, 100)}


class SleepyClock:
    """A clock that goes on while the machine sleeps; `slept` is how long that was."""

    def __init__(self) -> None:
        self.slept = 0.0

    def __call__(self) -> float:
        return anyio.current_time() + self.slept


async def test_after_a_sleep_everybody_is_looked_at_anew_and_is_that_much_older() -> None:
    clock, still, steady, log = VirtualClock(), Still(batch=50), SleepyClock(), Lines()
    one = poller(still, clock, log, steady=steady)
    one.add(taken_up(500))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(300)
        before = len(still.requests)
        steady.slept = 3600.0
        await anyio.sleep(15)
        woken = len(still.requests) - before
        age = one.watches()[0].age
        await anyio.sleep(60)
        tasks.cancel_scope.cancel()
    assert woken >= 10
    assert age >= timedelta(seconds=3600)
    assert log.phrases("info").count("the machine has slept") == 1


class JumpingClock(VirtualClock):
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self) -> datetime:
        return super().now() + self.off


@pytest.mark.parametrize("years", [-10, 10])
async def test_a_wall_clock_that_is_set_causes_neither_storm_nor_silence(
    years: int,
) -> None:
    rig = Rig()
    rig.clock = JumpingClock()
    ids = [rig.upstream.add(LUMA, script=(("dreaming", None),)) for _ in range(20)]
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        await engine.watch(LUMA, *ids)
        await anyio.sleep(300)
        calm = [at for at, _ in rig.upstream.sent if at >= 200]
        rig.clock.off = timedelta(days=365.25 * years)
        await anyio.sleep(100)
        assert engine.supervisor.watching() == 20
    after = [at for at, _ in rig.upstream.sent if at >= 300]
    assert 0.3 * len(calm) <= len(after) <= 2 * len(calm) + 5


async def test_a_changed_order_goes_on_with_the_watch_as_it_stands() -> None:
    rig = Rig()
    id_ = rig.upstream.add(LUMA, script=(("dreaming", None),))
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        await engine.watch(LUMA, id_)
        await anyio.sleep(300)
        before = engine.supervisor.pollers()[0].watches()[0]
        await engine.watch(LUMA, id_, order=2)
        after = engine.supervisor.pollers()[0].watches()[0]
        assert after.metadata == {"order": 2}
        assert after.state_age is not None
        assert before.state_age is not None
        assert abs(after.state_age - before.state_age) < timedelta(seconds=5)


async def test_looks_of_a_lonely_watch_are_never_closer_than_a_quarter_of_a_second() -> (
    None
):
    clock, still = VirtualClock(), Still(batch=None)
    still.abilities = replace(still.abilities, floor=timedelta())
    one = poller(still, clock, Lines())
    one.add(taken_up(1, age=0.0))
    await run_for(one, 60)
    assert min(b - a for a, b in pairwise(still.requests)) >= 0.25 - 1e-9
