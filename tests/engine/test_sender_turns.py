"""What keeps webhooks from delaying each other: slots, turns, and work that grows with nobody."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest

from bridge.core.network.exchange import Request
from bridge.core.settings import Rate, Webhook
from bridge.engine.turns import Turns
from tests.engine.heap import Heap
from tests.engine.rig import every, webhook
from tests.fakes.clock import TickingClock
from tests.fakes.receiver import Choice, Rule, Slow

pytestmark = pytest.mark.anyio

HUNG = Slow(after=timedelta(hours=1), then=204)
QUICK = Slow(after=timedelta(milliseconds=50), then=204)


def hangs(_age: timedelta, _request: Request) -> Choice:
    return HUNG


def answers(_age: timedelta, _request: Request) -> Choice:
    return QUICK


def hooks(count: int, **settings: Any) -> list[Webhook]:
    return [webhook(f"w{n}", **settings) for n in range(1, count + 1)]


async def waits(
    rules: Sequence[Rule], seconds: int, healthy: int, **wiring: Any
) -> list[float]:
    """Give each webhook an event a second; return how long the healthy ones waited, sorted."""
    heap = Heap(rules)
    async with heap.sender(hooks(len(rules)), **wiring):
        for _ in range(seconds):
            for number in range(1, len(rules) + 1):
                heap.pile.add(number)
            await anyio.sleep(1.0)
        await anyio.sleep(5.0)
    posted = [
        p.at - heap.pile.born[int(p.id.replace("-", ""), 16)]
        for receiver in heap.receivers[:healthy]
        for p in receiver.posted
    ]
    assert len(posted) == healthy * seconds
    return sorted(posted)


@pytest.mark.timeout(120)
async def test_300_webhooks_that_hang_delay_none_of_700_others() -> None:
    # With half of the slots, so that the 300 want more than their share after three seconds.
    clean = await waits([answers] * 700, 8, 700, slots=2048)
    beside = await waits([answers] * 700 + [hangs] * 300, 8, 700, slots=2048)
    p99 = int(0.99 * len(clean))
    assert beside[p99] <= 1.5 * clean[p99] + 1e-3
    assert beside[-1] <= 0.1


async def test_even_with_few_slots_everyone_always_has_one() -> None:
    beside = await waits([answers] * 20 + [hangs] * 10, 20, 20, slots=64)
    assert beside[-1] <= 0.1


async def test_all_together_never_make_more_attempts_than_there_are_slots() -> None:
    heap = Heap([hangs] * 20)
    most = 0
    async with heap.sender(hooks(20), slots=16):
        for number in range(1, 21):
            for _ in range(20):
                heap.pile.add(number)
        for _ in range(200):
            await anyio.sleep(1.0)
            most = max(most, sum(receiver.open for receiver in heap.receivers))
    assert most == 16
    assert all(receiver.posted for receiver in heap.receivers)


async def test_webhooks_with_a_backlog_take_turns() -> None:
    heap = Heap([answers] * 4)
    async with heap.sender(hooks(4), slots=4):
        for number in range(1, 5):
            for _ in range(100):
                heap.pile.add(number)
        await anyio.sleep(2.5)
    counts = [len(receiver.posted) for receiver in heap.receivers]
    assert min(counts) > 0
    assert max(counts) - min(counts) <= 8


async def test_all_that_waited_is_sent_when_slots_are_free_again() -> None:
    def first_hangs(age: timedelta, _request: Request) -> Choice:
        return HUNG if age < timedelta(seconds=20) else 204

    heap = Heap([first_hangs] * 10)
    async with heap.sender(hooks(10, retry=every(5)), slots=10):
        ids = [heap.pile.add(number) for number in range(1, 11) for _ in range(30)]
        await anyio.sleep(900)
    assert sorted(id_ for _, id_ in heap.pile.accepted()) == sorted(ids)


async def test_a_thousand_quiet_webhooks_cost_nothing() -> None:
    heap = Heap([answers] * 1000)
    async with heap.sender(hooks(1000)) as sender:
        await anyio.sleep(1.0)
        asked = heap.pile.claims
        for _ in range(50):
            heap.pile.add(7)
            await anyio.sleep(0.5)
        assert heap.pile.claims - asked <= 101
        assert len(heap.receivers[6].posted) == 50
        sender.nudge()
        await anyio.sleep(0.1)
        assert heap.clock.monotonic() - sender.turned < 0.2


def test_who_has_none_under_way_comes_before_who_has_some() -> None:
    class Lane:
        def __init__(self, id_: int, flying: int) -> None:
            self.id, self.flying = id_, flying

    turns = Turns(8)
    busy, idle = Lane(1, 3), Lane(2, 0)
    turns.taken = 4
    assert turns.tight
    assert not turns.may_begin(busy)
    assert turns.may_begin(idle)
    turns.taken = 8
    assert not turns.may_begin(idle)
    turns.wait(busy)
    turns.wait(idle)
    assert turns.next() is None
    turns.taken = 7
    assert turns.next() == 2
    assert turns.next() is None
    turns.taken = 3
    assert turns.next() == 1
    assert not turns.waiting


# Rates


def windows(moments: Sequence[float], span: float) -> int:
    """Return the most of these moments that any window of a span holds."""
    ends = [bisect_left(moments, a + span - 1e-9) for a in moments]
    return max(end - begin for begin, end in enumerate(ends))


@pytest.mark.parametrize("rate", [0.5, 3.0, 40.0])
async def test_a_rate_holds_exactly_over_one_and_sixty_seconds(rate: float) -> None:
    heap = Heap([answers])
    async with heap.sender(hooks(1, rate=Rate(per_second=rate), concurrency=64)):
        for _ in range(int(100 * rate)):
            heap.pile.add(1)
        await anyio.sleep(90)
    moments = [posted.at for posted in heap.receivers[0].posted]
    for span in (1.0, 60.0):
        assert windows(moments, span) <= rate * span + 1
    assert len(moments) >= 0.99 * 90 * rate


@pytest.mark.parametrize("rate", [1000.0, 100_000.0])
async def test_a_moment_that_passes_while_it_is_planned_is_not_forgotten(
    rate: float,
) -> None:
    heap = Heap([lambda _age, _request: 204], TickingClock(0.05 / rate))
    async with heap.sender(hooks(1, rate=Rate(per_second=rate), concurrency=16)):
        for _ in range(400):
            heap.pile.add(1)
        await anyio.sleep(60.0)
    assert len(heap.receivers[0].posted) == 400


async def test_retries_and_probes_count_for_the_rate() -> None:
    heap = Heap([lambda age, _r: 500 if age < timedelta(seconds=40) else 204])
    hook = hooks(1, rate=Rate(per_second=2.0), concurrency=8, retry=every(0.1))
    async with heap.sender(hook):
        for _ in range(30):
            heap.pile.add(1)
        await anyio.sleep(120)
    moments = [posted.at for posted in heap.receivers[0].posted]
    assert min(b - a for a, b in pairwise(moments)) >= 0.5 - 1e-6
    assert len(heap.pile.accepted()) == 30


async def test_a_test_takes_its_turn_of_the_rate() -> None:
    heap = Heap([answers])
    async with heap.sender(hooks(1, rate=Rate(per_second=1.0))) as sender:
        for _ in range(5):
            heap.pile.add(1)
        await anyio.sleep(0.5)
        begun = heap.clock.monotonic()
        assert await sender.turn(1, patience=30.0)
        trial = heap.clock.monotonic()
        assert trial > begun
        await anyio.sleep(20)
        moments = sorted([trial, *(posted.at for posted in heap.receivers[0].posted)])
        assert len(moments) == 6
        assert min(b - a for a, b in pairwise(moments)) >= 1.0 - 1e-6


async def test_a_test_does_not_wait_for_ever() -> None:
    heap = Heap([answers])
    async with heap.sender(hooks(1, rate=Rate(per_second=0.01))) as sender:
        assert await sender.turn(1, patience=30.0)
        begun = heap.clock.monotonic()
        assert not await sender.turn(1, patience=30.0)
        assert heap.clock.monotonic() - begun <= 30.0
        assert not await sender.turn(99, patience=30.0)


class Till:
    """A purse, as the database is one: it outlasts a run."""

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.tat: dict[str, float] = {}

    async def chunk(self, key: str, length: timedelta) -> timedelta:
        await anyio.sleep(0.002)
        now = self.heap.clock.monotonic()
        begin = max(0.0, self.tat.get(key, now) - now)
        self.tat[key] = now + begin + length.total_seconds()
        await anyio.sleep(0.002)
        return timedelta(seconds=begin)


@pytest.mark.parametrize("rate", [0.5, 3.0, 40.0])
async def test_a_rate_holds_over_restarts(rate: float) -> None:
    heap = Heap([answers])
    till = Till(heap)
    hook = hooks(1, rate=Rate(per_second=rate), concurrency=64)
    for _ in range(int(200 * rate)):
        heap.pile.add(1)
    for seconds in (7.3, 1.01, 0.2, 3.7, 60.0, 2.13, 20.0):
        async with heap.sender(hook, purse=till):
            await anyio.sleep(seconds)
    moments = [posted.at for posted in heap.receivers[0].posted]
    for span in (1.0, 60.0):
        assert windows(moments, span) <= rate * span + 1
    assert len(moments) >= 0.85 * 94 * rate - 7


async def test_a_paid_rate_is_used_to_the_full() -> None:
    heap = Heap([answers])
    hook = hooks(1, rate=Rate(per_second=50.0), concurrency=64)
    async with heap.sender(hook, purse=Till(heap)):
        for _ in range(3500):
            heap.pile.add(1)
        await anyio.sleep(61)
    moments = [p.at for p in heap.receivers[0].posted if p.at >= 1.0]
    assert 0.99 * 3000 <= len(moments) <= 3001


# Replays


async def test_replays_have_half_of_the_slots_while_live_ones_wait() -> None:
    heap = Heap([lambda _a, _r: Slow(after=timedelta(seconds=1), then=204)])
    manual: set[int] = set()
    async with heap.sender(hooks(1, concurrency=8)):
        for _ in range(100):
            manual.add(heap.pile.add(1, manual=True))
            heap.pile.add(1)
        await anyio.sleep(20)
    sent = [int(p.id.replace("-", ""), 16) in manual for p in heap.receivers[0].posted]
    assert 0.4 <= sum(sent[:100]) / 100 <= 0.5


async def test_a_pause_between_payments_ends() -> None:
    heap = Heap([lambda age, _r: 429 if age < timedelta(seconds=3) else 204])
    hook = hooks(1, rate=Rate(per_second=1000.0), retry=every(1))
    async with heap.sender(hook, purse=Till(heap)):
        for _ in range(50):
            heap.pile.add(1)
            await anyio.sleep(0.1)
        await anyio.sleep(60)
    assert len(heap.pile.accepted()) == 50
