"""The fakes keep their promises on virtual time: no socket, no thread, no real second."""

import json
from datetime import timedelta
from typing import Any

import anyio
import pytest
import trio.testing

from bridge.core.network.exchange import Answer, Phase, Request, Response, Unanswered
from bridge.core.ports import Chance, Clock, Http
from bridge.simulator.switches import Fault
from tests.fakes.clock import EPOCH, Dice, LoadedDice, VirtualClock
from tests.fakes.network import FakeNetwork
from tests.fakes.receiver import FakeReceiver, Slow
from tests.fakes.upstream import FakeUpstream

pytestmark = pytest.mark.anyio

WALK = [("queued", 5.0), ("dreaming", 20.0), ("completed", None)]
KEY = (("Authorization", "Bearer any"),)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def ask(http: Http, url: str, seconds: float = 40.0, limit: int = 1 << 20) -> Answer:
    request = Request(method="GET", url=url, headers=KEY)
    return await http.send(request, timeout=timedelta(seconds=seconds), limit=limit)


def hold(upstream: FakeUpstream, id_: str, state: str) -> str:
    path = "/v2/generate/video/luma-ai/generation"
    return f"{upstream.url('aimlapi-luma')}{path}?generation_id={id_}&state={state}"


async def post(
    receiver: Http, seconds: float = 15.0, url: str = "https://a/hook"
) -> Answer:
    request = Request(
        method="POST", url=url, headers=(("Webhook-Id", "m"),), body=b'{"type": "x"}'
    )
    return await receiver.send(request, timeout=timedelta(seconds=seconds), limit=10)


async def test_the_clock_jumps_and_begins_at_a_fixed_moment() -> None:
    clock: Clock = VirtualClock()
    assert clock.now() == EPOCH
    await anyio.sleep(86_400)
    assert clock.now() == EPOCH + timedelta(days=1)
    assert clock.monotonic() == anyio.current_time()


@pytest.mark.parametrize(("began", "queued"), [(0.1, 0.2), (3.3, 1.1), (1e5 / 3, 0.7)])
async def test_a_hold_ends_with_the_state_waited_for_at_times_that_are_not_exact(
    began: float, queued: float
) -> None:
    upstream = FakeUpstream(VirtualClock())
    await anyio.sleep(began)
    for number in range(50):
        script = [("queued", queued + number / 7), ("dreaming", None)]
        id_ = upstream.add("aimlapi-luma", script=script)
        answer = await ask(upstream, hold(upstream, id_, "dreaming"))
        assert isinstance(answer, Response)
        assert json.loads(answer.body)["state"] == "dreaming"


def test_dice_fall_alike_for_the_same_seed() -> None:
    one: Chance = Dice(7)
    two, three = Dice(7), Dice(8)
    first = [one.draw() for _ in range(5)]
    assert first == [two.draw() for _ in range(5)]
    assert first != [three.draw() for _ in range(5)]
    assert LoadedDice(0.25).draw() == 0.25


async def test_a_hold_wakes_at_the_very_moment_of_the_transition() -> None:
    upstream = FakeUpstream(VirtualClock())
    id_ = upstream.add("aimlapi-luma", script=WALK)
    answer = await ask(upstream, hold(upstream, id_, "dreaming"))
    assert isinstance(answer, Response)
    assert b'"dreaming"' in answer.body
    assert anyio.current_time() == 5.0
    answer = await ask(upstream, hold(upstream, id_, "completed"))
    assert anyio.current_time() == 25.0
    assert isinstance(answer, Response)
    assert answer.received_at == EPOCH + timedelta(seconds=25)
    assert [call.at for call in upstream.requests] == [0.0, 5.0]


async def test_a_hold_ends_after_thirty_seconds_to_the_moment() -> None:
    upstream = FakeUpstream(VirtualClock())
    id_ = upstream.add("aimlapi-luma", script=[("queued", None)])
    await ask(upstream, hold(upstream, id_, "dreaming"))
    assert anyio.current_time() == 30.0


async def test_an_impatient_client_gets_no_answer() -> None:
    upstream = FakeUpstream(VirtualClock())
    id_ = upstream.add("aimlapi-luma", script=[("queued", None)])
    answer = await ask(upstream, hold(upstream, id_, "dreaming"), seconds=10)
    assert isinstance(answer, Unanswered)
    assert answer.phase is Phase.DEADLINE
    assert anyio.current_time() == 10.0
    assert upstream.open == 0


async def test_ten_thousand_holds_can_be_open_at_once() -> None:
    upstream = FakeUpstream(VirtualClock())
    async with anyio.create_task_group() as tasks:
        for _ in range(10_000):
            id_ = upstream.add("aimlapi-luma", script=WALK)
            tasks.start_soon(ask, upstream, hold(upstream, id_, "dreaming"))
        await anyio.sleep(1)
        assert upstream.open == 10_000
    assert anyio.current_time() == 5.0


async def test_luma_agents_is_there_too() -> None:
    upstream = FakeUpstream(VirtualClock(), latency=timedelta(seconds=1))
    id_ = upstream.add("luma-agents", script=WALK, age=6.0)
    url = f"{upstream.url('luma-agents')}/generations/{id_}"
    answer = await ask(upstream, url)
    assert isinstance(answer, Response)
    assert b'"processing"' in answer.body
    assert anyio.current_time() == 1.0


async def test_an_upstream_can_answer_something_else() -> None:
    upstream = FakeUpstream(VirtualClock())
    id_ = upstream.add("luma-agents", script=WALK)
    url = f"{upstream.url('luma-agents')}/generations/{id_}"
    refused = Unanswered(phase=Phase.CONNECT, reason="refused")
    upstream.instead.extend([503, refused])
    upstream.always = 500
    answers = [await ask(upstream, url) for _ in range(3)]
    upstream.always = None
    last = await ask(upstream, url)
    assert isinstance(last, Response)
    statuses = [a.status if isinstance(a, Response) else a for a in [*answers, last]]
    assert statuses == [503, refused, 500, 200]
    assert (len(upstream.sent), len(upstream.requests)) == (4, 1)


@pytest.mark.parametrize(
    ("fault", "phase"), [(Fault.RESET, Phase.ANSWER), (Fault.SILENCE, Phase.DEADLINE)]
)
async def test_a_broken_connection_is_a_value(fault: Fault, phase: Phase) -> None:
    upstream = FakeUpstream(VirtualClock())
    upstream.switch(fault=fault)
    answer = await ask(upstream, hold(upstream, "a", "queued"))
    assert isinstance(answer, Unanswered)
    assert answer.phase is phase


async def test_a_drip_takes_a_second_a_byte_and_a_long_body_is_cut() -> None:
    upstream = FakeUpstream(VirtualClock())
    upstream.switch(fault=Fault.DRIP)
    id_ = upstream.add("luma-agents", script=WALK)
    url = f"{upstream.url('luma-agents')}/generations/{id_}"
    late = await ask(upstream, url, seconds=100)
    assert isinstance(late, Unanswered)
    patient = await ask(upstream, url, seconds=10_000, limit=7)
    assert isinstance(patient, Response)
    assert (len(patient.body), patient.cut) == (7, True)


async def test_a_receiver_can_be_down_for_two_days() -> None:
    receiver = FakeReceiver(
        VirtualClock(), lambda age, _request: 204 if age >= timedelta(days=2) else 503
    )
    await post(receiver)
    await anyio.sleep(timedelta(days=2).total_seconds())
    answer = await post(receiver)
    assert isinstance(answer, Response)
    assert [p.answered for p in receiver.posted] == [503, 204]
    (taken,) = receiver.accepted
    assert (taken.id, taken.document, taken.age) == ("m", {"type": "x"}, timedelta(days=2))


async def test_a_receiver_can_hang_and_still_have_taken_it() -> None:
    slow = Slow(after=timedelta(seconds=60), then=200)
    receiver = FakeReceiver(VirtualClock(), lambda _age, _request: slow)
    answer = await post(receiver, seconds=15)
    assert isinstance(answer, Unanswered)
    assert anyio.current_time() == 15.0
    assert len(receiver.accepted) == 1
    assert (receiver.open, receiver.most_open) == (0, 1)


async def test_a_receiver_can_be_slow_but_in_time() -> None:
    slow = Slow(after=timedelta(seconds=10), then=202)
    receiver = FakeReceiver(VirtualClock(), lambda _age, _request: slow)
    answer = await post(receiver, seconds=15)
    assert isinstance(answer, Response)
    assert (answer.status, anyio.current_time()) == (202, 10.0)


async def test_a_network_tells_hosts_apart() -> None:
    receiver = FakeReceiver(VirtualClock())
    network = FakeNetwork({"a": receiver})
    assert isinstance(await post(network), Response)
    gone = await post(network, url="https://b/hook")
    assert isinstance(gone, Unanswered)
    assert gone.phase is Phase.RESOLVE
    assert len(receiver.posted) == 1
