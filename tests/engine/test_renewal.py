"""When and how links are renewed before something is sent once more, on virtual time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio
import msgspec
import pytest

from bridge.core.delivering.delivery import Delivery
from bridge.core.event import Event, envelope
from bridge.core.ladder import State
from bridge.core.looking import Observation, Output
from bridge.core.watch import Generation
from bridge.engine.renewal import Renewal
from tests.engine.rig import Rig, every, source, webhook
from tests.engine.trips import delivery
from tests.fakes.clock import EPOCH, VirtualClock

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
OLD = (
    Output(type="video", url="https://cdn.example/old", expires_at=EPOCH + HOUR),
    Output(type="image", url="https://cdn.example/still", role="thumbnail"),
)


def told(outputs: tuple[Output, ...] = OLD, **changes: Any) -> Delivery:
    facts: dict[str, Any] = {
        "tag": "completed",
        "occurred_at": EPOCH,
        "source": "luma",
        "provider": "luma-agents",
        "generation_id": "g1",
        "state": State.COMPLETED,
        "native_state": "completed",
        "previous_state": State.DREAMING,
        "observed_at": EPOCH,
        "outputs": outputs,
        "metadata": {"price": 1.50, "huge": 2**70, "name": "zażółć"},
        "sequence": 2,
    }
    return delivery(envelope(Event(**(facts | changes))))


class Upstream:
    """An observer; each look brings a link with a number, that lives for an hour."""

    def __init__(self) -> None:
        self.looks: list[Generation] = []
        self.renewing = True
        self.takes = 1.0
        self.state = State.COMPLETED
        self.life = HOUR
        self.answers = True

    def renews(self, source: str) -> bool:
        return self.renewing and source == "luma"

    async def observe(self, generation: Generation) -> Observation | None:
        self.looks.append(generation)
        await anyio.sleep(self.takes)
        if not self.answers:
            return None
        until = now() + self.life
        number = len(self.looks)
        outputs = (
            Output(
                type="image", url=f"https://cdn.example/still{number}", role="thumbnail"
            ),
            Output(type="video", url=f"https://cdn.example/new{number}", expires_at=until),
        )
        return Observation(
            id=generation.id,
            native_state="x",
            state=self.state,
            observed_at=now(),
            outputs=outputs,
        )


def now() -> datetime:
    return VirtualClock().now()


class Office:
    """A renewal with an upstream behind it, two hours after the links were told."""

    def __init__(self) -> None:
        self.upstream = Upstream()
        self.renewal = Renewal(self.upstream, clock=VirtualClock())

    async def links(self, one: Delivery | None = None) -> list[str] | None:
        message = await self.renewal.fresh(one or told())
        if message is None:
            return None
        return [output["url"] for output in document(message.body)["data"]["outputs"]]


def document(body: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(body)
    return decoded


@pytest.fixture
async def office() -> Office:
    office = Office()
    await anyio.sleep(2 * HOUR.total_seconds())
    return office


async def test_links_that_have_run_out_are_looked_for_again(office: Office) -> None:
    assert await office.links() == [
        "https://cdn.example/new1",
        "https://cdn.example/still1",
    ]
    assert office.upstream.looks == [Generation("luma", "g1")]


async def test_all_but_the_links_stays_to_the_byte(office: Office) -> None:
    one = told()
    fresh = await office.renewal.fresh(one)
    assert fresh is not None
    assert (fresh.id, fresh.raw) == (one.message.id, one.message.raw)
    before, after = one.message.body, fresh.body
    assert before.split(b'"outputs":')[0] == after.split(b'"outputs":')[0]
    assert before.split(b'"failure":')[1] == after.split(b'"failure":')[1]
    [video, _] = document(after)["data"]["outputs"]
    assert video["expires_at"] == "2026-11-21T11:30:01Z"


async def test_one_look_serves_all_while_its_links_live(office: Office) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(office.links)
    await anyio.sleep(3000)
    assert await office.links() == [
        "https://cdn.example/new1",
        "https://cdn.example/still1",
    ]
    assert len(office.upstream.looks) == 1
    await anyio.sleep(700)
    assert await office.links() == [
        "https://cdn.example/new2",
        "https://cdn.example/still2",
    ]


NOTHING_TO_RENEW: dict[str, dict[str, Any]] = {
    "links that never run out": {"outputs": OLD[1:]},
    "links that still live": {"outputs": (replace(OLD[0], expires_at=EPOCH + 9 * HOUR),)},
    "no links": {"outputs": ()},
    "a state before the end": {"tag": "dreaming", "state": State.DREAMING},
    "a source that is gone": {"source": "another"},
}


@pytest.mark.parametrize("changes", NOTHING_TO_RENEW.values(), ids=NOTHING_TO_RENEW)
async def test_nobody_looks_for(office: Office, changes: dict[str, Any]) -> None:
    assert await office.links(told(**changes)) is None
    assert not office.upstream.looks


async def test_links_that_live_are_left_alone() -> None:
    office = Office()
    assert await office.links() is None
    assert not office.upstream.looks


async def test_what_is_no_generation_is_left_alone(office: Office) -> None:
    body = b'{"type":"webhook.failing","data":{"expires_at":"2020-01-01T00:00:00Z"}}'
    assert await office.links(delivery(body)) is None


async def test_a_provider_that_does_not_renew_links_is_not_asked(office: Office) -> None:
    office.upstream.renewing = False
    assert await office.links() is None
    assert not office.upstream.looks


async def test_a_look_that_fails_is_not_repeated_for_a_minute(office: Office) -> None:
    office.upstream.answers = False
    for _ in range(5):
        assert await office.links() is None
    assert len(office.upstream.looks) == 1
    office.upstream.answers = True
    await anyio.sleep(60)
    assert await office.links() is not None


async def test_links_that_have_run_out_again_are_not_sent(office: Office) -> None:
    office.upstream.life = -HOUR
    one = told((OLD[0],))
    assert await office.links(one) is None


async def test_a_generation_that_is_no_longer_completed_keeps_its_links(
    office: Office,
) -> None:
    office.upstream.state = State.FAILED
    assert await office.links() is None


async def test_a_slow_look_holds_up_a_delivery_for_ten_seconds(office: Office) -> None:
    office.upstream.takes = 300.0
    began = anyio.current_time()
    assert await office.links() is None
    assert anyio.current_time() == pytest.approx(began + 10.0)


# Out of turn, through the poller


async def test_a_look_out_of_turn_keeps_to_the_rate_and_tells_nobody() -> None:
    rig = Rig()
    one = source(rig.upstream, "luma-agents")
    slow = replace(one, rate=replace(one.rate, per_second=0.5))
    id_ = rig.upstream.add("luma-agents", script=(("completed", None),))
    async with rig.engine([slow], [webhook(retry=every(1))]) as engine:
        assert engine.supervisor.renews("luma-agents")
        assert not engine.supervisor.renews("another")
        began = anyio.current_time()
        seen = [
            await engine.supervisor.observe(Generation("luma-agents", id_))
            for _ in range(4)
        ]
        assert anyio.current_time() - began >= 5.5
    assert all(one is not None and one.state is State.COMPLETED for one in seen)
    assert not rig.posts()


async def test_a_look_out_of_turn_at_what_is_not_there_teaches_nothing() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, "luma-agents")], [webhook()]) as engine:
        nothing = Generation("luma-agents", "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e")
        assert await engine.supervisor.observe(nothing) is None
        assert await engine.supervisor.observe(Generation("another", "x")) is None
