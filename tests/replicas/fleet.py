"""Several daemons on one database, with an upstream and a receiver, and what becomes of them."""

import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from random import Random
from subprocess import CompletedProcess
from typing import Any

import anyio
import asyncpg

from bridge.core.sharing.liveness import Pace
from bridge.simulator.receiver import Received, Receiver, Scripted
from bridge.simulator.timeline import Script
from bridge.simulator.upstream import Upstream
from bridge.telemetry.clock import SystemClock
from tests.e2e.daemon import Daemon
from tests.e2e.scene import API_KEY, KEY, facts, settings, source, webhook
from tests.fakes.postgres import Server
from tests.replicas.namespace import NETWORK

QUICK = Pace(beat=0.5, silent=5.0, hints=os.environ.get("GENBRIDGE_TEST_HINTS") != "off")
"""As usual, but a frozen replica is noticed after five seconds."""

QUICKLY = "tests.replicas.quick"
NEVER = 1e6
PATIENCE = 40.0
STATES = ("queued", "dreaming", "completed")


class Replica(Daemon):
    """A daemon of the fleet.

    `entry` is the module that runs, `within` what stands before the command.
    """

    def __init__(
        self, folder: Path, *, entry: str, within: Sequence[str], **environment: str
    ) -> None:
        super().__init__(folder, **environment)
        self._entry = entry
        self._within = within

    @property
    def ids(self) -> list[int]:
        """Return the ids that this run has had, the present one last."""
        return [e["id"] for e in self.entries if e["event"] == "entered the fleet"]

    @property
    def me(self) -> int:
        """Return the id that it has now."""
        return self.ids[-1]

    async def command(self, *arguments: str, tree: str) -> CompletedProcess[bytes]:
        """Run a command of the release in a tree on this replica's configuration."""
        environment = {**self._surroundings(), "PYTHONPATH": tree}
        return await anyio.run_process(
            [sys.executable, "-P", "-m", "bridge", *arguments, "-c", str(self.config)],
            check=False,
            env=environment,
        )

    @property
    def _command(self) -> list[str]:
        # -P: the code is where PYTHONPATH says, wherever the tests run.
        command = [sys.executable, "-P", "-m", self._entry, "run", "-c", str(self.config)]
        return [*self._within, *command]


@dataclass
class Fleet:
    """A database, an upstream, a receiver, and the replicas between them."""

    folder: Path
    server: Server
    database: str
    upstream: Upstream
    receiver: Receiver
    stack: AsyncExitStack
    connection: Any
    pace: Pace
    asked: str
    """Where the upstream is for the replicas."""
    told_at: str
    """Where the receiver is for them."""
    direct: str
    """The database as the test asks it."""
    session_url: str | None = None
    entry: str = QUICKLY
    interval: str = "3s"
    ids: list[str] = field(default_factory=list)
    replicas: list[Replica] = field(default_factory=list)

    def generations(self, count: int, *, first: float = NEVER, last: float = NEVER) -> None:
        """Begin so many generations; their states change between two ages, in seconds."""
        dice = Random(len(self.ids) + 1)
        for _ in range(count):
            script = _script(dice, first, last)
            self.ids.append(self.upstream.add("luma-agents", script=script))

    def begin_anew(self, *, first: float, last: float) -> None:
        """Let all generations be as if they began now, with other ages."""
        dice = Random(1)
        for id_ in self.ids:
            self.upstream.add("luma-agents", id=id_, script=_script(dice, first, last))

    async def quiet(self, seconds: float = 2.0) -> None:
        """Wait until the receiver has not been sent anything for a while."""
        told = -1
        while told != (told := len(self.receiver.deliveries)):  # noqa: ASYNC110  (it is silence)
            await anyio.sleep(seconds)

    async def add(
        self, count: int = 1, *, within: Sequence[str] = (), **environment: str
    ) -> list[Replica]:
        """Begin so many more replicas at once and wait until they are ready."""
        new = [await self.enter(within, **environment) for _ in range(count)]
        async with anyio.create_task_group() as tasks:
            for replica in new:
                tasks.start_soon(replica.start, self.settings())
        return new

    async def enter(self, within: Sequence[str] = (), **environment: str) -> Replica:
        """Return one more replica that is not begun."""
        folder = self.folder / str(len(self.replicas))
        folder.mkdir()
        replica = await self.stack.enter_async_context(
            Replica(
                folder,
                entry=self.entry,
                within=within,
                **{"PACE": json.dumps(asdict(self.pace)), **environment},
            )
        )
        self.replicas.append(replica)
        return replica

    def settings(self) -> dict[str, Any]:
        """Return the configuration that all of them share."""
        luma = source(self.asked, "luma-agents", looks=1, interval=self.interval)
        studio = webhook(self.told_at, timeout="2s", concurrency=30)
        watches = [{"source": "luma", "ids": self.ids}] if self.ids else []
        direct = {} if self.session_url is None else {"session_url": self.session_url}
        return {
            **settings({"luma": luma}, {"studio": studio}, watches),
            **direct,
            "database": self.database,
            "network": {"allow": ["127.0.0.0/8", NETWORK]},
        }

    async def sql(self, text: str, *values: object) -> list[Any]:
        """Ask the database; the connection is made anew where it was lost."""
        for _ in range(100):
            try:
                if self.connection is None or self.connection.is_closed():
                    self.connection = await asyncpg.connect(self.direct)
                return list(await self.connection.fetch(text, *values))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self.connection = None
                await anyio.sleep(0.1)
        raise AssertionError(f"no answer to {text}")

    async def owned(self) -> dict[int, int]:
        """Return how many watches each replica owns, the dead ones too."""
        rows = await self.sql(
            "SELECT r.id, count(w.id) FROM replicas r LEFT JOIN watches w ON w.owner = r.id"
            " GROUP BY r.id"
        )
        return {row[0]: row[1] for row in rows}

    async def seconds(self, so: Callable[[dict[int, int]], bool]) -> float:
        """Return how long it takes until the owners are so."""
        began = anyio.current_time()
        while not so(owned := await self.owned()):
            assert anyio.current_time() - began < PATIENCE, owned
            await anyio.sleep(0.05)
        return anyio.current_time() - began

    async def balanced(self) -> None:
        """Wait until each owns some, and none more than it may keep.

        Replicas are fair to within fifty watches: what is nearer is not worth a move.
        """
        fair = len(self.ids) / len(self.replicas) + 50
        await self.seconds(
            lambda owned: 0 < min(owned.values()) <= max(owned.values()) <= fair
        )

    async def all_told(self) -> None:
        """Wait until the end of every generation was accepted."""
        with anyio.move_on_after(PATIENCE):
            await self.receiver.wait(lambda one: self._ends(one) >= len(self.ids))

    @staticmethod
    def _ends(receiver: Receiver) -> int:
        # By their ids: what is repeated is told once.
        ends = (d for d in receiver.accepted if b'"completed","native' in d.body)
        return len({one.headers["webhook-id"] for one in ends})

    async def at_rest(self) -> None:
        """Wait until nothing runs and nothing is to be sent, as far as the database knows."""
        busy = (
            "SELECT EXISTS (SELECT FROM watches WHERE active)"
            " OR EXISTS (SELECT FROM deliveries WHERE status = 0)"
        )
        with anyio.fail_after(PATIENCE):
            while (await self.sql(busy))[0][0]:  # noqa: ASYNC110  (nobody tells)
                await anyio.sleep(0.2)

    def told(self) -> dict[tuple[str, str], Received]:
        """Return the first acceptance of each state of each generation."""
        first: dict[tuple[str, str], Received] = {}
        for one in self.receiver.accepted:
            data = facts(one)
            first.setdefault((data["generation_id"], data["state"]), one)
        return first

    async def verdict(self) -> "Verdict":
        """Return what came of it all."""
        told = self.told()
        ends = {(id_, "completed") for id_ in self.ids}
        uids = {str(row[0]) for row in await self.sql("SELECT uid FROM events")}
        accepted = {one.headers["webhook-id"] for one in self.receiver.accepted}
        names: dict[tuple[str, str], set[str]] = {}
        times: Counter[tuple[str, str]] = Counter()
        for one in self.receiver.accepted:
            data = facts(one)
            key = (data["generation_id"], data["state"])
            names.setdefault(key, set()).add(one.headers["webhook-id"])
            times[key] += 1
        order = {key: place for place, key in enumerate(told)}
        return Verdict(
            lost=len(ends - told.keys()) + len(uids - accepted),
            forked=sum(len(ids) > 1 for ids in names.values()),
            overtaken=sum(
                order.get((id_, a), -1) > order.get((id_, b), sys.maxsize)
                for id_ in self.ids
                for a, b in combinations(STATES, 2)
            ),
            repeated=sum(count - 1 for count in times.values()),
            invented=len(accepted - uids),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a fleet's work: `repeated` deliveries are allowed, all else is not.

    Lost is an end that was not told, and an event that was recorded and not told. (A state that
    no look met is neither: the next one names it as skipped.)
    """

    lost: int
    forked: int
    overtaken: int
    repeated: int
    invented: int


def _script(dice: Random, first: float, last: float) -> Script:
    end = dice.uniform(first, last)
    queued = end * dice.uniform(0.3, 0.8)
    return (("queued", queued), ("dreaming", end - queued), ("completed", None))


@asynccontextmanager
async def opened(
    folder: Path, server: Server, *, pace: Pace = QUICK, entry: str = QUICKLY
) -> AsyncIterator[Fleet]:
    """Open a fleet without replicas; now and then the receiver refuses, and it is never quick."""
    dice = Random(7)
    answers = [
        Scripted(status=503 if dice.random() < 0.03 else 200, pause=dice.uniform(0, 0.03))
        for _ in range(20_000)
    ]
    clock = SystemClock()
    database = server.database()
    try:
        async with AsyncExitStack() as stack:
            upstream = await stack.enter_async_context(Upstream(clock=clock, key=API_KEY))
            receiver = await stack.enter_async_context(
                Receiver(clock=clock, keys=[KEY], answers=answers)
            )
            fleet = Fleet(
                *(folder, server, database, upstream, receiver, stack, None),
                pace=pace,
                asked=upstream.url("luma-agents"),
                told_at=receiver.url,
                direct=database,
                entry=entry,
            )
            yield fleet
            if fleet.connection is not None:
                await fleet.connection.close()
    finally:
        server.drop(database)
