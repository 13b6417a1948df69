"""What a batch waits for, live: found out while there is rate to spare, then used."""

from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from bridge.core.ladder import State
from bridge.core.network.exchange import Request, Response
from bridge.core.pacing.report import SourceReport
from bridge.core.settings import Rate
from bridge.simulator.switches import BatchWait, Holding
from tests.engine.rig import Engine, Rig, source, webhook

pytestmark = pytest.mark.anyio

LUMA = "aimlapi-luma"
TEN = Rate(per_second=10.0)
ENDS = webhook(states=frozenset({State.COMPLETED, State.FAILED}))


def report(engine: Engine) -> SourceReport:
    return engine.supervisor.pollers()[0].report()


def waiting(rig: Rig) -> list[tuple[float, list[str]]]:
    """The batches that were asked to wait: when, and about whom."""
    found = []
    for at, request in rig.upstream.sent:
        query = parse_qs(urlsplit(request.url).query)
        if "state" in query and "generation_ids[]" in query:
            found.append((at, query["generation_ids[]"]))
    return found


async def come_and_go(
    rig: Rig, engine: Engine, seconds: int, *, gap: float = 2.0, median: float = 40.0
) -> dict[str, float]:
    """Have jobs begin one after the other; return when each ends."""
    random, ends = Random(3), {}
    for _ in range(int(seconds / gap)):
        lasts = median * random.lognormvariate(0.0, 0.5)
        id_ = rig.upstream.add(LUMA, script=(("dreaming", lasts), ("completed", None)))
        ends[id_] = anyio.current_time() + lasts
        await engine.watch(LUMA, id_)
        await anyio.sleep(gap)
    return ends


@pytest.mark.parametrize(
    ("wait", "known"),
    [(BatchWait.NOBODY, "none"), (BatchWait.ANY, "any"), (BatchWait.ALL, "all")],
)
async def test_what_a_batch_waits_for_is_found_out_and_shown(
    wait: BatchWait, known: str
) -> None:
    rig = Rig()
    rig.upstream.switch(LUMA, batch_wait=wait)
    async with rig.engine([source(rig.upstream, rate=TEN)], [ENDS]) as engine:
        assert report(engine).batch_waits == "unknown"
        ends = await come_and_go(rig, engine, 1200)
        assert report(engine).batch_waits == known
        await anyio.sleep(200)
    assert all(rig.told(id_) == ["completed"] for id_ in ends)
    phrase = "it is known what a batch waits for"
    assert rig.log.phrases("info").count(phrase) == 1


async def test_only_batches_that_wait_for_any_are_held() -> None:
    counts = {}
    for wait in BatchWait:
        rig = Rig()
        rig.upstream.switch(LUMA, batch_wait=wait)
        async with rig.engine([source(rig.upstream, rate=TEN)], [ENDS]) as engine:
            await come_and_go(rig, engine, 1500)
            known = anyio.current_time() - 300
            counts[wait] = sum(at > known for at, _ in waiting(rig))
    assert counts[BatchWait.NOBODY] == counts[BatchWait.ALL] == 0
    assert counts[BatchWait.ANY] > 20


async def test_more_than_there_are_connections_for_are_held_and_seen_at_once() -> None:
    rig = Rig()
    rig.upstream.switch(LUMA, batch_wait=BatchWait.ANY)
    few = source(rig.upstream, rate=TEN, max_connections=40)
    async with rig.engine([few], [ENDS]) as engine:
        await come_and_go(rig, engine, 600, gap=4.0)
        assert report(engine).batch_waits == "any"
        ends = await come_and_go(rig, engine, 300, gap=1.0, median=120.0)
        watching = report(engine).watching
        assert report(engine).mode == "hold all"
        await anyio.sleep(600)
    late = [
        post.at - ends[post.document["data"]["generation_id"]]
        for post in rig.receiver.accepted
        if post.document["data"]["generation_id"] in ends
    ]
    assert watching > 100
    assert rig.upstream.apis.most_open <= 40
    assert len(late) == len(ends)
    assert sum(late) / len(late) < 1.0


async def test_nobody_is_held_more_often_than_once_a_second() -> None:
    rig = Rig()
    rig.upstream.switch(LUMA, batch_wait=BatchWait.ANY)
    async with rig.engine([source(rig.upstream, rate=TEN)], [ENDS]) as engine:
        await come_and_go(rig, engine, 600)
        assert report(engine).batch_waits == "any"
        since = anyio.current_time() - 200
    asked: dict[str, list[float]] = {}
    for at, ids in waiting(rig):
        if at > since:
            for id_ in ids:
                asked.setdefault(id_, []).append(at)
    gaps = [b - a for moments in asked.values() for a, b in pairwise(moments)]
    assert len(gaps) > 20
    assert min(gaps) >= 1.0 - 1e-6


async def test_a_probe_leaves_the_plain_looks_of_those_it_asks_about_alone() -> None:
    rig = Rig()
    rig.upstream.switch(LUMA, batch_wait=BatchWait.ALL, holding=Holding.HONOURED)
    script = (("dreaming", 40.0), ("completed", None))
    async with rig.engine([source(rig.upstream, rate=TEN)], [ENDS]) as engine:
        short = rig.upstream.add(LUMA, script=script)
        await engine.watch(LUMA, short)
        for _ in range(5):
            await engine.watch(LUMA, rig.upstream.add(LUMA, script=(("dreaming", None),)))
        await anyio.sleep(120)
    assert any(short in ids for _, ids in waiting(rig))
    (post,) = [post for post in rig.receiver.accepted if rig.told(short)][:1]
    assert post.at < 43


async def test_a_key_that_is_busy_is_not_probed() -> None:
    rig = Rig()
    busy = source(rig.upstream, rate=Rate(per_second=1.0), able={"batch": 2})
    async with rig.engine([busy], [ENDS]) as engine:
        ids = [rig.upstream.add(LUMA, script=(("dreaming", None),)) for _ in range(400)]
        await engine.watch(LUMA, *ids)
        await anyio.sleep(120)
        assert report(engine).batch_waits == "unknown"
    assert waiting(rig) == []


class RejectsWaiting:
    """An Http whose API rejects batches that are asked to wait."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.rejected = 0

    async def send(self, request: Request, **limits: Any) -> Any:
        answer = await self.rig.upstream.send(request, **limits)
        if "state=" not in request.url or "generation_ids" not in request.url:
            return answer
        self.rejected += 1
        return Response(status=400, body=b"{}", received_at=self.rig.clock.now())


async def test_a_wait_word_that_is_rejected_leaves_plain_batches_as_they_are() -> None:
    rig = Rig()
    rejects = rig.network.hosts["upstream.example"] = RejectsWaiting(rig)
    async with rig.engine([source(rig.upstream, rate=TEN)], [ENDS]) as engine:
        ids = [rig.upstream.add(LUMA, script=(("dreaming", None),)) for _ in range(20)]
        await engine.watch(LUMA, *ids)
        await anyio.sleep(300)
        assert report(engine).batch_waits == "none"
        assert report(engine).standing == "working"
    assert rejects.rejected == 3
    phrase = "the source rejects a way of asking: without it for now"
    assert phrase not in rig.log.phrases("warning")


async def test_batches_that_do_not_wait_any_more_are_plain_again_and_lose_nobody() -> None:
    rig = Rig()
    rig.upstream.switch(LUMA, batch_wait=BatchWait.ANY)
    async with rig.engine([source(rig.upstream, rate=TEN)], [ENDS]) as engine:
        before = await come_and_go(rig, engine, 700)
        assert report(engine).batch_waits == "any"
        rig.upstream.switch(LUMA, batch_wait=BatchWait.NOBODY)
        after = await come_and_go(rig, engine, 300)
        assert report(engine).batch_waits == "unknown"
        await anyio.sleep(900)
    assert all(rig.told(id_) == ["completed"] for id_ in [*before, *after])
    assert "a batch does not wait any more" in rig.log.phrases("warning")


@pytest.mark.parametrize("holding", [Holding.CUT, Holding.GATEWAY_TIMEOUT])
async def test_held_batches_that_are_cut_at_the_limit_are_no_trouble(
    holding: Holding,
) -> None:
    rig = Rig()
    rig.upstream.switch(LUMA, batch_wait=BatchWait.ANY, holding=holding)
    async with rig.engine([source(rig.upstream, rate=TEN)], [ENDS]) as engine:
        await come_and_go(rig, engine, 1500)
        assert report(engine).batch_waits == "any"
        still = [rig.upstream.add(LUMA, script=(("dreaming", None),)) for _ in range(5)]
        await engine.watch(LUMA, *still, deadline=timedelta(hours=1))
        await anyio.sleep(600)
        assert report(engine).standing == "working"
    assert "a batch failed" not in rig.log.phrases("warning")
