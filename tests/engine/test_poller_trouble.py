"""Answers that come in crowds, again and again, or in vain: a poller neither runs hot nor stops."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest

from bridge.core.change import Change
from bridge.core.delivering.delivery import Settlement
from bridge.core.ladder import State
from bridge.core.looking import Abilities, Asking, Look, Observation, Seen
from bridge.core.network.exchange import Answer, Request, Response
from bridge.core.network.way import DIRECT, Way
from bridge.core.ports import Http, Written
from bridge.core.settings import Rate, Source
from bridge.errors import StoreError
from bridge.simulator.switches import Holding
from bridge.store.memory import MemoryStore
from tests.engine.rig import Rig, source, webhook

pytestmark = pytest.mark.anyio

WALK = (("queued", 5.0), ("dreaming", 20.0), ("completed", None))
STILL = (("queued", None),)
LATENCY = timedelta(milliseconds=100)


def asked_at(rig: Rig) -> list[float]:
    return [at for at, _ in rig.upstream.sent]


def add(rig: Rig, count: int, name: str = "luma-agents", script: Any = STILL) -> list[str]:
    rig.upstream.latency = LATENCY
    return [rig.upstream.add(name, script=script) for _ in range(count)]


async def test_a_crowd_of_429s_is_one_reason_to_pause() -> None:
    rig = Rig()
    ids = add(rig, 10)
    rig.upstream.instead.extend([429] * 10)
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", *ids)
        await anyio.sleep(20)
    assert all(rig.told(id_) == ["queued"] for id_ in ids)


async def test_a_crowd_of_refusals_is_one_reason_to_pause() -> None:
    rig = Rig()
    ids = add(rig, 10)
    rig.upstream.instead.extend([401] * 10)
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", *ids)
        await anyio.sleep(40)
    assert all(rig.told(id_) == ["queued"] for id_ in ids)


async def test_a_429_that_asks_for_no_time_at_all_makes_no_hot_loop() -> None:
    rig = Rig()
    ids = add(rig, 1)
    wait = {"retry-after": "0"}
    rig.upstream.always = Response(status=429, headers=wait, received_at=rig.clock.now())
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", *ids)
        await anyio.sleep(60)
    assert len(rig.upstream.sent) <= 61


class Forbids:
    """An Http that refuses the key for one generation, and asks another Http for all others."""

    def __init__(self, others: Http, id_: str) -> None:
        self.others = others
        self.id = id_

    async def send(
        self,
        request: Request,
        *,
        timeout: timedelta,  # noqa: ASYNC109  (the port's word)
        limit: int,
        way: Way = DIRECT,
    ) -> Answer:
        answer = await self.others.send(request, timeout=timeout, limit=limit)
        if isinstance(answer, Response) and self.id in request.url:
            return Response(status=403, received_at=answer.received_at)
        return answer


async def test_a_403_for_one_generation_does_not_pause_the_others() -> None:
    rig = Rig()
    ids = add(rig, 10)
    rig.network.hosts["upstream.example"] = Forbids(rig.upstream, ids[0])
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        await engine.watch("luma-agents", *ids)
        await anyio.sleep(120)
        before = len(rig.upstream.sent)
        await anyio.sleep(120)
    moments = asked_at(rig)[before:]
    assert max(b - a for a, b in pairwise(moments)) < 60


async def test_a_crowd_of_early_holds_is_one_lie() -> None:
    rig = Rig()
    rig.upstream.switch("aimlapi-luma", holding=Holding.IGNORED)
    ids = add(rig, 50, "aimlapi-luma", (("queued", 650.0), ("dreaming", None)))
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(60)
        rig.upstream.switch("aimlapi-luma", holding=Holding.HONOURED)
        await anyio.sleep(700)
        assert rig.upstream.open > 30
    phrases = rig.log.phrases("warning")
    assert phrases.count("the source does not hold: plain looks for now") == 1


async def test_after_a_hold_that_failed_the_next_plain_look_leads_back_to_holding() -> None:
    rig = Rig()
    (id_,) = add(rig, 1, "aimlapi-luma", (("queued", 3600.0), ("completed", None)))
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", id_)
        await anyio.sleep(3560)
        rig.upstream.instead.extend([500, 500])
        await anyio.sleep(60)
    assert rig.told(id_) == ["queued", "stalled", "completed"]
    assert rig.posts()[-1].at < 3605


@pytest.mark.parametrize("name", ["aimlapi-luma", "luma-agents"])
async def test_a_generation_that_is_missing_is_asked_for_less_and_less(name: str) -> None:
    rig = Rig()
    rig.upstream.latency = LATENCY
    async with rig.engine([source(rig.upstream, name)], [webhook()]) as engine:
        await engine.watch(name, "no-such-generation")
        await anyio.sleep(600)
    assert rig.told("no-such-generation") == ["lost"]
    assert len(rig.upstream.sent) < 20


class Silent:
    """A provider whose answers never speak of what was asked."""

    abilities = Abilities(rate=100.0, floor=timedelta(seconds=1))

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, look: Look) -> Asking:
        yield Request(method="GET", url=self.url)
        return Seen(observations=())


class TwoQuestions(Silent):
    """A provider that asks twice for each look."""

    def ask(self, look: Look) -> Asking:
        yield Request(method="GET", url=self.url)
        yield Request(method="GET", url=self.url)
        return Seen(observations=())


class Nonsense(Silent):
    """A provider whose observations cannot be told to anybody."""

    def ask(self, look: Look) -> Asking:
        response = yield Request(method="GET", url=self.url)
        assert isinstance(response, Response)
        nonsense: Any = object()
        seen = Observation(
            id="g",
            native_state="queued",
            state=State.QUEUED,
            observed_at=response.received_at,
            progress=nonsense,
        )
        return Seen(observations=(seen,))


def strange(
    rig: Rig, make: Callable[[str], Silent] = Silent, rate: float = 100.0
) -> Source:
    provider = make(f"{rig.upstream.url('luma-agents')}/g")
    return Source(
        name="strange",
        provider_name="strange",
        provider=provider,
        rate=Rate(per_second=rate),
    )


async def test_a_provider_that_never_speaks_of_it_is_asked_less_and_less() -> None:
    rig = Rig()
    async with rig.engine([strange(rig)], [webhook()]) as engine:
        await engine.watch("strange", "g")
        await anyio.sleep(3600)
    assert len(rig.upstream.sent) < 300
    assert rig.log.phrases("warning").count("a look failed") < 5


async def test_a_second_request_of_a_look_counts_against_the_rate_of_the_key() -> None:
    rig = Rig()
    slow = strange(rig, TwoQuestions, rate=2.0)
    async with rig.engine([slow], [webhook()]) as engine:
        await engine.watch("strange", *(f"g{i}" for i in range(100)))
        await anyio.sleep(60)
    assert len(rig.upstream.sent) <= 2.0 * 60 + 4


async def test_an_observation_that_cannot_be_told_costs_no_other_watch() -> None:
    rig = Rig()
    (id_,) = add(rig, 1, script=WALK)
    sources = [strange(rig, Nonsense), source(rig.upstream, "luma-agents")]
    async with rig.engine(sources, [webhook()]) as engine:
        await engine.watch("strange", "g")
        await engine.watch("luma-agents", id_)
        await anyio.sleep(120)
        assert engine.supervisor.watching() == 1
    assert rig.told(id_)[-1] == "completed"
    assert "a look failed" in rig.log.phrases("warning")


class Picky(MemoryStore):
    """A store that will not have changes, for no reason that goes away."""

    async def write(
        self, changes: Sequence[Change], settlements: Sequence[Settlement]
    ) -> Written:
        if changes:
            raise StoreError("cannot be stored")
        return await super().write(changes, settlements)


async def test_a_change_that_the_store_refuses_for_good_makes_no_hot_loop() -> None:
    rig = Rig()
    rig.store = Picky(rig.clock, rig._uid)  # noqa: SLF001  (the rig's own source of uids)
    ids = add(rig, 1, "aimlapi-luma", (("completed", None),))
    async with rig.engine([source(rig.upstream)], [webhook()]) as engine:
        await engine.watch("aimlapi-luma", *ids)
        await anyio.sleep(600)
        assert engine.supervisor.watching() == 1
    assert 2 <= len(rig.upstream.sent) <= 20
