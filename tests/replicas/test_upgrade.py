"""Three replicas are replaced by a newer release, one by one, while everybody works.

Before: `genbridge db upgrade` adds what the new release needs (an *expand*). After: the release
after it takes away what the old one needed (a *contract*), which it may not while an old one runs.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from subprocess import CompletedProcess

import anyio
import pytest

from bridge.store.tables import REVISION
from tests.fakes.postgres import Server, serving
from tests.replicas.fleet import PATIENCE, Fleet, Replica, Verdict, opened
from tests.replicas.releases import CONTRACT, EXPAND, next_release, release_after_it

pytestmark = pytest.mark.timeout(300)

COUNT = 200
MORE = 20
"""Generations that each newer replica brings along, so that there is something to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What came of the play: what commands and starts have said, and the verdict."""

    too_early: Replica
    """The new release, begun before the upgrade."""
    expanded: str
    denied: CompletedProcess[bytes]
    """The contract while an old replica runs."""
    contracted: str
    too_late: Replica
    """The old release, begun after the contract."""
    stranded: Replica
    """An old replica that was cut off while the contract was made."""
    columns: list[str]
    told_meanwhile: list[int]
    """Callbacks between each two steps."""
    verdict: Verdict


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with serving() as server:
        yield anyio.run(played, server, tmp_path_factory.mktemp("fleet"))


async def played(server: Server, folder: Path) -> Play:
    new, last = str(next_release(folder)), str(release_after_it(folder / "later"))
    async with opened(folder, server) as fleet:
        fleet.generations(COUNT, first=8.0, last=20.0)
        *old, stranded = await fleet.add(4)
        told = [len(fleet.receiver.accepted)]
        too_early = await refused(fleet, new)
        expanded = await upgraded(fleet, new)
        for one in old[:2]:
            await replaced(fleet, one, new, told)
        denied = await upgrade(fleet, last)
        await replaced(fleet, old[2], new, told)
        await cut_off(fleet, stranded)
        contracted = await upgraded(fleet, last)
        stranded.send(signal.SIGCONT)
        await stranded.ended()
        too_late = await refused(fleet, None)
        for one in [one for one in fleet.replicas if one.code is None]:
            await replaced(fleet, one, last, told)
        await fleet.all_told()
        columns = await fleet.sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'replicas'::regclass"
            " AND attnum > 0 AND NOT attisdropped"
        )
        return Play(
            too_early=too_early,
            expanded=expanded,
            denied=denied,
            contracted=contracted,
            stranded=stranded,
            too_late=too_late,
            columns=[row[0] for row in columns],
            told_meanwhile=[b - a for a, b in pairwise(told)],
            verdict=await fleet.verdict(),
        )


async def replaced(fleet: Fleet, old: Replica, tree: str, told: list[int]) -> None:
    """Begin a newer one with more to watch, end the old one in order; wait for callbacks."""
    fleet.generations(MORE, first=3.0, last=6.0)
    await fleet.add(PYTHONPATH=tree)
    assert await old.stop() == 0
    ends = {(id_, "completed") for id_ in fleet.ids[-MORE:]}
    with anyio.move_on_after(PATIENCE):
        await fleet.receiver.wait(lambda _: not ends.isdisjoint(fleet.told()))
    told.append(len(fleet.receiver.accepted))


async def cut_off(fleet: Fleet, old: Replica) -> None:
    """Freeze a replica, and end what it has at the server: nothing of it says that it lives."""
    old.send(signal.SIGSTOP)
    await fleet.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_locks"
        " WHERE locktype = 'advisory' AND objid = $1 AND classid = 'replicas'::regclass",
        old.me,
    )


async def refused(fleet: Fleet, tree: str | None) -> Replica:
    """Begin one that cannot start, and wait until it has ended."""
    one = await fleet.enter(**({} if tree is None else {"PYTHONPATH": tree}))
    one.configure(fleet.settings())
    await one.begin()
    await one.ended()
    return one


async def upgrade(fleet: Fleet, tree: str) -> CompletedProcess[bytes]:
    """Run the upgrade of a release on the configuration of the fleet."""
    return await fleet.replicas[0].command("db", "upgrade", tree=tree)


async def upgraded(fleet: Fleet, tree: str) -> str:
    done = await upgrade(fleet, tree)
    assert done.returncode == 0, done.stderr
    return (done.stdout + done.stderr).decode()


def test_nothing_is_lost_forked_or_told_out_of_order(play: Play) -> None:
    verdict = play.verdict
    assert (verdict.lost, verdict.forked, verdict.overtaken, verdict.invented) == (0,) * 4


def test_callbacks_go_on_at_every_step(play: Play) -> None:
    assert len(play.told_meanwhile) == 6
    assert all(count > 0 for count in play.told_meanwhile), play.told_meanwhile


def test_a_new_release_is_refused_before_the_upgrade_and_names_it(play: Play) -> None:
    assert play.too_early.code == 2
    assert (
        f"this genbridge needs {EXPAND}: run `genbridge db upgrade`" in play.too_early.text
    )


def test_an_expand_is_made_while_old_replicas_work(play: Play) -> None:
    assert f"the schema is {EXPAND} now, it was {REVISION}" in play.expanded


def test_a_contract_waits_until_no_old_replica_runs(play: Play) -> None:
    assert play.denied.returncode == 2
    assert f"needs the schema {REVISION}".encode() in play.denied.stderr
    assert f"the schema is {CONTRACT} now, it was {EXPAND}" in play.contracted
    assert "version" not in play.columns
    assert "build" in play.columns


def test_an_old_replica_that_missed_the_contract_ends_and_says_why(play: Play) -> None:
    assert play.stranded.code == 2
    assert f"the schema {CONTRACT} of a newer genbridge: run that one" in play.stranded.text


def test_an_old_release_is_refused_after_the_contract(play: Play) -> None:
    assert play.too_late.code == 2
    assert f"the schema {CONTRACT} of a newer genbridge: run that one" in play.too_late.text
