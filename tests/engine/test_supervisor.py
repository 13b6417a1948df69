"""Sources that come, change and go while generations are watched."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import anyio
import pytest
import trio

from bridge.core.change import Change
from bridge.core.delivering.delivery import Settlement
from bridge.core.ports import Written
from bridge.core.settings import Rate
from bridge.core.watch import Generation
from bridge.store.memory import MemoryStore
from tests.engine.rig import Rig, source, webhook
from tests.fakes.receiver import Slow

pytestmark = pytest.mark.anyio

WALK = (("queued", 5.0), ("dreaming", 20.0), ("completed", None))


async def test_a_source_that_changes_keeps_its_watches_and_asks_under_the_new_settings() -> (
    None
):
    rig = Rig()
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    first = source(rig.upstream)
    async with rig.engine([first], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(10)
        changed = source(rig.upstream, rate=Rate(per_second=1.0))
        engine.supervisor.set_sources({changed.name: changed})
        await anyio.sleep(1)
        assert rig.upstream.open == 1
        await anyio.sleep(60)
    assert rig.told(id_) == ["queued", "dreaming", "completed"]


async def test_a_source_that_stays_as_it_is_drops_no_hold() -> None:
    rig = Rig()
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(15)
        asked = len(rig.upstream.sent)
        assert rig.upstream.open == 1
        engine.supervisor.set_sources({"aimlapi-luma": source(rig.upstream)})
        await anyio.sleep(5)
        assert (len(rig.upstream.sent), rig.upstream.open) == (asked, 1)


async def test_watches_of_a_source_that_is_gone_rest_until_it_is_back() -> None:
    rig = Rig()
    id_ = rig.upstream.add("aimlapi-luma", script=WALK)
    luma = source(rig.upstream)
    async with rig.engine([luma], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(1)
        engine.supervisor.set_sources({})
        await anyio.sleep(100)
        assert rig.told(id_) == ["queued"]
        engine.supervisor.set_sources({"aimlapi-luma": luma})
        await anyio.sleep(10)
    assert rig.told(id_) == ["queued", "completed"]


async def test_a_watch_that_is_ended_is_asked_about_no_more() -> None:
    rig = Rig()
    ids = [rig.upstream.add("luma-agents", script=(("queued", None),)) for _ in range(2)]
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", *ids)
        await anyio.sleep(10)
        engine.supervisor.drop([Generation("luma-agents", ids[0])])
        await anyio.sleep(0.1)
        asked = len(rig.upstream.requests)
        await anyio.sleep(100)
        later = list(rig.upstream.requests)[asked:]
        assert engine.supervisor.watching() == 1
    assert later
    assert not [call for call in later if ids[0] in call.path]


class Unhurried(MemoryStore):
    """A store whose commits take a second."""

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        await anyio.sleep(1)
        return await super().write(changes, settlements)


async def test_a_step_that_is_seen_before_and_after_a_reload_is_posted_once() -> None:
    rig = Rig(rules={"studio": lambda _age, _r: Slow(after=timedelta(seconds=9), then=204)})
    rig.store = Unhurried(rig.clock, uuid4)
    id_ = rig.upstream.add("aimlapi-luma", script=(("completed", None),))
    old = source(rig.upstream)
    async with rig.engine([old], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        # The commit of what the first poller saw is under way: the second one sees it again.
        await anyio.sleep(0.5)
        engine.supervisor.set_sources({old.name: replace(old, max_connections=7)})
        await anyio.sleep(60)
    assert len(rig.posts()) == 1
    assert rig.told(id_) == ["completed"]


async def test_a_source_that_changes_twice_at_once_is_asked_by_one_poller_only() -> None:
    rig = Rig()
    async with rig.engine([], [webhook()]) as engine:
        await anyio.sleep(1)
        before = trio.lowlevel.current_statistics().tasks_living
        for rate in (1.0, 2.0, 3.0):
            luma = source(rig.upstream, rate=Rate(per_second=rate))
            engine.supervisor.set_sources({luma.name: luma})
        await anyio.sleep(1)
        assert trio.lowlevel.current_statistics().tasks_living == before + 1
