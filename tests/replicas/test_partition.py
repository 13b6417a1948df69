"""The wire between one replica and the server is cut, silently; the rest of its world goes on.

The replica runs in a network namespace of its own. It must fall silent before the others take
over what it watches, and come back as somebody else: whichever way the packets are lost.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import pytest

from tests.fakes.postgres import NAMED, Server, serving
from tests.replicas.fleet import QUICK, QUICKLY, Fleet, Replica, Verdict, opened
from tests.replicas.namespace import BOTH, FROM, NETWORK, Namespace, hindrance, namespace
from tests.replicas.relay import Relay, relaying

pytestmark = pytest.mark.timeout(300)

COUNT = 400

BUSY = 20
"""Requests a second of the replica before the wire is cut."""

LONGER = 1.5
"""Seconds after the end of the take-over in which the replica is still listened to."""

STARTING = 0.5
"""Seconds that may lie between the check that allows a request and its first byte here."""


@dataclass
class Cut:
    """What the cut replica did; moments in seconds since the cut."""

    ways: tuple[str, ...]
    silent: float = 0.0
    """When it last sent anything upstream or to the receiver."""
    taken: float = 0.0
    """When its first watch had another owner."""
    over: float = 0.0
    """When its last one had."""
    back: float = 0.0
    """When it was back, since the wire was whole again."""
    changed: bool = False
    """Whether it came back under another id."""


@dataclass
class Play:
    """What came of the play."""

    verdict: Verdict
    cuts: list[Cut]
    living: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def wire() -> Iterator[tuple[Server, Namespace]]:
    """A namespace, and a server that listens to it."""
    if (why := hindrance()) is not None:
        pytest.skip(why)
    with ExitStack() as stack:
        island = stack.enter_context(namespace())
        server = stack.enter_context(
            serving(f"listen_addresses=127.0.0.1,{island.here}", welcome=NETWORK)
        )
        if server.folder is None:
            pytest.skip(f"the server that {NAMED} names does not listen in our network")
        yield server, island


@pytest.fixture(scope="module")
def play(wire: tuple[Server, Namespace], tmp_path_factory: pytest.TempPathFactory) -> Play:
    return anyio.run(played, *wire, tmp_path_factory.mktemp("fleet"), (BOTH, FROM))


async def played(
    server: Server,
    island: Namespace,
    folder: Path,
    faults: Sequence[tuple[str, ...]],
    entry: str = QUICKLY,
) -> Play:
    async with opened(folder, server, entry=entry) as fleet:
        fleet.database = fleet.database.replace("127.0.0.1", island.here)
        up, down = [
            await fleet.stack.enter_async_context(relaying(island.here, _port(url)))
            for url in (fleet.asked, fleet.told_at)
        ]
        fleet.asked = fleet.asked.replace(_origin(fleet.asked), up.origin)
        fleet.told_at = fleet.told_at.replace(_origin(fleet.told_at), down.origin)
        fleet.generations(COUNT)
        (far,) = await fleet.add(within=island.command)
        await fleet.add(2)
        await fleet.balanced()
        fleet.begin_anew(first=8.0, last=16.0 * (len(faults) + 1))
        cuts = []
        for ways in faults:
            while up.since(island.there, anyio.current_time() - 1.0) < BUSY:  # noqa: ASYNC110
                await anyio.sleep(0.05)
            cuts.append(await cut(fleet, far, island, ways, (up, down)))
        await fleet.all_told()
        verdict = await fleet.verdict()
        rows = await fleet.sql("SELECT id FROM replicas WHERE dead_at IS NULL")
        play = Play(verdict=verdict, cuts=cuts, living=[row[0] for row in rows])
        for replica in fleet.replicas:
            assert await replica.stop() == 0
        return play


async def cut(
    fleet: Fleet,
    far: Replica,
    island: Namespace,
    ways: tuple[str, ...],
    relays: tuple[Relay, Relay],
) -> Cut:
    """Cut the wire until everything is taken over, and heal it until the replica is back."""
    id_, before = far.me, (await fleet.owned())[far.me]
    port = urlsplit(fleet.database).port
    assert port is not None
    began = anyio.current_time()
    island.drop(port, ways)
    one = Cut(ways)
    one.taken = await fleet.seconds(lambda owned: owned.get(id_, 0) < before // 2)
    one.over = one.taken + await fleet.seconds(lambda owned: not owned.get(id_))
    await anyio.sleep(LONGER)
    one.silent = max(relay.last(island.there) for relay in relays) - began
    island.heal()
    healed, before = anyio.current_time(), len(far.ids)
    while len(far.ids) == before:  # noqa: ASYNC110  (a log line has no event)
        await anyio.sleep(0.05)
    one.back = anyio.current_time() - healed
    one.changed = far.me != id_
    return one


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def test_nothing_is_lost_forked_or_told_out_of_order(play: Play) -> None:
    verdict = play.verdict
    assert (verdict.lost, verdict.forked, verdict.overtaken, verdict.invented) == (0,) * 4


def test_a_cut_replica_begins_nothing_once_it_cannot_show_that_it_lives(play: Play) -> None:
    # Its last beat that was confirmed was sent before the cut, so it is over that soon after.
    assert [one.ways for one in play.cuts] == [BOTH, FROM]
    assert all(-1.0 < one.silent < QUICK.fresh + STARTING for one in play.cuts), play.cuts


def test_the_others_take_over_after_it_has_fallen_silent(play: Play) -> None:
    assert all(one.silent < one.taken <= one.over for one in play.cuts), play.cuts


def test_a_healed_replica_returns_as_somebody_else(play: Play) -> None:
    assert all(one.changed for one in play.cuts)
    assert len(play.living) == 3


def test_without_its_own_fence_it_goes_on_for_too_long(
    wire: tuple[Server, Namespace], tmp_path: Path
) -> None:
    play = anyio.run(played, *wire, tmp_path, (BOTH,), "tests.replicas.bold")
    assert all(one.silent > QUICK.fresh + STARTING for one in play.cuts), play.cuts
