"""Four replicas, and everything that can befall one of them: nothing is lost, nothing forks.

One play, for most of it is to wait: a replica joins late, one is killed, one is frozen past every
limit and thawed, one loses its connections, and the server itself is restarted the hard way.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from tests.fakes.postgres import NAMED, Server, serving
from tests.replicas.fleet import Fleet, Replica, Verdict, opened

pytestmark = pytest.mark.timeout(240)

COUNT = 700


@dataclass
class Play:
    """What came of the play; times in seconds."""

    verdict: Verdict | None = None
    times: dict[str, float] = field(default_factory=dict)
    joined: list[Replica] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as one:
        if one.folder is None:
            pytest.skip(f"the server that {NAMED} names is not ours to restart")
        yield one


@pytest.fixture(scope="module")
def play(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Play:
    return anyio.run(played, server, tmp_path_factory.mktemp("fleet"))


async def played(server: Server, folder: Path) -> Play:
    play = Play()
    async with opened(folder, server) as fleet:
        fleet.generations(COUNT)
        await fleet.add(3)
        await fleet.seconds(lambda owned: sum(owned.values()) == COUNT)
        fleet.begin_anew(first=7.0, last=23.0)
        await late(fleet, play)
        await killed(fleet, play)
        await frozen(fleet, play)
        await cut(fleet, play)
        await restarted(fleet, play)
        await fleet.all_told()
        play.verdict = await fleet.verdict()
        play.joined = fleet.replicas
        for replica in fleet.replicas[1:]:
            assert await replica.stop() == 0
        rows = await fleet.sql("SELECT count(*) FROM deliveries WHERE status <> 1")
        assert rows[0][0] == 0
    return play


async def late(fleet: Fleet, play: Play) -> None:
    (newcomer,) = await fleet.add()
    share = COUNT // 4
    # A small fleet is fair to within fifty watches: what is nearer is not worth a move.
    play.times["late"] = await fleet.seconds(
        lambda owned: owned.get(newcomer.me, 0) > 50 and max(owned.values()) <= share + 51
    )


async def killed(fleet: Fleet, play: Play) -> None:
    victim = fleet.replicas[0]
    id_ = victim.me
    await victim.kill()
    play.times["killed"] = await fleet.seconds(lambda owned: not owned.get(id_))


async def frozen(fleet: Fleet, play: Play) -> None:
    victim = fleet.replicas[1]
    id_ = victim.me
    victim.send(signal.SIGSTOP)
    play.times["frozen"] = await fleet.seconds(lambda owned: not owned.get(id_))
    victim.send(signal.SIGCONT)
    await victim.logged("declared dead by the others: returning under a new id")


async def cut(fleet: Fleet, play: Play) -> None:
    victim = fleet.replicas[2]
    id_ = victim.me
    began = anyio.current_time()
    await fleet.sql(
        "SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.objid = $1",
        id_,
    )
    await victim.logged("the database knows this replica again", same=True)
    play.times["cut"] = anyio.current_time() - began
    assert victim.me == id_


async def restarted(fleet: Fleet, play: Play) -> None:
    before = {
        row[0] for row in await fleet.sql("SELECT id FROM replicas WHERE dead_at IS NULL")
    }
    began = anyio.current_time()
    await anyio.to_thread.run_sync(fleet.server.control, "-m", "immediate", "-w", "restart")
    told = len(fleet.receiver.deliveries)
    await fleet.receiver.wait(lambda one: len(one.deliveries) > told + 5)
    play.times["restarted"] = anyio.current_time() - began
    await anyio.sleep(5.0)
    rows = await fleet.sql("SELECT id FROM replicas WHERE dead_at IS NOT NULL")
    play.dead = sorted(before & {row[0] for row in rows})


def test_nothing_is_lost(play: Play) -> None:
    assert play.verdict is not None
    assert play.verdict.lost == 0


def test_every_state_is_one_event_with_one_id(play: Play) -> None:
    assert play.verdict is not None
    assert play.verdict.forked == 0
    assert play.verdict.invented == 0


def test_nothing_is_told_out_of_order(play: Play) -> None:
    assert play.verdict is not None
    assert play.verdict.overtaken == 0


def test_a_restart_of_the_server_buries_nobody(play: Play) -> None:
    assert play.dead == []


def test_the_thawed_replica_returned_as_somebody_else(play: Play) -> None:
    thawed = play.joined[1]
    assert len(set(thawed.ids)) == 2


def test_the_fleet_is_quick_to_take_over(play: Play) -> None:
    # Far beyond what is measured (see bench replicas): only that it happens at all.
    assert set(play.times) == {"late", "killed", "frozen", "cut", "restarted"}
    assert all(seconds < 30 for seconds in play.times.values())
