"""A provider's own callbacks hasten looks: doubled, lost or forged, they do no harm."""

import anyio
import pytest

from bridge.core.settings import Rate
from bridge.core.watch import Generation
from tests.engine.rig import Engine, Rig, source, webhook

pytestmark = pytest.mark.anyio

LUMA = "luma-agents"


def asked_between(rig: Rig, begin: float, end: float) -> int:
    return sum(begin <= at < end for at, _ in rig.upstream.sent)


def hint(engine: Engine, id_: str) -> bool:
    return engine.supervisor.hint(Generation(LUMA, id_))


async def one_job(rig: Rig, engine: Engine, lasts: float, *, hinted: bool) -> str:
    """Let one generation run to its end, which its provider hints at or not."""
    script = (("dreaming", lasts), ("completed", None))
    id_ = rig.upstream.add(LUMA, script=script)
    await engine.watch(LUMA, id_)
    await anyio.sleep(lasts)
    if hinted:
        hint(engine, id_)
    await anyio.sleep(30)
    return id_


async def test_doubled_hints_bring_a_look_a_second_at_most() -> None:
    rig = Rig()
    id_ = rig.upstream.add(LUMA, script=(("dreaming", None),))
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        await engine.watch(LUMA, id_)
        await anyio.sleep(300)
        for _ in range(100):
            assert hint(engine, id_)
            await anyio.sleep(0.1)
        asked = asked_between(rig, 300, 310)
        await anyio.sleep(1)
    assert 5 <= asked <= 12


async def test_forged_hints_take_a_fifth_of_the_rate_at_most_and_tell_nothing() -> None:
    rig = Rig()
    slow = source(rig.upstream, LUMA, rate=Rate(per_second=10.0))
    async with rig.engine([slow], [webhook()]) as engine:
        ids = [rig.upstream.add(LUMA, script=(("dreaming", None),)) for _ in range(200)]
        await engine.watch(LUMA, *ids)
        await anyio.sleep(600)
        calm = asked_between(rig, 540, 600)
        for _ in range(30):
            for id_ in ids:
                hint(engine, id_)
            await anyio.sleep(2)
        flooded = asked_between(rig, 600, 660)
    assert flooded <= calm + 0.2 * 10 * 60 + 10
    assert rig.told(ids[0]) == ["dreaming"]


async def test_a_hint_for_what_is_not_watched_is_nothing() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        assert not hint(engine, "nobody-knows-it")
        await anyio.sleep(10)
    assert not rig.upstream.sent


async def test_hints_that_proved_good_save_looks_until_one_is_lost() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        for _ in range(12):
            await one_job(rig, engine, 120.0, hinted=True)
        poller = engine.supervisor.pollers()[0]
        begin = anyio.current_time()
        await one_job(rig, engine, 120.0, hinted=True)
        relied = asked_between(rig, begin, begin + 120)
        lost = await one_job(rig, engine, 120.0, hinted=False)
        await anyio.sleep(600)
        begin = anyio.current_time()
        await one_job(rig, engine, 120.0, hinted=True)
        alone = asked_between(rig, begin, begin + 120)
        assert poller.watching == 0
    assert rig.told(lost)[-1] == "completed"
    assert relied < alone / 2
