"""What a poller does with every kind of answer, on virtual time."""

import math
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest

from bridge.core.network.exchange import Phase, Request, Response, Unanswered
from bridge.core.settings import Rate
from bridge.simulator.switches import Holding
from tests.engine.rig import Rig, every, source, webhook

pytestmark = pytest.mark.anyio

WALK = (("queued", 5.0), ("dreaming", 20.0), ("completed", None))


def asked_at(rig: Rig) -> list[float]:
    return [at for at, _ in rig.upstream.sent]


async def watching(rig: Rig, name: str, seconds: float, *, script: Any = WALK) -> str:
    """Watch one generation of a provider for so many seconds."""
    id_ = rig.upstream.add(name, script=script)
    async with rig.engine([source(rig.upstream, name)], [webhook()]) as engine:
        await engine.watch(name, id_)
        await anyio.sleep(seconds)
    return id_


async def test_plain_looks_keep_the_providers_floor_and_space_out_with_the_age() -> None:
    rig = Rig()
    await watching(rig, "luma-agents", 3600, script=(("queued", None),))
    moments = asked_at(rig)
    gaps = [b - a for a, b in pairwise(moments)]
    assert min(gaps) >= 2.0 - 1e-9
    assert gaps[-1] > 10 * gaps[0]


async def test_the_rate_limit_of_a_key_is_never_exceeded_whatever_is_watched() -> None:
    rig = Rig()
    ids = [rig.upstream.add("luma-agents", script=(("queued", None),)) for _ in range(100)]
    slow = source(rig.upstream, "luma-agents", rate=Rate(per_second=5.0))
    async with rig.engine([slow], [webhook()]) as engine:
        await engine.watch("luma-agents", *ids)
        await anyio.sleep(120)
    moments = asked_at(rig)
    for first in moments:
        assert sum(first <= at < first + 10 for at in moments) <= 5.0 * 10.1 + 1 + 1e-6


async def test_a_generation_that_is_never_found_is_lost_and_says_so() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", "no-such-generation", order=3)
        await anyio.sleep(600)
        assert engine.supervisor.watching() == 0
    assert rig.told("no-such-generation") == ["lost"]
    data = rig.posts()[0].document["data"]
    assert data["state"] is None
    assert data["metadata"] == {"order": 3}
    assert rig.posts()[0].at >= 120


async def test_a_404_right_after_creation_is_forgiven() -> None:
    rig = Rig()
    rig.upstream.instead.extend([404, 404, 404])
    id_ = await watching(rig, "luma-agents", 200)
    assert rig.told(id_)[-1] == "completed"


async def test_a_watch_past_its_deadline_is_lost_after_a_last_look() -> None:
    rig = Rig()
    id_ = rig.upstream.add("aimlapi-luma", script=(("queued", None),))
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_, deadline=timedelta(minutes=30))
        await anyio.sleep(3600)
        assert engine.supervisor.watching() == 0
    assert rig.told(id_) == ["queued", "stalled", "lost"]
    assert 1800 <= rig.posts()[-1].at < 1802
    assert rig.posts()[-1].document["data"]["state"] == "queued"


async def test_a_deadline_that_passes_while_the_provider_is_away_waits_for_an_answer() -> (
    None
):
    rig = Rig()
    id_ = rig.upstream.add("luma-agents", script=(("queued", 100.0), ("completed", None)))
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", id_, deadline=timedelta(minutes=5))
        await anyio.sleep(10)
        rig.upstream.always = 503
        await anyio.sleep(600)
        assert rig.told(id_) == ["queued"]
        rig.upstream.always = None
        await anyio.sleep(120)
    assert rig.told(id_) == ["queued", "completed"]


@pytest.mark.parametrize(
    "answer",
    [
        500,
        503,
        408,
        301,
        Unanswered(phase=Phase.CONNECT, reason="connection refused"),
        Unanswered(phase=Phase.DEADLINE, reason="no answer in time"),
    ],
)
async def test_a_provider_that_is_away_for_an_hour_costs_no_state(answer: Any) -> None:
    rig = Rig()
    id_ = rig.upstream.add("luma-agents", script=WALK)
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", id_)
        await anyio.sleep(1)
        rig.upstream.always = answer
        await anyio.sleep(3600)
        away = len(rig.upstream.sent)
        rig.upstream.always = None
        await anyio.sleep(120)
    assert rig.told(id_) == ["queued", "completed"]
    assert rig.posts()[-1].document["data"]["skipped_states"] == ["dreaming"]
    assert away < 300


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"null", b'"queued"', b'{"state": "comp', b"[" * 50_000, b"\xff\xfe"],
)
async def test_rubbish_from_the_provider_is_trouble_and_nothing_more(body: bytes) -> None:
    rig = Rig()
    id_ = rig.upstream.add("luma-agents", script=WALK)
    rubbish = Response(status=200, body=body, received_at=rig.clock.now())
    rig.upstream.instead.extend([rubbish] * 5)
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", id_)
        await anyio.sleep(200)
    assert rig.told(id_)[-1] == "completed"
    assert "a look failed" in rig.log.phrases("warning")


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refused_key_pauses_the_source_and_is_said_once(status: int) -> None:
    rig = Rig()
    ids = [rig.upstream.add("luma-agents", script=WALK) for _ in range(20)]
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        rig.upstream.always = status
        await engine.watch("luma-agents", *ids)
        await anyio.sleep(3600)
        refused = len(rig.upstream.sent)
        rig.upstream.always = None
        await anyio.sleep(900)
    assert refused < 40
    assert rig.log.phrases("error").count("the source refuses the key") == 1
    assert all(rig.told(id_)[-1] == "completed" for id_ in ids)


async def test_a_busy_key_is_left_alone_for_as_long_as_it_asks() -> None:
    rig = Rig()
    ids = [rig.upstream.add("luma-agents", script=WALK) for _ in range(5)]
    busy = Response(status=429, headers={"retry-after": "90"}, received_at=rig.clock.now())
    slow = source(rig.upstream, "luma-agents", rate=Rate(per_second=1.0))
    rig.upstream.instead.append(busy)
    async with rig.engine([slow], [webhook()]) as engine:
        await engine.watch("luma-agents", *ids)
        await anyio.sleep(300)
    moments = asked_at(rig)
    assert moments[1] - moments[0] >= 90
    assert all(rig.told(id_)[-1] == "completed" for id_ in ids)


async def test_an_unknown_word_keeps_the_watch_and_is_said_once() -> None:
    rig = Rig()
    script = (("queued", 3.0), ("upscaling", 30.0), ("completed", None))
    id_ = await watching(rig, "luma-agents", 300, script=script)
    assert rig.told(id_) == ["queued", "completed"]
    assert rig.log.phrases("warning").count("an unknown state word") == 1


async def test_a_source_that_does_not_hold_gets_plain_looks_and_a_trial_later() -> None:
    rig = Rig()
    rig.upstream.switch("aimlapi-luma", holding=Holding.IGNORED)
    id_ = rig.upstream.add("aimlapi-luma", script=(("queued", 700.0), ("completed", None)))
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(800)
    moments = asked_at(rig)
    assert all(b - a >= 0.24 for a, b in pairwise(moments[1:]))
    assert len(moments) < 200
    assert rig.told(id_) == ["queued", "stalled", "completed"]
    assert "the source does not hold: plain looks for now" in rig.log.phrases("warning")


async def test_a_stale_replica_takes_nothing_back() -> None:
    rig = Rig()
    rig.upstream.switch("luma-agents", stale=0.5)
    ids = [rig.upstream.add("luma-agents", script=WALK) for _ in range(20)]
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", *ids)
        await anyio.sleep(300)
    for id_ in ids:
        told = rig.told(id_)
        assert told[-1] == "completed"
        assert len(told) == len(set(told))


async def test_completed_without_its_outputs_is_announced_after_two_more_looks() -> None:
    rig = Rig()
    rig.upstream.switch("luma-agents", without_output=math.inf)
    id_ = await watching(rig, "luma-agents", 60, script=(("completed", None),))
    assert rig.told(id_) == ["completed"]
    assert [round(at) for at in asked_at(rig)] == [0, 1, 4]


async def test_holds_leave_some_connections_for_other_looks() -> None:
    rig = Rig()
    ids = [rig.upstream.add("aimlapi-luma", script=(("queued", None),)) for _ in range(30)]
    narrow = source(rig.upstream, max_connections=10)
    async with rig.engine([narrow], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(40)
        assert rig.upstream.apis.most_open <= 10
    assert all(rig.told(id_) == ["queued"] for id_ in ids)


async def test_a_provider_that_raises_is_trouble_for_one_look_only() -> None:
    def rule(_age: timedelta, _request: Request) -> int:
        return 204

    rig = Rig(rules={"studio": rule})
    strange = Response(
        status=200, body=b'{"state": {}, "id": 5}', received_at=rig.clock.now()
    )
    rig.upstream.instead.append(strange)
    id_ = await watching(rig, "aimlapi-luma", 120)
    assert rig.told(id_)[-1] == "completed"


async def test_after_a_restart_a_watch_goes_on_where_it_was() -> None:
    rig = Rig()
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    sources, hooks = [source(rig.upstream)], [webhook(retry=every(1))]
    async with rig.engine(sources, hooks) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(10)
    rig.restart()
    async with rig.engine(sources, hooks):
        await anyio.sleep(30)
    assert rig.told(id_) == ["queued", "dreaming", "completed"]
