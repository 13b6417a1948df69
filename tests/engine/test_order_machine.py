"""The order of deliveries, whatever happens: any sequence of troubles that Hypothesis thinks of.

The rules only write a script; it is played at the end, on virtual time, and then everybody heals.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest
import trio.testing
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bridge.core.delivering.delivery import Condition, Status
from bridge.core.delivering.signing import read_key
from bridge.core.network.exchange import Phase, Request, Unanswered
from bridge.core.settings import Order, Webhook
from tests.engine.rig import SECRET, Engine, Rig, every, source, webhook
from tests.fakes.receiver import Choice, Posted, Slow

RUNGS = ["queued", "dreaming", "completed"]
OTHER_SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
MOODS: dict[str, Choice] = {
    "well": 204,
    "ill": 500,
    "busy": 503,
    "throttling": 429,
    "picky": 422,
    "deaf": Unanswered(phase=Phase.CONNECT, reason="refused"),
    "slow": Slow(after=timedelta(seconds=1), then=204),
    "too slow, but it takes it": Slow(after=timedelta(seconds=20), then=204),
    "slow, and then ill": Slow(after=timedelta(seconds=2), then=500),
}


class Play:
    """A rig and what happens to it; `engine` is the present run."""

    def __init__(self, order: Order) -> None:
        self.rig = Rig()
        self.rig.receiver.rule = self.answer
        self.order = order
        self.mood: Choice = 204
        self.secret = SECRET
        self.replayed: dict[str, int] = {}
        """The ids of events that were replayed, and how many posts there had been by then."""
        self.crashing = anyio.Event()

    def answer(self, _age: timedelta, _request: Request) -> Choice:
        return self.mood

    @property
    def hook(self) -> Webhook:
        return webhook(
            order=self.order,
            keys=(read_key(self.secret),),
            retry=every(7, times=100_000),
            concurrency=3,
        )


Step = Callable[[Play, Engine], Awaitable[bool]]
"""Returns whether the process dies now."""


def begins(gaps: tuple[float, float]) -> Step:
    async def step(play: Play, engine: Engine) -> bool:
        script = (("queued", gaps[0]), ("dreaming", gaps[1]), ("completed", None))
        await engine.watch(
            "aimlapi-luma", play.rig.upstream.add("aimlapi-luma", script=script)
        )
        return False

    return step


def passes(seconds: float) -> Step:
    async def step(_play: Play, _engine: Engine) -> bool:
        await anyio.sleep(seconds)
        return False

    return step


def feels(mood: str) -> Step:
    async def step(play: Play, _engine: Engine) -> bool:
        play.mood = MOODS[mood]
        return False

    return step


async def crashes(_play: Play, _engine: Engine) -> bool:
    return True


async def rotates(play: Play, engine: Engine) -> bool:
    play.secret = OTHER_SECRET if play.secret == SECRET else SECRET
    states = await play.rig.store.webhooks(["name:studio"])
    engine.sender.set_lanes([(play.hook, states["name:studio"])])
    return False


def stands(condition: Condition) -> Step:
    async def step(play: Play, engine: Engine) -> bool:
        states = await play.rig.store.webhooks(["name:studio"])
        state = replace(states["name:studio"], condition=condition)
        await play.rig.store.set_webhook(state)
        engine.sender.set_standing(state)
        return False

    return step


async def replays(play: Play, engine: Engine) -> bool:
    disk = play.rig.store.disk
    over = [one for one in disk.deliveries.values() if one.status is Status.DELIVERED]
    if over:
        row = over[-1]
        event = str(disk.events[row.event].message.id)
        play.replayed.setdefault(event, len(play.rig.posts()))
        woken = await play.rig.store.retry(row.id)
        engine.sender.woken([] if woken is None else [woken])
    return False


async def played(play: Play, steps: list[Step]) -> None:
    """Play all steps, each run of the process in an engine of its own; then all is well."""
    left = [*steps, feels("well"), stands(Condition.ACTIVE), passes(4000.0)]
    while left:
        async with play.rig.engine([source(play.rig.upstream)], [play.hook]) as engine:
            while left:
                if await left.pop(0)(play, engine):
                    break
        play.rig.restart()


def first_sent(play: Play) -> dict[str, list[Posted]]:
    """Return per generation what was taken of it, without replays."""
    told: dict[str, list[Posted]] = defaultdict(list)
    for number, posted in enumerate(play.rig.posts()):
        replayed_at = play.replayed.get(posted.id)
        if posted.accepted and (replayed_at is None or number < replayed_at):
            told[posted.document["data"]["generation_id"]].append(posted)
    return told


def check(play: Play) -> None:
    """Check what is promised of order, of duplicates and of what arrives."""
    by_generation = first_sent(play)
    for told in by_generation.values():
        rungs = [RUNGS.index(posted.document["data"]["state"]) for posted in told]
        assert all(a <= b for a, b in pairwise(rungs)), rungs
    for told in by_generation.values():
        sequences = [posted.document["data"]["sequence"] for posted in told]
        assert len({posted.id for posted in told}) == len(set(sequences))
    arrived = {posted.id for posted in play.rig.receiver.accepted}
    events = defaultdict(list)
    for event in play.rig.store.disk.events.values():
        events[event.watch].append(event)
    for of_one in events.values():
        of_one.sort(key=lambda event: event.seq)
        wanted = of_one if play.order is Order.STRICT else of_one[-1:]
        assert {str(event.message.id) for event in wanted} <= arrived
    assert not any(play.rig.store.disk.pending.values())


class Troubles(RuleBasedStateMachine):
    """Writes a script."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.order = Order.STRICT

    @initialize(order=st.sampled_from(Order))
    def chosen(self, order: Order) -> None:
        self.order = order

    @rule(gaps=st.tuples(st.floats(0.5, 30.0), st.floats(0.5, 30.0)))
    def a_generation_begins(self, gaps: tuple[float, float]) -> None:
        self.steps.append(begins(gaps))

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.035, 0.5, 1.0, 3.0, 16.0, 60.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        self.steps.append(passes(seconds))

    @rule(mood=st.sampled_from(sorted(MOODS)))
    def the_receiver_changes(self, mood: str) -> None:
        self.steps.append(feels(mood))

    @rule()
    def the_process_dies(self) -> None:
        self.steps.append(crashes)

    @rule()
    def secrets_rotate(self) -> None:
        self.steps.append(rotates)

    @rule(condition=st.sampled_from([Condition.PAUSED, Condition.ACTIVE]))
    def somebody_pauses_or_resumes(self, condition: Condition) -> None:
        self.steps.append(stands(condition))

    @rule()
    def somebody_replays(self) -> None:
        self.steps.append(replays)

    def teardown(self) -> None:
        """Play it."""
        made: list[Play] = []

        async def main() -> None:
            play = Play(self.order)
            made.append(play)
            await played(play, self.steps)

        clock: Any = trio.testing.MockClock(autojump_threshold=0)
        anyio.run(main, backend="trio", backend_options={"clock": clock})
        check(made[0])


Troubles.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestTroubles = pytest.mark.timeout(180)(Troubles.TestCase)
