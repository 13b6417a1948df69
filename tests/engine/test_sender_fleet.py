"""What a sender makes of what other replicas, and people at other replicas, have done."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from bridge.core.delivering.delivery import Condition, WebhookState
from bridge.core.delivering.health import Health
from bridge.core.delivering.standing import Breaker
from bridge.core.network.exchange import Request, Response
from bridge.engine.sender import Sender
from tests.engine.heap import Heap
from tests.engine.rig import every, webhook
from tests.fakes.receiver import Choice, Slow

pytestmark = pytest.mark.anyio

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def answers(choice: Choice) -> Callable[[timedelta, Request], Choice]:
    return lambda _age, _request: choice


def shut(heap: Heap, seconds: float) -> WebhookState:
    """Return the webhook as a receiver's Retry-After at another replica has left it."""
    return replace(heap.state(1), gate=timedelta(seconds=seconds), why="Retry-After")


def stands(sender: Sender) -> tuple[Breaker, int]:
    standing = sender.standing(1)
    assert standing is not None
    return standing.breaker, standing.concurrency


async def test_a_gate_of_another_replica_holds_here_and_is_never_shortened() -> None:
    heap = Heap([answers(204)])
    async with heap.sender([webhook("w1")]) as sender:
        await anyio.sleep(1)
        sender.heed({1: shut(heap, 600)}, 2)
        heap.pile.add(1)
        await anyio.sleep(100)
        sender.heed({1: shut(heap, 30)}, 2)
        await anyio.sleep(100)
        sender.heed({}, 2)
        await anyio.sleep(390)
        assert not heap.receivers[0].posted
        await anyio.sleep(20)
    assert heap.receivers[0].posted[0].at >= 601


async def test_what_an_answer_notes_never_says_less_than_the_gate_that_holds() -> None:
    heap = Heap([answers(Slow(after=timedelta(seconds=2), then=500))])
    async with heap.sender([webhook("w1")]) as sender:
        heap.pile.add(1)
        await anyio.sleep(1)
        sender.heed({1: shut(heap, 600)}, 2)
        await anyio.sleep(5)
    (state,) = (one.webhook for _, one in heap.pile.settled)
    assert state is not None
    assert state.gate is not None
    assert state.gate.total_seconds() == pytest.approx(599, abs=0.1)


async def test_a_throttle_here_is_told_even_where_another_gate_is_longer() -> None:
    heap = Heap([answers(204)])
    asks = Response(status=429, headers={"retry-after": "10"}, received_at=heap.clock.now())
    heap.receivers[0].rule = answers(Slow(after=timedelta(seconds=2), then=asks))
    async with heap.sender([webhook("w1")]) as sender:
        heap.pile.add(1)
        await anyio.sleep(1)
        sender.heed({1: shut(heap, 600)}, 2)
        await anyio.sleep(5)
    (state,) = (one.webhook for _, one in heap.pile.settled)
    assert state is not None
    assert state.gate is not None
    assert state.gate.total_seconds() > 590


async def test_a_breaker_that_another_replica_has_opened_is_open_here() -> None:
    heap = Heap([answers(Slow(after=timedelta(seconds=1), then=500))])
    async with heap.sender([webhook("w1", retry=every(1))]) as sender:
        broken = replace(shut(heap, 5), health=Health(open=True, streak=1, failing=HOUR))
        sender.heed({1: broken}, 2)
        assert stands(sender) == (Breaker.OPEN, 1)
        for _ in range(20):
            heap.pile.add(1)
        await anyio.sleep(12)
        assert heap.receivers[0].most_open == 1
        assert len(heap.receivers[0].posted) <= 4


async def test_a_breaker_that_another_replica_has_closed_lets_one_at_a_time_go() -> None:
    heap = Heap([answers(500)])
    async with heap.sender([webhook("w1", concurrency=8, retry=every(1))]) as sender:
        for _ in range(20):
            heap.pile.add(1)
        await anyio.sleep(10)
        assert stands(sender)[0] is Breaker.OPEN
        sender.heed({1: replace(heap.state(1), health=Health(open=True, streak=1))}, 2)
        sender.heed({}, 2)
        assert stands(sender) == (Breaker.CLOSED, 1)


async def test_a_pause_that_somebody_asked_another_replica_for_holds_here() -> None:
    heap = Heap([answers(204)])
    async with heap.sender([webhook("w1")]) as sender:
        sender.heed({1: replace(heap.state(1), condition=Condition.PAUSED)}, 2)
        heap.pile.add(1)
        await anyio.sleep(1000)
        assert not heap.receivers[0].posted
        sender.heed({}, 2)
        await anyio.sleep(0.5)
        assert len(heap.pile.accepted()) == 1


async def test_what_is_resumed_elsewhere_does_not_wait_for_what_we_remember() -> None:
    heap = Heap([answers(500)])
    async with heap.sender([webhook("w1", retry=every(1))]) as sender:
        for _ in range(20):
            heap.pile.add(1)
        await anyio.sleep(1000)
        sender.heed({1: replace(heap.state(1), condition=Condition.DISABLED)}, 2)
        heap.receivers[0].rule = answers(204)
        await anyio.sleep(1)
        heap.pile.gates.clear()
        sender.heed({}, 2)
        await anyio.sleep(1.5)
        # All but the last probe, which waits for its own moment.
        assert len(heap.pile.accepted()) >= 19


async def test_what_another_replica_gets_accepted_ends_our_streak() -> None:
    heap = Heap([answers(500)])
    hook = webhook("w1", retry=every(600), disable_after=DAY)
    async with heap.sender([hook]) as sender:
        heap.pile.add(1)
        for _ in range(4 * 24):
            failing = replace(heap.state(1), health=Health(streak=1, failing=HOUR))
            sender.heed({1: failing}, 2)
            sender.heed({1: replace(heap.state(1), health=Health(streak=1))}, 2)
            await anyio.sleep(HOUR.total_seconds())
        assert sender.conditions() == {"w1": Condition.ACTIVE}
    assert "webhook failing" not in heap.log.phrases("warning")


async def test_a_streak_that_another_replica_saw_begin_is_as_old_here() -> None:
    heap = Heap([answers(500)])
    hook = webhook("w1", retry=every(600), disable_after=timedelta(days=10))
    async with heap.sender([hook]) as sender:
        health = Health(streak=7, failing=timedelta(days=8), failures=30, told=70)
        sender.heed({1: replace(heap.state(1), health=health)}, 2)
        heap.pile.add(1)
        await anyio.sleep((2 * DAY + HOUR).total_seconds())
        assert sender.conditions() == {"w1": Condition.DISABLED}
    shares = [f.get("share") for _, word, f in heap.log.lines if word == "webhook failing"]
    assert shares == [90]
    told = [one.webhook.health for _, one in heap.pile.settled if one.webhook]
    assert {health.streak for health in told} == {7}
