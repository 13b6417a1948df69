"""What the deadline of a watch does: the first answer after it decides, and nothing else."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from bridge.core.network.exchange import Phase, Response, Unanswered
from tests.engine.rig import Rig, source, webhook

pytestmark = pytest.mark.anyio

LUMA = "luma-agents"
DEADLINE = timedelta(minutes=5)
HTML = b"<!doctype html><title>maintenance</title>"


def nothing_said(rig: Rig) -> list[Any]:
    def answer(status: int, body: bytes = b"") -> Response:
        return Response(status=status, body=body, received_at=rig.clock.now())

    return [
        answer(200, HTML),
        answer(200, b'{"no": "state"}'),
        answer(503),
        answer(429),
        answer(401),
        Unanswered(phase=Phase.CONNECT, reason="connection refused"),
    ]


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(
    ("script", "told"),
    [
        ((("dreaming", None),), ["dreaming", "lost"]),
        ((("dreaming", 600.0), ("completed", None)), ["dreaming", "completed"]),
    ],
)
async def test_what_says_nothing_of_a_generation_delays_the_end_and_the_first_answer_decides(
    number: int, script: Any, told: list[str]
) -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        one = rig.upstream.add(LUMA, script=script)
        await engine.watch(LUMA, one, deadline=DEADLINE)
        await anyio.sleep(60)
        rig.upstream.always = nothing_said(rig)[number]
        await anyio.sleep(3600)
        assert rig.told(one) == ["dreaming"]
        rig.upstream.always = None
        await anyio.sleep(1800)
    assert rig.told(one) == told


async def test_with_an_api_that_answers_a_generation_is_lost_at_its_deadline() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        one = rig.upstream.add(LUMA, script=(("dreaming", None),))
        await engine.watch(LUMA, one, deadline=DEADLINE)
        await anyio.sleep(DEADLINE.total_seconds() - 1)
        assert rig.told(one) == ["dreaming"]
        await anyio.sleep(5)
    assert rig.told(one) == ["dreaming", "lost"]


async def test_what_is_not_found_at_its_deadline_is_lost() -> None:
    rig = Rig()
    async with rig.engine([source(rig.upstream, LUMA)], [webhook()]) as engine:
        await engine.watch(LUMA, "never-begun", deadline=timedelta(seconds=20))
        await anyio.sleep(25)
    assert rig.told("never-begun") == ["lost"]
