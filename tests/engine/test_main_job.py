"""From a provider's answer to a receiver's acceptance."""

from datetime import timedelta
from itertools import pairwise

import anyio
import pytest

from bridge.core.ladder import State
from bridge.core.network.exchange import Phase, Response, Unanswered
from bridge.core.settings import Order, Rate
from tests.engine.rig import Rig, every, source, webhook

pytestmark = pytest.mark.anyio

WALK = (("queued", 5.0), ("dreaming", 20.0), ("completed", None))


async def test_every_rung_is_told_in_order_and_the_watch_ends() -> None:
    rig = Rig()
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_, order=7)
        await anyio.sleep(60)
        assert rig.told(id_) == ["queued", "dreaming", "completed"]
        assert engine.supervisor.watching() == 0
    sequences = [posted.document["data"]["sequence"] for posted in rig.posts()]
    assert sequences == [0, 1, 2]
    assert rig.posts()[0].document["data"]["metadata"] == {"order": 7}


async def test_a_hold_tells_of_the_change_at_the_moment_it_happens() -> None:
    rig = Rig()
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(60)
    assert [round(posted.at, 1) for posted in rig.posts()] == [0.0, 5.0, 25.0]
    assert len(rig.upstream.requests) == 3


async def test_a_watch_that_waits_for_the_end_only_asks_for_the_end() -> None:
    rig = Rig()
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    ends = webhook(states=frozenset({State.COMPLETED, State.FAILED}))
    async with rig.engine([source(rig.upstream)], [ends]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(60)
    assert rig.told(id_) == ["completed"]
    assert len(rig.upstream.requests) == 1


async def test_a_rung_that_was_jumped_over_is_named_and_not_told() -> None:
    rig = Rig()
    id_ = rig.upstream.add("luma-agents", script=(("queued", 0.5), ("completed", None)))
    lumas = source(rig.upstream, "luma-agents")
    async with rig.engine([lumas], [webhook()]) as engine:
        await engine.watch("luma-agents", id_)
        await anyio.sleep(60)
    assert rig.told(id_) == ["queued", "completed"]
    data = rig.posts()[-1].document["data"]
    assert data["skipped_states"] == ["dreaming"]
    assert data["previous_state"] == "queued"


async def test_a_failed_generation_ends_every_watch() -> None:
    rig = Rig()
    id_ = rig.upstream.add("luma-agents", script=(("queued", 3.0), ("failed", None)))
    lumas = source(rig.upstream, "luma-agents")
    async with rig.engine([lumas], [webhook()]) as engine:
        await engine.watch("luma-agents", id_)
        await anyio.sleep(60)
        assert engine.supervisor.watching() == 0
    assert rig.told(id_)[-1] == "failed"
    assert rig.posts()[-1].document["data"]["failure"]["code"]


async def test_until_dreaming_ends_the_watch_at_the_first_state_that_high() -> None:
    rig = Rig()
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_, until=State.DREAMING)
        await anyio.sleep(60)
        assert engine.supervisor.watching() == 0
    assert rig.told(id_) == ["queued", "dreaming"]


async def test_an_endpoint_that_is_down_for_two_days_is_still_told() -> None:
    rig = Rig(rules={"studio": lambda age, _: 204 if age >= timedelta(days=2) else 503})
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(4 * 86400)
    assert rig.told(id_) == ["queued", "dreaming", "completed"]
    assert len({posted.id for posted in rig.posts()}) == 3


async def test_a_delivery_is_given_up_after_ten_attempts_over_three_days() -> None:
    rig = Rig(rules={"studio": lambda _age, _request: 500})
    id_ = rig.upstream.add("aimlapi-luma", script=(("completed", None),))
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(6 * 86400)
    assert len(rig.posts()) == 10
    assert [posted.headers["webhook-attempt"] for posted in rig.posts()] == [
        str(n) for n in range(1, 11)
    ]
    assert rig.posts()[-1].at > 2.4 * 86400
    assert "delivery given up" in rig.log.phrases("error")


async def test_a_later_state_waits_until_the_earlier_one_is_delivered() -> None:
    rig = Rig(
        rules={"studio": lambda age, _: 204 if age >= timedelta(seconds=100) else 500}
    )
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    slow = webhook(retry=every(10))
    async with rig.engine([source(rig.upstream)], [slow]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(90)
        assert {posted.document["type"] for posted in rig.posts()} == {"generation.queued"}
        await anyio.sleep(60)
    assert rig.told(id_) == ["queued", "dreaming", "completed"]


async def test_with_order_latest_a_newer_state_takes_the_place_of_older_ones() -> None:
    rig = Rig(
        rules={"studio": lambda age, _: 204 if age >= timedelta(seconds=100) else 500}
    )
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    latest = webhook(retry=every(40), order=Order.LATEST)
    async with rig.engine([source(rig.upstream)], [latest]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(200)
    assert rig.told(id_) == ["completed"]


async def test_a_webhook_that_hangs_delays_nobody_else() -> None:
    rig = Rig(
        rules={
            "dead": lambda _age, _request: Unanswered(
                phase=Phase.DEADLINE, reason="no answer in time"
            ),
            "studio": lambda _age, _request: 204,
        }
    )
    ids = [rig.upstream.add("aimlapi-luma", script=WALK) for _ in range(50)]
    async with rig.engine([source(rig.upstream)], [webhook("dead"), webhook()]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(60)
    for id_ in ids:
        assert rig.told(id_, "studio") == ["queued", "dreaming", "completed"]
    assert max(posted.at for posted in rig.posts("studio")) < 27


async def test_retry_after_gates_the_whole_webhook() -> None:
    def rule(age: timedelta, _request: object) -> int | Response:
        if age < timedelta(seconds=30):
            return Response(
                status=429, headers={"retry-after": "120"}, received_at=rig.clock.now()
            )
        return 204

    rig = Rig(rules={"studio": rule})
    ids = [
        rig.upstream.add("aimlapi-luma", script=(("completed", None),)) for _ in range(3)
    ]
    async with rig.engine([source(rig.upstream)], [webhook(concurrency=1)]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(300)
    assert [posted.accepted for posted in rig.posts()] == [False, True, True, True]
    assert rig.posts()[1].at >= 120
    assert sorted(p.headers["webhook-attempt"] for p in rig.posts()[1:]) == ["1", "1", "2"]


async def test_410_switches_the_webhook_off_and_holds_what_waits() -> None:
    rig = Rig(rules={"studio": lambda _age, _request: 410})
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(86400)
        census = await rig.store.census()
    assert len(rig.posts()) == 1
    assert census.pending == 3
    assert "webhook disabled" in rig.log.phrases("error")


async def test_a_rate_limit_spreads_the_posts() -> None:
    rig = Rig()
    ids = [
        rig.upstream.add("aimlapi-luma", script=(("completed", None),)) for _ in range(20)
    ]
    limited = webhook(rate=Rate(per_second=2.0))
    async with rig.engine([source(rig.upstream)], [limited]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(60)
    moments = sorted(posted.at for posted in rig.posts())
    assert len(moments) == 20
    assert all(b - a >= 0.5 - 1e-6 for a, b in pairwise(moments))


async def test_a_crash_at_any_moment_loses_nothing_and_forks_no_id() -> None:
    rig = Rig(rules={"studio": lambda age, _: 503 if int(age.total_seconds()) % 3 else 204})
    ids = [rig.upstream.add("aimlapi-luma", script=WALK) for _ in range(20)]
    sources, hooks = [source(rig.upstream)], [webhook(retry=every(1, jitter=0.2))]
    async with rig.engine(sources, hooks) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(0.4)
    for step in range(40):
        rig.restart()
        async with rig.engine(sources, hooks):
            await anyio.sleep(0.37 + 0.05 * (step % 13))
    rig.restart()
    async with rig.engine(sources, hooks):
        await anyio.sleep(120)
    for id_ in ids:
        told = rig.told(id_)
        assert sorted(set(told), key=["queued", "dreaming", "completed"].index) == list(
            dict.fromkeys(told)
        )
        assert told[-1] == "completed"
    pairs = {
        (posted.id, posted.document["data"]["generation_id"], posted.document["type"])
        for posted in rig.posts()
    }
    assert len(pairs) == len({id_ for id_, *_ in pairs}) == len({p[1:] for p in pairs})
