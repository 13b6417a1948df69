"""Nobody orders anything: what an account makes is found in its list, told once, and no more."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bridge.simulator.receiver import Receiver
from bridge.telemetry.clock import SystemClock
from tests.e2e.daemon import Daemon
from tests.e2e.scene import KEY, Theatre, accepted, facts, settings, source, webhook

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

NAME = "dream-machine"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_is_made_is_told_by_itself_also_after_a_restart(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(Theatre())
        studio = await stack.enter_async_context(Receiver(clock=SystemClock(), keys=[KEY]))
        old = upstream.add(NAME, script=(("completed", None),))
        running = upstream.add(NAME, script=(("dreaming", 0.5), ("completed", None)))
        upstream.curtain.ready()
        daemon = await stack.enter_async_context(Daemon(tmp_path))
        whole = settings(
            {NAME: source(upstream.url(NAME), NAME, discover=True, interval="1s")},
            {"studio": webhook(studio.url, states=["completed"])},
            [],
        )
        await daemon.start(whole)
        await accepted(studio, 1)
        assert await daemon.stop() == 0
        # Made, and over, while nobody looks.
        new = upstream.add(NAME, script=(("completed", None),))
        await daemon.start()
        await accepted(studio, 2)
        assert await daemon.stop() == 0
        told = [facts(one)["generation_id"] for one in studio.accepted]
        assert told == [running, new]
        assert old not in told
