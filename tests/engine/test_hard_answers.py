"""Answers that once silenced a watch, or would have: each goes on, and each ends."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from math import inf
from typing import Any

import anyio
import pytest

from bridge.core.looking import Abilities, Get, Hold, Listing
from bridge.core.settings import Rate, Source
from bridge.simulator.limits import RetryAfter
from bridge.simulator.switches import Fault
from tests.engine.moods import Fate, Moody, names
from tests.engine.rig import Engine, Rig, webhook
from tests.engine.rig import source as simulated

pytestmark = pytest.mark.anyio

STILL = Fate(dreams=0.0, ends=inf)


def scene(
    fates: Mapping[str, Fate], *, rate: float = 10.0, **able: Any
) -> tuple[Rig, Moody, Source]:
    """Return a rig, an API with moods, and a source of it."""
    rig = Rig()
    whole: dict[str, Any] = {"rate": rate, "floor": timedelta(seconds=1)} | able
    api = Moody(clock=rig.clock, abilities=Abilities(**whole), fates=dict(fates))
    rig.network.hosts["moody.example"] = api
    source = Source(
        name="moody", provider_name="moody", provider=api, rate=Rate(per_second=rate)
    )
    return rig, api, source


def listed(rate: float = 2.0, fate: Fate = STILL) -> tuple[Rig, Moody, Source]:
    """Return what `scene` does, with so many watches and so few looks that lists are best."""
    fates = dict.fromkeys(names(60), fate)
    return scene(fates, rate=rate, listing=True)


def standing(engine: Engine) -> str:
    return str(engine.supervisor.pollers()[0].report().standing)


async def test_who_is_left_out_of_a_batch_without_a_word_is_asked_alone() -> None:
    rig, api, source = scene(dict.fromkeys(names(3), Fate(dreams=0.0, ends=20.0)), batch=50)
    api.mood = "forgetful"
    async with rig.engine([source], [webhook()]) as engine:
        await engine.watch("moody", *api.fates)
        await anyio.sleep(10)
        api.mood = "truthful"
        await anyio.sleep(120)
    assert all(rig.told(one)[-1] == "completed" for one in api.fates)


@pytest.mark.parametrize("mood", ["trouble for ages", "late", "half"])
async def test_nobody_can_ask_for_more_than_a_quarter_of_an_hour(mood: str) -> None:
    rig, api, source = scene({"g0": Fate(dreams=0.0, ends=20.0)})
    api.mood = mood
    async with rig.engine([source], [webhook()]) as engine:
        await engine.watch("moody", "g0")
        await anyio.sleep(5)
        api.mood = "truthful"
        await anyio.sleep(1000)
    assert rig.told("g0")[-1] == "completed"


async def test_a_key_that_was_refused_while_lists_were_read_is_tried_again() -> None:
    rig, api, source = listed()
    async with rig.engine([source], [webhook()]) as engine:
        await engine.watch("moody", *api.fates)
        await anyio.sleep(300)
        assert engine.supervisor.pollers()[0].report().mode == "list"
        api.mood = "refused"
        await anyio.sleep(60)
        assert standing(engine) == "refused"
        api.mood = "truthful"
        await anyio.sleep(700)
        assert standing(engine) == "working"


async def test_a_list_that_breaks_off_silences_nobody() -> None:
    rig, api, source = listed(fate=Fate(dreams=0.0, ends=400.0))
    async with rig.engine([source], [webhook()]) as engine:
        await engine.watch("moody", *api.fates)
        await anyio.sleep(300)
        assert engine.supervisor.pollers()[0].report().mode == "list"
        api.mood = "no lists"
        await anyio.sleep(400)
    assert all(rig.told(one)[-1] == "completed" for one in api.fates)


async def test_what_stalls_is_told_and_what_is_too_late_is_lost_also_by_lists() -> None:
    rig, api, source = listed()
    async with rig.engine([source], [webhook()]) as engine:
        await engine.watch("moody", *api.fates, deadline=timedelta(hours=1))
        await anyio.sleep(3500)
        assert engine.supervisor.pollers()[0].report().mode == "list"
        assert {tuple(rig.told(one)) for one in api.fates} == {("dreaming", "stalled")}
        await anyio.sleep(200)
        assert engine.supervisor.watching() == 0
    assert {rig.told(one)[-1] for one in api.fates} == {"lost"}


async def test_holds_that_we_give_up_ourselves_show_nothing_of_the_api() -> None:
    rig, api, source = scene(
        dict.fromkeys(names(12), STILL), floor=timedelta(), hold=timedelta(seconds=30)
    )
    async with rig.engine([source], [webhook()]) as engine:
        await engine.watch("moody", *api.fates, deadline=timedelta(seconds=20))
        await anyio.sleep(19)
        assert engine.supervisor.pollers()[0].report().holds == len(api.fates)
        await anyio.sleep(5)
        assert standing(engine) == "working"
        assert engine.supervisor.watching() == 0
    assert rig.log.phrases("warning", "error") == []
    assert "holds end sooner than was told" not in rig.log.phrases("info")


async def test_what_is_rejected_again_and_again_is_lost_at_its_deadline() -> None:
    rig, api, source = scene({"g0": STILL, "g1": STILL})
    api.mood, api.touched = "rejected", frozenset({"g0"})
    async with rig.engine([source], [webhook()]) as engine:
        await engine.watch("moody", "g0", deadline=timedelta(seconds=300))
        await engine.watch("moody", "g1")
        await anyio.sleep(299)
        assert rig.told("g0") == []
        await anyio.sleep(120)
    assert rig.told("g0") == ["lost"]
    assert "lost" not in rig.told("g1")


async def test_a_probe_is_answered_at_once_and_is_no_hold() -> None:
    rig, api, source = scene(
        dict.fromkeys(names(10), STILL), floor=timedelta(), hold=timedelta(seconds=120)
    )
    async with rig.engine([source], [webhook()]) as engine:
        await engine.watch("moody", *api.fates)
        await anyio.sleep(60)
        api.mood = "refused"
        await anyio.sleep(300)
        assert standing(engine) == "refused"
        began = len(api.questions)
        api.mood = "truthful"
        await anyio.sleep(602)
        assert standing(engine) == "working"
    assert isinstance(api.questions[began].look, Get)


async def test_holds_that_open_late_leave_no_pause_that_is_longer_than_the_interval() -> (
    None
):
    # Of what lasts an hour as a rule, one in a hundred is over after two minutes and a half.
    rig, api, source = scene(
        {"g0": STILL}, floor=timedelta(), hold=timedelta(seconds=30), makes="batch"
    )
    often = replace(source, interval=timedelta(seconds=10))
    async with rig.engine([often], [webhook()]) as engine:
        await engine.watch("moody", "g0")
        await anyio.sleep(120)
    assert isinstance(api.questions[-1].look, Hold)
    held = {True: 30.0, False: 0.0}
    ends = [one.at + held[isinstance(one.look, Hold)] for one in api.questions[1:]]
    begins = [one.at for one in api.questions]
    assert ends[-1] >= 110.0
    assert all(
        after - before <= 10.5 for before, after in zip(ends, begins[2:], strict=False)
    )
    assert begins[1] <= 10.5


async def test_rounds_through_a_list_that_is_away_keep_their_distance() -> None:
    rig, api, source = listed()
    async with rig.engine([source], [webhook()]) as engine:
        await engine.watch("moody", *api.fates)
        await anyio.sleep(300)
        api.mood = "no lists"
        began = len(api.questions)
        await anyio.sleep(60)
    rounds = [q.at for q in api.questions[began:] if isinstance(q.look, Listing)]
    assert all(b - a >= 1.0 for a, b in pairwise(rounds))


@pytest.mark.parametrize("form", RetryAfter)
async def test_a_busy_key_waits_as_long_as_it_is_told_in_whatever_form(
    form: RetryAfter,
) -> None:
    rig = Rig()
    id_ = rig.upstream.add("luma-agents", script=(("dreaming", 5.0), ("completed", None)))
    rig.upstream.switch(limit=0, retry_after=form)
    async with rig.engine([simulated(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", id_)
        await anyio.sleep(20)
        assert standing(engine) == "busy"
        assert rig.told(id_) == []
        rig.upstream.switch(limit=None)
        await anyio.sleep(60)
    assert rig.told(id_) == ["completed"]
    moments = [at for at, _ in rig.upstream.sent]
    assert min(after - before for before, after in pairwise(moments)) >= 0.99


async def test_a_source_that_is_away_delays_no_other() -> None:
    rig = Rig()
    good = rig.upstream.add(
        "dream-machine", script=(("dreaming", 30.0), ("completed", None))
    )
    away = [
        rig.upstream.add("luma-agents", script=(("completed", None),)) for _ in range(200)
    ]
    rig.upstream.switch("luma-agents", fault=Fault.SILENCE)
    sources = [simulated(rig.upstream, name) for name in ("luma-agents", "dream-machine")]
    async with rig.engine(sources, [webhook()]) as engine:
        await engine.watch("luma-agents", *away)
        await engine.watch("dream-machine", good)
        await anyio.sleep(60)
        assert rig.told(good) == ["dreaming", "completed"]
        assert 30.0 <= rig.posts()[-1].at <= 35.0
        rig.upstream.switch("luma-agents", fault=Fault.OFF)
        await anyio.sleep(300)
    assert all(rig.told(id_) == ["completed"] for id_ in away)


async def test_ids_that_nobody_can_ask_about_do_not_take_their_source_away() -> None:
    rig = Rig()
    good = rig.upstream.add("luma-agents", script=(("queued", 30.0), ("completed", None)))
    luma = simulated(rig.upstream, "luma-agents", interval=timedelta(seconds=1))
    async with rig.engine([luma], [webhook()]) as engine:
        await engine.watch("luma-agents", "../x", "a/../b", good)
        await anyio.sleep(45)
        assert standing(engine) == "working"
    assert rig.told(good) == ["queued", "completed"]
    assert "the source is away" not in rig.log.phrases("error")
