"""What the rules of the fleet are worth: without them the same faults do harm."""

import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import pytest

from bridge.core.sharing.liveness import Pace
from tests.fakes.postgres import NAMED, Server, serving
from tests.replicas.fleet import QUICKLY, Fleet, Verdict, opened
from tests.replicas.relay import relaying

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(150)]

NERVOUS = Pace(beat=0.5, silent=3.0)
"""What is on its way to a frozen replica may not grow too old for it: a look has ten seconds."""

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
    ((dead, last),) = await fleet.sql(
        "SELECT count(*) FILTER (WHERE dead_at IS NOT NULL), max(id) FROM replicas"
    )
    return int(dead) > 0 or int(last) > len(fleet.replicas)


async def restarted(folder: Path, server: Server, pace: Pace) -> bool:
    """Restart the server while a replica is late to return; return whether it was buried."""
    async with opened(folder, server, pace=pace) as fleet:
        others = (await fleet.add(3))[1:]
        late = fleet.replicas[0]
        late.send(signal.SIGSTOP)
        await anyio.to_thread.run_sync(server.control, "-m", "immediate", "-w", "restart")
        for one in others:
            await one.logged("the database knows this replica again")
        # Long enough for one look of theirs (every half second), too short for two sightings.
        await anyio.sleep(1.0)
        buried = await died(fleet)
        late.send(signal.SIGCONT)
        await late.logged("the database knows this replica again")
        return buried or await died(fleet)


async def test_with_one_sighting_a_restart_buries_the_living(
    server: Server, tmp_path: Path
) -> None:
    assert await restarted(tmp_path, server, CREDULOUS)


async def test_with_two_on_a_settled_session_it_buries_nobody(
    server: Server, tmp_path: Path
) -> None:
    # Settled later than usual, so that a busy machine has time to let the late one return.
    assert not await restarted(tmp_path, server, Pace(beat=0.5, settled=9.0))


async def thawed(folder: Path, server: Server, entry: str) -> Verdict:
    """Freeze a replica with answers on their way to it; thaw it when others have seen the end."""
    async with opened(folder, server, pace=NERVOUS, entry=entry) as fleet:
        port = urlsplit(fleet.asked).port
        assert port is not None
        relay = await fleet.stack.enter_async_context(relaying("127.0.0.1", port, lag=0.7))
        fleet.asked = fleet.asked.replace(f"http://127.0.0.1:{port}", relay.origin)
        fleet.interval = "1s"
        fleet.generations(400)
        await fleet.add(3)
        await fleet.balanced()
        fleet.begin_anew(first=8.5, last=9.5)
        await anyio.sleep(6.0)
        victim = fleet.replicas[0]
        id_ = victim.me
        victim.send(signal.SIGSTOP)
        await fleet.seconds(lambda owned: not owned.get(id_))
        await fleet.at_rest()
        victim.send(signal.SIGCONT)
        await victim.logged("declared dead by the others: returning under a new id")
        await fleet.at_rest()
        await fleet.quiet()
        return await fleet.verdict()


async def test_without_fences_a_thawed_replica_tells_what_is_long_over(
    server: Server, tmp_path: Path
) -> None:
    # On a busy machine what was under way may grow too old meanwhile: then nothing can be shown.
    for turn in range(3):
        folder = tmp_path / str(turn)
        folder.mkdir()
        verdict = await thawed(folder, server, "tests.replicas.fenceless")
        if verdict.overtaken > 0:
            return
    pytest.fail("nothing was told out of order: the fences could be dropped")


async def test_with_fences_it_does_not(server: Server, tmp_path: Path) -> None:
    verdict = await thawed(tmp_path, server, QUICKLY)
    assert (verdict.lost, verdict.forked, verdict.overtaken, verdict.invented) == (0,) * 4


async def struck(folder: Path, server: Server, entry: str) -> Verdict:
    """Kill a replica while it has much to send."""
    async with opened(folder, server, entry=entry) as fleet:
        fleet.generations(150, first=5.0, last=8.0)
        await fleet.add(3)
        await fleet.receiver.wait(lambda one: len(one.accepted) > 150)
        await fleet.replicas[0].kill()
        await fleet.at_rest()
        await fleet.quiet()
        return await fleet.verdict()


async def test_done_before_the_post_loses_what_a_killed_replica_had_under_way(
    server: Server, tmp_path: Path
) -> None:
    verdict = await struck(tmp_path, server, "tests.replicas.hasty")
    assert verdict.lost > 0


async def test_done_after_it_loses_nothing(server: Server, tmp_path: Path) -> None:
    verdict = await struck(tmp_path, server, QUICKLY)
    assert (verdict.lost, verdict.forked, verdict.overtaken, verdict.invented) == (0,) * 4
