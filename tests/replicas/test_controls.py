"""What the rules of the fleet are worth: without them the same faults do harm."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from bridge.core.sharing.liveness import Pace
from tests.fakes.postgres import NAMED, Server, serving
from tests.replicas.fleet import Fleet, opened

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

CREDULOUS = Pace(beat=0.5, silent=5.0, gone=0.0, settled=0.0)
"""One sighting is enough, on a session of any age."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as one:
        if one.folder is None:
            pytest.skip(f"the server that {NAMED} names is not ours to restart")
        yield one


async def died(fleet: Fleet) -> bool:
    """Return whether anybody was ever declared dead: ids never come again."""
    ((last,),) = await fleet.sql("SELECT max(id) FROM replicas")
    return int(last) > len(fleet.replicas)


async def test_with_one_sighting_a_restart_buries_the_living(
    server: Server, tmp_path: Path
) -> None:
    async with opened(tmp_path, server, pace=CREDULOUS) as fleet:
        await fleet.add(3)
        for _ in range(6):
            await anyio.to_thread.run_sync(
                server.control, "-m", "immediate", "-w", "restart"
            )
            await anyio.sleep(2.0)
            if await died(fleet):
                return
        pytest.fail("nobody was buried: the rule could be dropped")
