"""No backlog is left standing, whatever happens to a sender: any troubles Hypothesis thinks of.

A script is played on virtual time, and then everybody heals. Nothing new comes in after that, so
whoever was forgotten stays forgotten, and is found.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import pytest
import trio.testing
from anyio.abc import TaskGroup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.change import Born, Change, Recipient, Recorded
from bridge.core.delivering.delivery import Condition, Delivery, WebhookState
from bridge.core.ladder import State
from bridge.core.network.exchange import Phase, Request, Unanswered
from bridge.core.settings import Rate, Webhook
from bridge.core.watch import Generation, Watch
from bridge.engine.sender import Sender
from bridge.errors import StoreUnavailable
from tests.engine.heap import Heap
from tests.engine.rig import every, webhook
from tests.fakes.clock import WatchfulClock
from tests.fakes.receiver import Choice, Slow

MOODS: dict[str, Choice] = {
    "well": 204,
    "ill": 500,
    "busy": 503,
    "throttling": 429,
    "picky": 422,
    "deaf": Unanswered(phase=Phase.CONNECT, reason="refused"),
    "nobody's fault but ours": Unanswered(phase=Phase.LOCAL, reason="no descriptor"),
    "slow": Slow(after=timedelta(seconds=1), then=204),
    "too slow": Slow(after=timedelta(seconds=20), then=204),
}
RATES = (None, 0.5, 3.0, 40.0, 1000.0, 100_000.0)
HOOKS = (1, 2, 3)


class Till:
    """A purse, as the database is one: slow, or away."""

    def __init__(self, clock: WatchfulClock) -> None:
        self.clock = clock
        self.slow = 0.002
        self.away = False
        self.tat: dict[str, float] = {}

    async def chunk(self, key: str, length: timedelta) -> timedelta:
        await anyio.sleep(self.slow)
        if self.away:
            raise StoreUnavailable("locked")
        now = self.clock.monotonic()
        begin = max(0.0, self.tat.get(key, now) - now)
        self.tat[key] = now + begin + length.total_seconds()
        await anyio.sleep(self.slow)
        return timedelta(seconds=begin)


class Play:
    """A sender with three webhooks, and what happens to them."""

    def __init__(self, slots: int, tick: float, rates: Sequence[float | None]) -> None:
        self.heap = Heap([self._rule(n) for n in HOOKS], WatchfulClock(tick))
        self.till = Till(WatchfulClock(tick))
        self.slots = slots
        self.moods: dict[int, Choice] = dict.fromkeys(HOOKS, 204)
        self.rates = dict(zip(HOOKS, rates, strict=True))
        self.there = set(HOOKS)
        self.fit = True
        self.reserved: list[tuple[Watch, Sequence[Recipient]]] = []
        self.tasks: TaskGroup
        self.sender: Sender

    def _rule(self, number: int) -> Callable[[timedelta, Request], Choice]:
        return lambda _age, _request: self.moods[number]

    def hook(self, number: int) -> Webhook:
        rate = self.rates[number]
        return webhook(
            f"w{number}",
            rate=None if rate is None else Rate(per_second=rate),
            retry=every(7, times=100_000),
            concurrency=4 ** (number - 1),
            disable_after=timedelta(days=300),
        )

    def state(self, number: int) -> WebhookState:
        off = number in self.heap.pile.off
        condition = Condition.PAUSED if off else Condition.ACTIVE
        return replace(self.heap.state(number), condition=condition)

    def reload(self) -> None:
        self.sender.set_lanes((self.hook(n), self.state(n)) for n in sorted(self.there))

    async def heal(self) -> None:
        """Mend what is broken, and no more: a touch would wake who was forgotten."""
        self.moods = dict.fromkeys(HOOKS, 204)
        self.heap.pile.away = self.till.away = False
        self.till.slow = 0.002
        while self.reserved:
            self.record(accepted=False)
        for number in sorted(self.heap.pile.off):
            await resumes(number)(self)
        if self.there != set(HOOKS):
            self.there = set(HOOKS)
            self.reload()
        if not self.fit:
            await lives(True)(self)

    def record(self, *, accepted: bool) -> None:
        """Let a change become known whose recipients have reserved room."""
        watch, recipients = self.reserved.pop(0)
        pile, born = self.heap.pile, []
        for recipient in recipients if accepted else ():
            if recipient.room:
                delivery = pile.make(recipient.webhook, watch=watch.id)
                pile.claimed[delivery.id] += 1
                born.append(_born(delivery, claimed=True))
            else:
                pile.add(recipient.webhook)
        change = _change(watch, recipients)
        self.sender.deliver(change, Recorded(accepted=accepted, deliveries=tuple(born)))


def _born(delivery: Delivery, *, claimed: bool) -> Born:
    # Its first settlement puts it on the pile, if it is not the last one.
    return Born(id=delivery.id, webhook=delivery.webhook, fence=1, claimed=claimed)


def _change(watch: Watch, recipients: Sequence[Recipient]) -> Change:
    return Change(
        watch=watch,
        rank=3,
        native_state="completed",
        ended="completed",
        tag="completed",
        message=Heap([]).pile.make(0).message,
        recipients=tuple(recipients),
    )


Step = Callable[[Play], Awaitable[None]]


def comes(number: int, count: int, manual: bool) -> Step:
    async def step(play: Play) -> None:
        for _ in range(count):
            play.heap.pile.add(number, manual=manual)

    return step


def passes(seconds: float) -> Step:
    return lambda _play: anyio.sleep(seconds)


def feels(number: int, mood: str) -> Step:
    async def step(play: Play) -> None:
        play.moods[number] = MOODS[mood]

    return step


def pauses(number: int) -> Step:
    async def step(play: Play) -> None:
        play.heap.pile.off.add(number)
        play.sender.set_standing(play.state(number))

    return step


def resumes(number: int) -> Step:
    async def step(play: Play) -> None:
        play.heap.pile.off.discard(number)
        play.heap.pile.gates.pop(number, None)
        play.sender.set_standing(play.state(number))

    return step


def is_taken_out(number: int) -> Step:
    async def step(play: Play) -> None:
        play.there.discard(number)
        play.reload()

    return step


def reloads(number: int, rate: float | None) -> Step:
    async def step(play: Play) -> None:
        play.there.add(number)
        play.rates[number] = rate
        play.reload()

    return step


def store_is(away: bool) -> Step:
    async def step(play: Play) -> None:
        play.heap.pile.away = away

    return step


def purse_is(slow: float, away: bool) -> Step:
    async def step(play: Play) -> None:
        play.till.slow, play.till.away = slow, away

    return step


def is_seen(number: int) -> Step:
    async def step(play: Play) -> None:
        watch = Watch(
            id=10**6 + len(play.heap.pile.born),
            uid=UUID(int=1),
            fence=1,
            generation=Generation("luma", "one"),
            until=State.COMPLETED,
            webhooks=(number,),
            metadata={},
        )
        recipients = play.sender.recipients(watch, "completed")
        if recipients:
            play.reserved.append((watch, recipients))

    return step


def is_recorded(accepted: bool) -> Step:
    async def step(play: Play) -> None:
        if play.reserved:
            play.record(accepted=accepted)

    return step


def hears(living: int) -> Step:
    async def step(play: Play) -> None:
        states = {n: play.state(n) for n in play.heap.pile.off}
        play.sender.heed(states, living)

    return step


def lives(fit: bool) -> Step:
    async def step(play: Play) -> None:
        play.fit = fit
        play.sender.nudge()

    return step


def has_waiting(number: int, count: int) -> Step:
    async def step(play: Play) -> None:
        assert len(play.heap.pile.waiting[number]) == count

    return step


def is_tried(number: int) -> Step:
    async def step(play: Play) -> None:
        async def trial() -> None:
            await play.sender.turn(number, patience=30.0)

        play.tasks.start_soon(trial)

    return step


numbers = st.sampled_from(HOOKS)
steps = st.one_of(
    st.builds(comes, numbers, st.sampled_from([1, 2, 5, 30, 100]), st.booleans()),
    st.builds(passes, st.sampled_from([0.0, 0.01, 0.035, 0.5, 1.0, 6.0, 16.0, 70.0])),
    st.builds(feels, numbers, st.sampled_from(sorted(MOODS))),
    st.builds(pauses, numbers),
    st.builds(resumes, numbers),
    st.builds(is_taken_out, numbers),
    st.builds(reloads, numbers, st.sampled_from(RATES)),
    st.builds(store_is, st.booleans()),
    st.builds(purse_is, st.sampled_from([0.002, 0.5, 5.0]), st.booleans()),
    st.builds(is_seen, numbers),
    st.builds(is_recorded, st.booleans()),
    st.builds(hears, st.integers(1, 4)),
    st.builds(lives, st.booleans()),
    st.builds(is_tried, numbers),
)


async def played(play: Play, script: Sequence[Step], *, paid: bool) -> None:
    wiring: dict[str, Any] = {"purse": play.till} if paid else {}
    hooks = [play.hook(n) for n in HOOKS]
    fit = lambda: play.fit  # noqa: E731  (asked again and again)
    async with (
        play.heap.sender(hooks, slots=play.slots, fit=fit, **wiring) as play.sender,
        anyio.create_task_group() as play.tasks,
    ):
        for step in script:
            await step(play)
        await play.heal()
        await anyio.sleep(4000.0 + 3.0 * len(play.heap.pile.born))
        play.tasks.cancel_scope.cancel()
    pile = play.heap.pile
    assert not any(pile.waiting.values())
    accepted = {id_ for _, id_ in pile.accepted()}
    assert accepted == pile.claimed.keys()


def play(
    script: Sequence[Step],
    *,
    slots: int = 64,
    tick: float = 0.0,
    rates: Sequence[float | None] = (None, None, None),
    paid: bool = False,
) -> None:
    async def main() -> None:
        await played(Play(slots, tick, rates), script, paid=paid)

    clock: Any = trio.testing.MockClock(autojump_threshold=0)
    anyio.run(main, backend="trio", backend_options={"clock": clock})


@pytest.mark.timeout(180)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=st.lists(steps, max_size=25),
    slots=st.sampled_from([2, 3, 6, 64]),
    tick=st.sampled_from([0.0, 5e-7, 5e-5, 1e-3]),
    rates=st.tuples(*[st.sampled_from(RATES)] * 3),
    paid=st.booleans(),
)
def test_whatever_happens_all_that_waits_goes_out_in_the_end(
    script: list[Step],
    slots: int,
    tick: float,
    rates: tuple[float | None, ...],
    paid: bool,
) -> None:
    play(script, slots=slots, tick=tick, rates=rates, paid=paid)


def test_a_webhook_that_waits_for_its_rate_while_slots_are_tight_keeps_nobody_busy() -> (
    None
):
    play(
        [
            feels(3, "too slow"),
            comes(3, 5, False),
            passes(0.5),
            comes(2, 30, False),
            passes(70.0),
        ],
        slots=6,
        rates=(None, 0.5, None),
    )


def test_room_that_a_refused_change_had_reserved_is_used_again() -> None:
    play(
        [
            is_seen(1),
            is_seen(1),
            comes(1, 5, False),
            passes(1.0),
            is_recorded(False),
            is_recorded(False),
            passes(1.0),
            has_waiting(1, 0),
        ]
    )


def test_trials_that_nobody_can_pay_for_end_and_keep_nobody_busy() -> None:
    play(
        [purse_is(0.002, True), *[is_tried(2)] * 3, comes(2, 2, False), passes(70.0)],
        rates=(40.0, 40.0, 40.0),
        paid=True,
    )
