"""How a source stands towards our key: throttled, refused, away, saturated; and back again."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest

from bridge.core.ladder import State
from bridge.core.looking import Abilities, Asking, Look, Observation, Seen
from bridge.core.network.exchange import Phase, Request, Response, Unanswered
from bridge.core.pacing.report import SourceReport, Standing
from bridge.core.settings import Rate, Source
from bridge.core.watch import Generation
from bridge.engine.footing import MOST_SHAPES
from tests.engine.rig import Engine, Rig, source, webhook

pytestmark = pytest.mark.anyio

LUMA = "luma-agents"
STILL = (("dreaming", None),)
AWAY = Unanswered(phase=Phase.CONNECT, reason="connection refused")


def report(engine: Engine) -> SourceReport:
    return engine.supervisor.pollers()[0].report()


async def many(rig: Rig, engine: Engine, count: int, script: Any = STILL) -> list[str]:
    ids = [rig.upstream.add(LUMA, script=script) for _ in range(count)]
    await engine.watch(LUMA, *ids)
    return ids


def asked_between(rig: Rig, begin: float, end: float) -> list[float]:
    return [at for at, _ in rig.upstream.sent if begin <= at < end]


async def test_after_a_429_a_key_asks_less_and_then_slowly_more() -> None:
    rig = Rig()
    wait = {"retry-after": "5"}
    busy = Response(status=429, headers=wait, received_at=rig.clock.now())
    slow = source(rig.upstream, LUMA, rate=Rate(per_second=4.0))
    async with rig.engine([slow], [webhook()]) as engine:
        await many(rig, engine, 200)
        await anyio.sleep(20)
        rig.upstream.instead.append(busy)
        await anyio.sleep(1)
        assert report(engine).standing is Standing.BUSY
        assert report(engine).rate == pytest.approx(2.8)
        await anyio.sleep(200)
        assert report(engine).rate == 4.0
        assert report(engine).standing is Standing.WORKING
    assert not asked_between(rig, 20.3, 25.2)
    assert len(asked_between(rig, 30, 60)) <= 2.8 * 30 + 2


async def test_hours_at_98_percent_of_a_limit_meet_no_429() -> None:
    rig = Rig()
    rig.upstream.switch(LUMA, limit=1)
    tight = source(
        rig.upstream, LUMA, rate=Rate(per_second=0.98), interval=timedelta(minutes=1)
    )
    async with rig.engine([tight], [webhook()]) as engine:
        ids = [rig.upstream.add(LUMA, script=STILL) for _ in range(120)]
        await engine.watch(LUMA, *ids, deadline=timedelta(days=3))
        await anyio.sleep(3 * 3600)
    assert "the source is busy" not in rig.log.phrases("warning")
    assert len(rig.upstream.sent) > 0.95 * 3 * 3600


async def test_a_key_never_asks_more_in_a_second_than_the_limit_that_it_is_just_below() -> (
    None
):
    rig = Rig()
    rig.upstream.switch(LUMA, limit=10)
    tight = source(rig.upstream, LUMA, rate=Rate(per_second=9.8))
    async with rig.engine([tight], [webhook()]) as engine:
        await many(rig, engine, 300)
        await anyio.sleep(300)
    assert "the source is busy" not in rig.log.phrases("warning")
    assert len(rig.upstream.sent) > 300


@pytest.mark.parametrize("answer", [503, 500, AWAY])
async def test_a_source_that_is_away_gets_single_probes_and_is_said_once(
    answer: Any,
) -> None:
    rig = Rig()
    fast = source(rig.upstream, LUMA, rate=Rate(per_second=20.0))
    script = (("dreaming", 30.0), ("completed", None))
    async with rig.engine([fast], [webhook()]) as engine:
        ids = await many(rig, engine, 100, script)
        await anyio.sleep(20)
        rig.upstream.always = answer
        await anyio.sleep(600)
        assert report(engine).standing is Standing.AWAY
        probes = asked_between(rig, 60, 620)
        rig.upstream.always = None
        await anyio.sleep(300)
        assert report(engine).standing is Standing.WORKING
    assert len(probes) < 12
    assert all(b - a > 10 for a, b in pairwise(probes))
    assert rig.log.phrases("error").count("the source is away") == 1
    assert rig.log.phrases("info").count("the source answers again") == 1
    assert all(rig.told(id_) == ["dreaming", "completed"] for id_ in ids)


async def test_a_source_that_is_back_is_asked_gently_at_first() -> None:
    rig = Rig()
    fast = source(rig.upstream, LUMA, rate=Rate(per_second=20.0))
    async with rig.engine([fast], [webhook()]) as engine:
        await many(rig, engine, 2000)
        await anyio.sleep(5)
        rig.upstream.always = 503
        await anyio.sleep(60)
        rig.upstream.always = None
        before = len(rig.upstream.sent)
        await anyio.sleep(120)
        assert len(rig.upstream.sent) > before + 500
    # The first probe that was answered.
    back = rig.upstream.sent[before][0]
    assert len(asked_between(rig, back, back + 5)) <= 5 * 5 + 2
    assert len(asked_between(rig, back + 40, back + 50)) > 150


async def test_one_generation_in_trouble_closes_no_source() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        await many(rig, engine, 1)
        await anyio.sleep(1)
        rig.upstream.always = 503
        await anyio.sleep(300)
        assert report(engine).standing is Standing.WORKING


async def test_a_refused_source_says_since_when_and_why() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        rig.upstream.always = 401
        await many(rig, engine, 5)
        await anyio.sleep(100)
        told = report(engine)
    assert told.standing is Standing.REFUSED
    assert told.since is not None
    assert told.why


async def test_a_rate_that_does_not_suffice_is_said_aloud_with_what_is_missing() -> None:
    rig = Rig()
    slow = source(rig.upstream, LUMA, rate=Rate(per_second=1.0))
    script = (("dreaming", 20.0), ("completed", None))
    async with rig.engine([slow], [webhook()]) as engine:
        for _ in range(900):
            await engine.watch(LUMA, rig.upstream.add(LUMA, script=script))
            await anyio.sleep(0.5)
        told = report(engine)
    assert told.saturation is not None
    assert "looks/s, may make 1" in told.saturation
    assert told.lacking > 0.5
    assert rig.log.phrases("warning").count("the rate does not suffice") == 1


async def test_what_cannot_be_read_and_what_is_not_known_is_counted() -> None:
    rig = Rig()
    rubbish = Response(status=200, body=b"<html>", received_at=rig.clock.now())
    script = (("queued", 3.0), ("upscaling", 40.0), ("completed", None))
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        rig.upstream.instead.extend([rubbish] * 3)
        await many(rig, engine, 3, script)
        await anyio.sleep(60)
        told = report(engine)
    assert told.malformed == 3
    assert told.unknown["upscaling"] > 3


async def test_the_shape_of_an_answer_that_does_not_match_is_said_once() -> None:
    rig = Rig()
    foreign = Response(
        status=200,
        body=b'{"job": {"phase": "canary"}, "key-4711": 1}',
        received_at=rig.clock.now(),
    )
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        rig.upstream.always = foreign
        await many(rig, engine, 1)
        await anyio.sleep(600)
        assert report(engine).malformed > 5
    lines = [one for one in rig.log.lines if one[1] == "an answer does not match"]
    assert len(lines) == 1
    level, _, fields = lines[0]
    assert level == "warning"
    assert fields["shape"] == "{job: {phase: text}, …: number}"
    assert "canary" not in str(fields)


async def test_answers_that_never_look_alike_do_not_fill_the_log() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        for number in range(200):
            body = json.dumps({f"part_{chr(97 + number // 26)}{chr(97 + number % 26)}": 1})
            rig.upstream.instead.append(
                Response(status=200, body=body.encode(), received_at=rig.clock.now())
            )
        await many(rig, engine, 1)
        await anyio.sleep(4 * 3600)
        assert report(engine).malformed > 100
    assert rig.log.phrases("warning").count("an answer does not match") == MOST_SHAPES


@pytest.mark.parametrize(
    ("answer", "why"),
    [(500, "HTTP 500"), (404, "HTTP 404"), (400, "HTTP 400"), (AWAY, "refused")],
)
async def test_a_watch_tells_how_its_last_looks_failed_until_one_does_not(
    answer: Any, why: str
) -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        (one,) = await many(rig, engine, 1)
        generation = Generation(LUMA, one)
        await anyio.sleep(1)
        assert engine.supervisor.in_vain(generation) is None
        rig.upstream.always = answer
        await anyio.sleep(60)
        failed = engine.supervisor.in_vain(generation)
        assert failed is not None
        assert failed.in_a_row > 1
        assert why in failed.reason
        rig.upstream.always = None
        await anyio.sleep(120)
        assert engine.supervisor.in_vain(generation) is None
    assert engine.supervisor.in_vain(Generation("another", one)) is None


class Patient:
    """A provider that tells when to look again."""

    abilities = Abilities(rate=10.0, floor=timedelta())

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, look: Look) -> Asking:
        response = yield Request(method="GET", url=self.url)
        assert isinstance(response, Response)
        seen = Observation(
            id="g",
            native_state="dreaming",
            state=State.DREAMING,
            observed_at=response.received_at,
        )
        return Seen(observations=(seen,), again=timedelta(seconds=17))


async def test_an_api_that_says_when_to_look_again_is_obeyed() -> None:
    rig = Rig()
    patient = Source(
        name="patient",
        provider_name="patient",
        provider=Patient(rig.upstream.url(LUMA)),
        rate=Rate(per_second=10.0),
    )
    async with rig.engine([patient], [webhook()]) as engine:
        await engine.watch("patient", "g")
        await anyio.sleep(300)
    moments = [at for at, _ in rig.upstream.sent]
    assert len(moments) > 5
    assert min(b - a for a, b in pairwise(moments)) >= 17
