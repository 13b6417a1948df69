"""The ways of looking, live: holds, batches, the listing, plain looks, and what ends each."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from bridge.core.ladder import State
from bridge.core.network.exchange import Answer, Phase, Request, Response, Unanswered
from bridge.core.network.way import DIRECT, Way
from bridge.core.pacing.report import SourceReport
from bridge.core.ports import Http
from bridge.core.settings import Rate
from bridge.simulator.switches import Holding
from tests.engine.rig import Engine, Rig, source, webhook

pytestmark = pytest.mark.anyio

TEN = Rate(per_second=10.0)
STILL = (("dreaming", None),)


def report(engine: Engine) -> SourceReport:
    return engine.supervisor.pollers()[0].report()


def eighths(random: Random, median: float, sigma: float) -> float:
    """A duration that floating point adds up exactly, as simulated clocks need it."""
    return round(8 * median * random.lognormvariate(0.0, sigma)) / 8


def ids_of(request: Request) -> list[str]:
    query = parse_qs(urlsplit(request.url).query)
    return query.get("generation_ids[]", []) + query.get("generation_id", [])


def holds(rig: Rig) -> list[Request]:
    asked = [one for _, one in rig.upstream.sent if "state=" in one.url]
    return [one for one in asked if "state=queued" not in one.url]


def lateness(rig: Rig, ends: dict[str, float], tag: str = "completed") -> Iterator[float]:
    for post in rig.receiver.accepted:
        document = post.document
        if document["type"] == f"generation.{tag}":
            yield post.at - ends[document["data"]["generation_id"]]


async def many(rig: Rig, engine: Engine, name: str, count: int, script: Any) -> list[str]:
    ids = [rig.upstream.add(name, script=script) for _ in range(count)]
    await engine.watch(name, *ids)
    return ids


# -------------------------------------------------------------------- holds


async def test_every_job_that_is_held_is_caught_live_with_few_holds() -> None:
    rig, random = Rig(), Random(1)
    ends: dict[str, float] = {}
    wide = source(rig.upstream, rate=TEN, max_connections=400)
    ended = frozenset({State.COMPLETED, State.FAILED})
    async with rig.engine([wide], [webhook(states=ended)]) as engine:
        for _ in range(400):
            lasts = eighths(random, 60.0, 0.4)
            id_ = rig.upstream.add(
                "aimlapi-luma", script=(("dreaming", lasts), ("completed", None))
            )
            ends[id_] = anyio.current_time() + lasts
            await engine.watch("aimlapi-luma", id_)
            await anyio.sleep(0.5)
        assert report(engine).mode == "hold all"
        await anyio.sleep(400)
    late = list(lateness(rig, ends))
    assert len(late) == 400
    assert sum(late) / len(late) < 0.1
    assert len(holds(rig)) <= 2.9 * 400


async def test_a_hold_waits_until_one_in_fifty_has_changed() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await many(rig, engine, "aimlapi-luma", 1, STILL)
        await anyio.sleep(60)
    moments = [at for at, one in rig.upstream.sent if "state=completed" in one.url]
    # 2 % of a log-logistic law around 90 s, steepness 1.5.
    assert moments[0] == pytest.approx(90 * (0.02 / 0.98) ** (1 / 1.5), rel=0.1)


async def test_more_than_can_be_held_are_looked_at_in_batches() -> None:
    rig = Rig()
    async with rig.engine(
        [source(rig.upstream, rate=TEN, max_connections=50)], [webhook()]
    ) as engine:
        await many(rig, engine, "aimlapi-luma", 200, STILL)
        await anyio.sleep(120)
        assert report(engine).mode == "batch"
        assert rig.upstream.open == 0
    assert rig.upstream.apis.most_open <= 50


async def test_what_cannot_be_held_nor_asked_together_is_held_in_part() -> None:
    rig = Rig()
    few = source(rig.upstream, able={"batch": None}, rate=TEN, max_connections=40)
    async with rig.engine([few], [webhook()]) as engine:
        await many(rig, engine, "aimlapi-luma", 60, STILL)
        await anyio.sleep(120)
        assert report(engine).mode == "hold some"
        assert 10 <= report(engine).holds <= 36
    assert rig.upstream.apis.most_open <= 40


async def test_three_holds_that_are_cut_at_one_age_are_the_limit() -> None:
    rig = Rig()
    rig.upstream.switch("aimlapi-luma", holding=Holding.CUT, hold_limit=12.0)
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await many(rig, engine, "aimlapi-luma", 3, STILL)
        await anyio.sleep(300)
        assert report(engine).standing == "working"
    assert "holds end sooner than was told" in rig.log.phrases("info")


async def test_a_hold_that_lies_costs_a_look_a_second_at_most() -> None:
    rig = Rig()
    rig.upstream.switch("aimlapi-luma", holding=Holding.IGNORED)
    slow = source(rig.upstream, able={"batch": None, "floor": timedelta(seconds=5)})
    async with rig.engine([slow], [webhook()]) as engine:
        await many(rig, engine, "aimlapi-luma", 1, (("queued", 30.0), ("dreaming", None)))
        await anyio.sleep(120)
        assert report(engine).mode == "plain"
    assert len(holds(rig)) == 2
    assert len(rig.upstream.sent) < 30


# -------------------------------------------------------------------- batches


async def test_a_crowd_is_asked_about_together_and_each_is_told_of_its_own() -> None:
    rig, random = Rig(), Random(2)
    ends: dict[str, float] = {}
    plain = source(rig.upstream, able={"hold": None}, rate=TEN)
    async with rig.engine([plain], [webhook()]) as engine:
        for _ in range(500):
            lasts = eighths(random, 60.0, 0.5)
            id_ = rig.upstream.add(
                "aimlapi-luma", script=(("dreaming", lasts), ("completed", None))
            )
            ends[id_] = lasts
        await engine.watch("aimlapi-luma", *ends)
        await anyio.sleep(600)
        assert report(engine).mode == "batch"
    assert all(rig.told(id_) == ["dreaming", "completed"] for id_ in list(ends)[:20])
    late = list(lateness(rig, ends))
    assert len(late) == 500
    assert sum(late) / len(late) < 4
    assert len(rig.upstream.sent) < 6000


class LeavesOut:
    """An Http whose batches never speak of one generation."""

    def __init__(self, others: Http, id_: str) -> None:
        self.others = others
        self.id = id_
        self.alone = 0

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        ids = ids_of(request)
        self.alone += ids == [self.id]
        if len(ids) > 1 and self.id in ids:
            url = request.url.replace(f"generation_ids%5B%5D={self.id}", "")
            request = Request(method="GET", url=url, headers=request.headers)
        return await self.others.send(request, timeout=timeout, limit=limit)


async def test_whom_a_batch_leaves_out_is_asked_about_alone() -> None:
    rig = Rig()
    async with rig.engine(
        [source(rig.upstream, able={"hold": None})], [webhook()]
    ) as engine:
        ids = [rig.upstream.add("aimlapi-luma", script=STILL) for _ in range(20)]
        leaves = rig.network.hosts["upstream.example"] = LeavesOut(rig.upstream, ids[3])
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(30)
    assert rig.told(ids[3]) == ["dreaming"]
    assert leaves.alone > 0


async def test_batches_that_are_rejected_are_left_alone_for_ten_minutes() -> None:
    rig = Rig()
    rig.upstream.switch("aimlapi-luma", most_ids=1)
    async with rig.engine(
        [source(rig.upstream, able={"hold": None})], [webhook()]
    ) as engine:
        ids = await many(rig, engine, "aimlapi-luma", 30, STILL)
        await anyio.sleep(500)
        assert report(engine).mode == "plain"
    batches = [one for _, one in rig.upstream.sent if len(ids_of(one)) > 1]
    assert 3 <= len(batches) <= 5
    assert all(rig.told(id_)[0] == "dreaming" for id_ in ids)
    phrase = "the source rejects a way of asking: without it for now"
    assert rig.log.phrases("warning").count(phrase) == 1


# -------------------------------------------------------------------- the listing


async def test_a_listing_that_covers_the_watches_takes_the_place_of_single_looks() -> None:
    rig = Rig()
    slow = source(rig.upstream, "dream-machine", rate=Rate(per_second=1.0))
    async with rig.engine([slow], [webhook()]) as engine:
        script = (("dreaming", 400.0), ("completed", None))
        ids = await many(rig, engine, "dream-machine", 150, script)
        await anyio.sleep(300)
        assert report(engine).mode == "list"
        await anyio.sleep(200)
    assert all(rig.told(id_)[-1] == "completed" for id_ in ids)
    assert max(post.at for post in rig.receiver.accepted) < 460


async def test_whom_the_listing_does_not_know_is_looked_at_all_the_same() -> None:
    rig = Rig()
    slow = source(rig.upstream, "dream-machine", rate=Rate(per_second=1.0))
    async with rig.engine([slow], [webhook()]) as engine:
        await many(rig, engine, "dream-machine", 100, STILL)
        await anyio.sleep(300)
        assert report(engine).mode == "list"
        late = rig.upstream.add(
            "dream-machine", script=(("dreaming", 5.0), ("completed", None))
        )
        await engine.watch("dream-machine", late)
        await anyio.sleep(60)
    assert rig.told(late)[-1] == "completed"


# -------------------------------------------------------------------- trouble with one of many


@pytest.mark.parametrize("answer", [503, Unanswered(phase=Phase.CONNECT, reason="refused")])
async def test_a_batch_that_fails_is_asked_again_and_loses_nobody(answer: Any) -> None:
    rig = Rig()
    rig.upstream.instead.extend([answer] * 3)
    async with rig.engine(
        [source(rig.upstream, able={"hold": None})], [webhook()]
    ) as engine:
        ids = await many(rig, engine, "aimlapi-luma", 40, STILL)
        await anyio.sleep(100)
    assert all(rig.told(id_)[0] == "dreaming" for id_ in ids)
    assert rig.log.phrases("warning").count("a batch failed") <= 3


class Breaking:
    """An upstream that answers 503 to every request which asks about one generation."""

    def __init__(self, rig: Rig, of: str, after: str) -> None:
        self._rig = rig
        self._of = of
        self._after = after
        self.asked: list[float] = []

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        if self._of not in ids_of(request):
            return await self._rig.upstream.send(
                request, timeout=timeout, limit=limit, way=way
            )
        self.asked.append(anyio.current_time())
        return Response(
            status=503,
            headers={"retry-after": self._after},
            received_at=self._rig.clock.now(),
        )


async def test_one_that_breaks_its_batch_keeps_none_of_the_others_from_being_told() -> None:
    rig = Rig()
    async with rig.engine(
        [source(rig.upstream, able={"hold": None})], [webhook()]
    ) as engine:
        script = (("dreaming", 60.0), ("completed", None))
        ids = await many(rig, engine, "aimlapi-luma", 30, script)
        (bad,) = await many(rig, engine, "aimlapi-luma", 1, STILL)
        await anyio.sleep(20)
        rig.network.hosts["upstream.example"] = Breaking(rig, bad, "20")
        await anyio.sleep(240)
    assert all(rig.told(id_)[-1] == "completed" for id_ in ids)


async def test_whom_the_api_wants_to_be_asked_later_joins_no_batch_until_then() -> None:
    rig = Rig()
    often = source(rig.upstream, able={"hold": None}, interval=timedelta(seconds=5))
    async with rig.engine([often], [webhook()]) as engine:
        (bad,) = await many(rig, engine, "aimlapi-luma", 1, STILL)
        await anyio.sleep(21)
        broken = rig.network.hosts["upstream.example"] = Breaking(rig, bad, "300")
        await anyio.sleep(6)
        for _ in range(20):
            await many(rig, engine, "aimlapi-luma", 1, STILL)
            await anyio.sleep(0.7)
        await anyio.sleep(30)
    assert len(broken.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_batch_comes_back_whole_when_the_api_wants_it_to(status: int) -> None:
    rig = Rig()
    busy = Response(
        status=status, headers={"retry-after": "7"}, received_at=rig.clock.now()
    )
    rig.upstream.instead.append(busy)
    async with rig.engine(
        [source(rig.upstream, able={"hold": None})], [webhook()]
    ) as engine:
        ids = await many(rig, engine, "aimlapi-luma", 40, STILL)
        await anyio.sleep(5)
        assert len(rig.upstream.sent) == 1
        await anyio.sleep(10)
    assert all(rig.told(id_) == ["dreaming"] for id_ in ids)
