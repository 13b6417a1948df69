"""What becomes of a webhook that takes nothing: probes, what waits, the end, and who is told."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest

from bridge.core.delivering.delivery import Condition, Purpose, Status
from bridge.core.delivering.standing import Breaker
from bridge.core.network.exchange import Phase, Request, Response, Unanswered
from tests.engine.heap import Heap
from tests.engine.rig import Rig, every, source, webhook
from tests.fakes.receiver import Choice, Slow

pytestmark = pytest.mark.anyio

DONE = (("completed", None),)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def healed(
    after: timedelta, before: Choice = 500
) -> Callable[[timedelta, Request], Choice]:
    return lambda age, _request: 204 if age >= after else before


async def broken(heap: Heap, waiting: int, seconds: float, **settings: Any) -> list[int]:
    async with heap.sender([webhook("w1", **settings)]):
        ids = [heap.pile.add(1) for _ in range(waiting)]
        await anyio.sleep(seconds)
    return ids


async def test_a_dead_webhook_gets_one_probe_at_a_time() -> None:
    slow = Slow(after=timedelta(seconds=2), then=500)
    heap = Heap([lambda _a, _r: slow])
    await broken(heap, 500, 500)
    receiver = heap.receivers[0]
    probes = [posted.at for posted in receiver.posted if posted.at > 10]
    assert all(b - a >= 2.0 for a, b in pairwise(probes))
    assert 50 <= len(probes) <= 90
    assert receiver.posted[8].at - receiver.posted[7].at <= 4


async def test_probes_are_of_different_deliveries_and_use_no_step() -> None:
    heap = Heap([lambda _a, _r: 500])
    await broken(heap, 500, 200)
    probes = [
        one
        for _, one in heap.pile.settled
        if one.attempt is not None and one.attempt.particulars.purpose is Purpose.PROBE
    ]
    assert len(probes) > 20
    assert not any(one.step for one in probes)
    assert len({one.delivery.id for one in probes}) == len(probes)


async def test_100_000_waiting_deliveries_cost_nothing() -> None:
    def rule(age: timedelta, _request: Request) -> Choice:
        heals = age >= timedelta(seconds=100)
        return Slow(after=timedelta(milliseconds=500), then=204 if heals else 500)

    heap = Heap([rule])
    async with heap.sender([webhook("w1")]) as sender:
        for _ in range(100_000):
            heap.pile.add(1)
        await anyio.sleep(90)
        touched = set(heap.pile.claimed)
        # The first ones, what was claimed behind them, and one for each probe.
        assert len(touched) <= 8 + 8 + 16 + 30
        assert heap.pile.claims <= 40
        shut = [
            one.webhook for _, one in heap.pile.settled if one.webhook and one.webhook.gate
        ]
        assert shut[-1].health.open
        standing = sender.standing(1)
        assert standing is not None
        assert (standing.breaker, standing.concurrency) == (Breaker.OPEN, 1)
        assert standing.gate is not None
        await anyio.sleep(20)
        assert sender.standing(1) is not None
        assert len(heap.pile.accepted()) > 3
    states = [one.webhook for _, one in heap.pile.settled if one.webhook]
    opened = [a.health.open for a in states]
    assert sum(a is not b for a, b in pairwise(opened)) == 2


@pytest.mark.parametrize("waiting", [2, 500])
@pytest.mark.parametrize("heals", [31.7, 300.01, 590.0])
async def test_whoever_listens_again_gets_the_first_delivery_within_a_second(
    waiting: int, heals: float
) -> None:
    refused = Unanswered(phase=Phase.CONNECT, reason="connection refused")
    heap = Heap([healed(timedelta(seconds=heals), refused)])
    await broken(heap, waiting, heals + 1.0, retry=every(2))
    assert heap.receivers[0].accepted[0].at - heals <= 1.0
    before = [posted.at for posted in heap.receivers[0].posted if 20 < posted.at < heals]
    assert all(b - a >= 0.6 for a, b in pairwise(before))


async def test_what_waits_behind_an_open_breaker_outlives_its_own_schedule() -> None:
    heap = Heap([healed(4 * DAY + HOUR)])
    ids = await broken(heap, 40, (4 * DAY + 2 * HOUR).total_seconds())
    assert sorted(id_ for _, id_ in heap.pile.accepted()) == ids
    first = heap.pile.accepted()[0][0]
    assert first - (4 * DAY + HOUR).total_seconds() <= 6 * 60 + 1


async def test_after_it_has_closed_one_at_a_time_becomes_more() -> None:
    def rule(age: timedelta, _request: Request) -> Choice:
        if age < timedelta(seconds=20):
            return 500
        return Slow(after=timedelta(seconds=1), then=204)

    heap = Heap([rule])
    async with heap.sender([webhook("w1", concurrency=8)]):
        for _ in range(200):
            heap.pile.add(1)
        await anyio.sleep(30)
        receiver = heap.receivers[0]
        receiver.most_open = 0
        early = [posted.at for posted in receiver.posted if posted.at >= 20]
        assert all(b - a >= 1.0 - 1e-6 for a, b in pairwise(early[:4]))
        await anyio.sleep(60)
        assert receiver.most_open == 8


async def test_one_failure_opens_what_was_half_open() -> None:
    answers = iter([500] * 12 + [204, 204, 500] + [500] * 1000)
    heap = Heap([lambda _a, _r: next(answers)])
    async with heap.sender([webhook("w1", concurrency=1)]) as sender:
        for _ in range(100):
            heap.pile.add(1)
        await anyio.sleep(30)
        standing = sender.standing(1)
    assert standing is not None
    assert standing.breaker is Breaker.OPEN
    assert len(heap.pile.accepted()) == 2


async def test_a_message_that_nobody_likes_does_not_open_it() -> None:
    heap = Heap([lambda _a, _r: 422])
    async with heap.sender([webhook("w1", retry=every(1))]) as sender:
        for _ in range(9):
            heap.pile.add(1)
        await anyio.sleep(60)
        standing = sender.standing(1)
        assert standing is not None
        assert standing.breaker is Breaker.CLOSED
        heap.pile.add(1)
        await anyio.sleep(1)
        standing = sender.standing(1)
        assert standing is not None
        assert standing.breaker is Breaker.OPEN


async def test_our_own_failures_neither_open_it_nor_use_a_step() -> None:
    ours = Unanswered(phase=Phase.LOCAL, reason="no descriptor")
    heap = Heap([healed(10 * MINUTE, ours)])
    await broken(heap, 30, 660, retry=every(1, times=3))
    assert len(heap.pile.accepted()) == 30
    assert "breaker opened" not in heap.log.phrases("warning")


async def test_a_dead_webhook_delays_nobody() -> None:
    heap = Heap([lambda _a, _r: 500, lambda _a, _r: 204])
    async with heap.sender([webhook("w1"), webhook("w2")]):
        for _ in range(1000):
            heap.pile.add(1)
        for _ in range(60):
            heap.pile.add(2)
            await anyio.sleep(1)
    waits = [
        posted.at - heap.pile.born[int(posted.id.replace("-", ""), 16)]
        for posted in heap.receivers[1].posted
    ]
    assert len(waits) == 60
    assert max(waits) <= 0.05


async def test_of_a_webhook_whose_first_attempts_end_alike_people_hear_once() -> None:
    wrong = Response(status=401, received_at=Heap([]).clock.now())
    heap = Heap([lambda _a, _r: wrong, healed(MINUTE, 401), lambda _a, _r: 429])
    async with heap.sender([webhook(f"w{n}", retry=every(1)) for n in (1, 2, 3)]):
        for number in (1, 2, 3):
            heap.pile.add(number)
        heap.pile.add(2)
        await anyio.sleep(30)
    alike = [f for _, word, f in heap.log.lines if word == "the first attempts end alike"]
    assert sorted(str(fields["webhook"]) for fields in alike) == ["w1", "w2"]
    assert all("http-401" in str(fields["reason"]) for fields in alike)
    assert all("send-test" in str(fields["advice"]) for fields in alike)


async def test_a_webhook_that_has_accepted_is_not_told_of_as_if_it_were_new() -> None:
    answers = iter([204] + [401] * 1000)
    heap = Heap([lambda _a, _r: next(answers)])
    async with heap.sender([webhook("w1", retry=every(1), concurrency=1)]):
        for _ in range(5):
            heap.pile.add(1)
        await anyio.sleep(30)
    assert "the first attempts end alike" not in heap.log.phrases("warning")


# In the store


async def fail_for(rig: Rig, count: int, seconds: float, **settings: Any) -> list[str]:
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(count)]
    async with rig.engine([source(rig.upstream)], [webhook(**settings)]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(seconds)
    return ids


async def test_a_restart_goes_on_probing_at_once() -> None:
    rig = Rig(rules={"studio": healed(timedelta(seconds=3000))})
    ids = await fail_for(rig, 30, 3000)
    states = await rig.store.webhooks(["name:studio"])
    assert states["name:studio"].health.open
    assert states["name:studio"].gate is not None
    rig.restart()
    began = anyio.current_time()
    async with rig.engine([source(rig.upstream)], [webhook()]):
        # The last probe before the restart waits for its own moment, five minutes at most.
        await anyio.sleep(400)
    assert rig.receiver.accepted[0].at - began <= 1.0
    assert len({posted.id for posted in rig.receiver.accepted}) == len(ids)


async def test_a_pause_that_the_receiver_asked_for_outlasts_a_restart() -> None:
    rig = Rig()

    def rule(age: timedelta, _request: Request) -> Choice:
        if age < timedelta(seconds=60):
            return 500
        wait = {"retry-after": "600"}
        asks = Response(status=429, headers=wait, received_at=rig.clock.now())
        return asks if age < timedelta(seconds=120) else 204

    rig.receiver.rule = rule
    await fail_for(rig, 30, 110)
    asked = rig.posts()[-1].at
    rig.restart()
    async with rig.engine([source(rig.upstream)], [webhook()]):
        await anyio.sleep(1000)
    assert len(rig.receiver.accepted) == 30
    assert rig.receiver.accepted[0].at >= asked + 600


async def test_a_streak_goes_on_over_restarts_until_the_webhook_is_switched_off() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: 500, "team": lambda _a, _r: 204})
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(30)]
    hooks = [webhook(alerts="team"), webhook("team", states=frozenset())]
    for run in range(7):
        async with rig.engine([source(rig.upstream)], hooks) as engine:
            if run == 0:
                await engine.watch("aimlapi-luma", *ids)
            await anyio.sleep(DAY.total_seconds() * 0.9)
        rig.restart()
    state = (await rig.store.webhooks(["name:studio"]))["name:studio"]
    assert state.condition is Condition.DISABLED
    assert state.why is not None
    assert "nothing was accepted for 5d" in state.why
    last = rig.posts("studio")[-1].at
    assert 5 * 86400 <= last <= 5 * 86400 + 400
    assert (await rig.store.census()).pending == 30
    assert told(rig) == [
        ("webhook.failing", 50),
        ("webhook.failing", 70),
        ("webhook.failing", 90),
        ("webhook.disabled", None),
    ]
    assert len({posted.id for posted in rig.posts("team")}) == 4


async def test_a_webhook_that_throttles_for_ever_is_switched_off_as_well() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: 429, "team": lambda _a, _r: 204})
    hooks = [webhook(alerts="team"), webhook("team", states=frozenset())]
    id_ = rig.upstream.add("aimlapi-luma", script=DONE)
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep((5 * DAY + HOUR).total_seconds())
        standing = engine.sender.standing(engine.webhooks[0])
        assert standing is not None
        assert standing.breaker is Breaker.CLOSED
    state = (await rig.store.webhooks(["name:studio"]))["name:studio"]
    assert state.condition is Condition.DISABLED
    assert "429" in str(state.why)
    assert (await rig.store.census()).pending == 1
    assert [share for _, share in told(rig)] == [50, 70, 90, None]
    last = rig.posts("studio")[-1].at
    assert 5 * 86400 <= last <= 5 * 86400 + 400


async def test_one_accepted_delivery_makes_up_for_days_of_throttles() -> None:
    def rule(age: timedelta, _request: Request) -> Choice:
        return 204 if 3 * DAY <= age < 3 * DAY + HOUR else 429

    rig = Rig(rules={"studio": rule, "team": lambda _a, _r: 204})
    hooks = [webhook(alerts="team"), webhook("team", states=frozenset())]
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        for days in (3.5, 3.0):
            id_ = rig.upstream.add("aimlapi-luma", script=DONE)
            await engine.watch("aimlapi-luma", id_)
            await anyio.sleep((days * DAY).total_seconds())
    state = (await rig.store.webhooks(["name:studio"]))["name:studio"]
    assert state.condition is Condition.ACTIVE
    # The second streak is its own: people hear of its first half once more.
    assert told(rig) == [
        ("webhook.failing", 50),
        ("webhook.recovered", None),
        ("webhook.failing", 50),
    ]


def told(rig: Rig, name: str = "team") -> list[tuple[str, Any]]:
    documents = [posted.document for posted in rig.receivers[name].accepted]
    return [(one["type"], one["data"]["share"]) for one in documents]


async def test_a_webhook_that_says_410_is_switched_off_within_one_attempt() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: 410, "team": lambda _a, _r: 204})
    hooks = [
        webhook(alerts="team", concurrency=1),
        webhook("team", states=frozenset()),
    ]
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(5)]
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(HOUR.total_seconds())
        studio = engine.webhooks[0]
        assert not engine.sender.sends_to(studio)
    assert len(rig.posts("studio")) == 1
    assert (await rig.store.census()).pending == 5
    assert told(rig) == [("webhook.disabled", None)]


async def test_a_webhook_that_is_resumed_gets_all_that_it_missed_and_people_hear_of_it() -> (
    None
):
    rig = Rig(
        rules={"studio": lambda age, _r: 410 if age < HOUR else 204, "team": healed(MINUTE)}
    )
    hooks = [
        webhook(alerts="team", concurrency=1),
        webhook("team", states=frozenset(), retry=every(30)),
    ]
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(5)]
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(HOUR.total_seconds())
        states = await rig.store.webhooks(["name:studio"])
        opened = replace(
            states["name:studio"], condition=Condition.ACTIVE, why=None, gate=None
        )
        await rig.store.set_webhook(opened)
        engine.sender.set_standing(opened)
        await anyio.sleep(60)
    assert all(rig.told(id_, "studio") == ["completed"] for id_ in ids)
    assert told(rig) == [("webhook.disabled", None), ("webhook.recovered", None)]


async def test_people_hear_that_a_webhook_has_recovered_if_they_heard_of_its_failing() -> (
    None
):
    rig = Rig(rules={"studio": healed(3 * DAY), "team": lambda _a, _r: 204})
    hooks = [webhook(alerts="team"), webhook("team", states=frozenset())]
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(12)]
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep((3 * DAY + HOUR).total_seconds())
    assert told(rig) == [("webhook.failing", 50), ("webhook.recovered", None)]
    assert len(rig.receivers["studio"].accepted) == 12
    assert "webhook recovered" in rig.log.phrases("info")


async def test_deliveries_given_up_are_told_once_an_hour_with_their_number() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: 418, "team": lambda _a, _r: 204})
    hooks = [
        webhook(alerts="team", retry=every(600, times=0)),
        webhook("team", states=frozenset()),
    ]
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        for _ in range(7):
            await engine.watch(
                "aimlapi-luma", rig.upstream.add("aimlapi-luma", script=DONE)
            )
            await anyio.sleep(600)
    counts = [posted.document["data"]["count"] for posted in rig.receivers["team"].accepted]
    assert counts == [1, 3]
    assert rig.log.phrases("error").count("delivery given up") == 7


async def test_a_forbidden_address_is_told_once() -> None:
    forbidden = Unanswered(phase=Phase.GUARD, reason="10.0.0.7 is a private address")
    rig = Rig(rules={"studio": lambda _a, _r: forbidden, "team": lambda _a, _r: 204})
    hooks = [webhook(alerts="team", retry=every(5)), webhook("team", states=frozenset())]
    ids = [rig.upstream.add("aimlapi-luma", script=DONE) for _ in range(3)]
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(1000)
    assert told(rig) == [("webhook.forbidden", None)]
    assert "forbidden" not in json.dumps(rig.receivers["team"].accepted[0].document["data"])


async def test_the_failure_of_an_operational_event_raises_none() -> None:
    rig = Rig(rules={"studio": lambda _a, _r: 410, "team": lambda _a, _r: 410})
    hooks = [
        webhook(alerts="team"),
        webhook("team", alerts="third", states=frozenset()),
        webhook("third", states=frozenset()),
    ]
    rig.network.hosts["third.example"] = rig.receivers["studio"]
    (id_,) = (rig.upstream.add("aimlapi-luma", script=DONE),)
    async with rig.engine([source(rig.upstream)], hooks) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(1000)
    types = [posted.document["type"] for posted in rig.posts("studio")]
    assert types == ["generation.completed"]
    assert [p.document["type"] for p in rig.posts("team")] == ["webhook.disabled"]


async def test_a_pause_holds_back_everything_at_once_and_resuming_sends_it_in_order() -> (
    None
):
    heap = Heap([lambda _a, _r: Slow(after=timedelta(seconds=1), then=204)])
    async with heap.sender([webhook("w1", concurrency=2)]) as sender:
        ids = [heap.pile.add(1) for _ in range(10)]
        await anyio.sleep(0.5)
        paused = replace(
            heap.state(1), condition=Condition.PAUSED, why="somebody asked for it"
        )
        sender.set_standing(paused)
        await anyio.sleep(100)
        assert len(heap.receivers[0].posted) == 2
        assert len(heap.pile.accepted()) == 2
        sender.set_standing(heap.state(1))
        await anyio.sleep(100)
    assert sorted(id_ for _, id_ in heap.pile.accepted()) == ids
    assert not any(one.status is Status.FAILED for _, one in heap.pile.settled)
