"""What an engine has learned: told in events, kept over a restart, hastened by hints."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import anyio
import pytest

from bridge.core.hints import named
from bridge.core.pacing.report import TableRow
from bridge.engine.experience import Experience
from bridge.engine.hinter import Hinter
from tests.engine.rig import Engine, Rig, source, webhook

pytestmark = pytest.mark.anyio

LUMA = "luma-agents"
SCRIPT = (("queued", 2.0), ("dreaming", 60.0), ("completed", None))


async def taught(rig: Rig, engine: Engine, count: int) -> None:
    """Let so many generations run, one after the other."""
    for _ in range(count):
        await engine.watch(LUMA, rig.upstream.add(LUMA, script=SCRIPT))
        await anyio.sleep(80)


def experience(rig: Rig, engine: Engine) -> Experience:
    return Experience(rig.store, engine.supervisor.pollers, log=rig.log)


def rows(engine: Engine) -> Mapping[tuple[str, str], TableRow]:
    found = engine.supervisor.reports()[LUMA].tables
    return {(one.model, one.state): one for one in found if one.changes}


def data(rig: Rig, id_: str, tag: str) -> Any:
    found = [one.document for one in rig.receiver.accepted]
    (only,) = (
        one["data"]
        for one in found
        if (one["data"]["generation_id"], one["type"]) == (id_, f"generation.{tag}")
    )
    return only


async def test_what_was_learnt_outlives_the_process() -> None:
    rig = Rig()
    luma = source(rig.upstream, LUMA)
    async with rig.engine([luma], [webhook()]) as engine:
        kept = experience(rig, engine)
        await kept.load()
        await taught(rig, engine, 30)
        await kept.save()
        before = rows(engine)
    rig.restart()
    async with rig.engine([luma], [webhook()]) as engine:
        assert not rows(engine)
        await experience(rig, engine).load()
        after = rows(engine)
    assert {key: one.changes for key, one in after.items()} == {
        key: pytest.approx(one.changes) for key, one in before.items()
    }
    assert max(one.changes for one in after.values()) >= 20
    (dreaming,) = (one for (_, state), one in after.items() if state == "dreaming")
    assert 50 <= dreaming.p50 <= 70


async def test_from_twenty_changes_on_an_event_says_when_it_goes_on() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        first = rig.upstream.add(LUMA, script=SCRIPT)
        await engine.watch(LUMA, first)
        await taught(rig, engine, 40)
        last = rig.upstream.add(LUMA, script=SCRIPT)
        await engine.watch(LUMA, last)
        await anyio.sleep(80)
    assert data(rig, first, "dreaming")["eta"] is None
    told = data(rig, last, "dreaming")
    seen = datetime.fromisoformat(told["observed_at"])
    half, most = (datetime.fromisoformat(told["eta"][name]) for name in ("p50", "p90"))
    assert timedelta(seconds=45) < half - seen < most - seen < timedelta(seconds=120)
    assert data(rig, last, "completed")["eta"] is None


async def test_a_generation_that_hangs_is_told_once_and_still_completes() -> None:
    rig = Rig()
    slow = (("dreaming", 20_000.0), ("completed", None))
    id_ = rig.upstream.add(LUMA, script=slow)
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        await engine.watch(LUMA, id_)
        await anyio.sleep(15_000)
        assert rig.told(id_) == ["dreaming", "stalled"]
        await anyio.sleep(10_000)
    assert rig.told(id_) == ["dreaming", "stalled", "completed"]
    told = data(rig, id_, "stalled")
    assert (told["state"], told["eta"], told["outputs"]) == ("dreaming", None, [])


async def test_a_hint_brings_the_look_forward_and_is_not_believed() -> None:
    rig = Rig()
    luma = source(rig.upstream, LUMA)
    async with rig.engine([luma], [webhook()]) as engine:
        hinter = Hinter(engine.supervisor.hint, clock=rig.clock, log=rig.log)
        id_ = rig.upstream.add(LUMA, script=(("dreaming", 3000.0), ("completed", None)))
        await engine.watch(LUMA, id_)
        await anyio.sleep(1500)
        body = f'{{"data": {{"task_id": "{id_}"}}, "state": "completed"}}'.encode()
        hinter.heard(luma, named(body))
        await anyio.sleep(1)
        asked = [at for at, _ in rig.upstream.sent]
        assert asked[-1] == pytest.approx(1500, abs=0.1)
        assert "completed" not in rig.told(id_)
        await anyio.sleep_until(3000.5)
        hinter.heard(luma, named(body))
        await anyio.sleep(2)
        assert "completed" in rig.told(id_)
