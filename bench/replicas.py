"""Several replicas on one PostgreSQL: what the server is asked, and how soon others take over.

Three daemons watch `--count` generations with looks every two seconds. First nothing changes, then
`--rate` states a second do. Then a fourth one joins, one is killed, one is frozen (with the usual
pace, unless `--silent` says otherwise), one loses its connections, and the server is restarted.
Everything shares this machine's cores, the provider and the receiver too.

usage: python -m bench.replicas [--count 10000] [--rate 1000] [--seconds 8] [--silent 30]
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import looked, receiver
from bench.daemon import SECRET
from tests.fakes.postgres import Server, serving

SETTINGS = (
    "shared_preload_libraries=pg_stat_statements",
    "pg_stat_statements.track=all",
    "autovacuum_naptime=10s",
)

SERVER = 0.5
"""Cores that the server may use."""

LOCK = "FROM pg_locks WHERE locktype = 'advisory' AND objid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What has been counted until a moment."""

    at: float
    looks: int
    posts: int
    statements: int
    commits: int
    updates: int
    wal: int
    server: float
    replicas: float


class Fleet:
    """The daemons, their database, and what can be counted of them."""

    def __init__(
        self, server: Server, database: str, upstream: str, port: int, folder: Path
    ) -> None:
        self.server = server
        self.database = database
        self.upstream = upstream
        self.port = port
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def configure(self, count: int) -> None:
        """Write the configuration that all of them share."""
        luma: dict[str, object] = {
            "provider": "luma-agents",
            "api_key": "key",
            "base_url": self.upstream,
        }
        luma |= {"rate_limit": "100000/s", "looks": 1, "interval": "2s"}
        hook = {"url": f"http://127.0.0.1:{self.port}/hook", "secret": SECRET}
        config = {
            "database": self.database,
            "server": {"listen": "off"},
            "network": {"allow": ["127.0.0.0/8"]},
            "sources": {"luma": {**luma, "max_connections": 200}},
            "webhooks": {"bench": {**hook, "concurrency": 96}},
            "watches": [{"source": "luma", "ids": [f"g{i}" for i in range(count)]}],
        }
        (self.folder / "config.json").write_text(json.dumps(config))

    def add(self, pace: str) -> subprocess.Popen[bytes]:
        """Begin one more."""
        log = (self.folder / f"log{len(self.processes)}").open("wb")
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.replicas.quick"),
                *("run", "-c", str(self.folder / "config.json")),
            ],
            env={**os.environ, "PACE": pace, "LEVEL": "warning"},
            stderr=log,
            stdout=log,
        )
        log.close()
        self.processes.append(process)
        return process

    def sql(self, text: str) -> list[list[str]]:
        """Ask the database; while the server is away, wait."""
        while True:
            try:
                return self.server.sql(text, self.database)
            except AssertionError:
                time.sleep(0.05)

    def owned(self) -> dict[int, int]:
        """Return how many watches each replica owns, the dead ones too."""
        rows = self.sql(
            "SELECT r.id, count(w.id) FROM replicas r LEFT JOIN watches w ON w.owner = r.id"
            " GROUP BY r.id"
        )
        return {int(id_): int(count) for id_, count in rows}

    def living(self) -> set[int]:
        """Return the replicas that count as alive."""
        return {
            int(r[0]) for r in self.sql("SELECT id FROM replicas WHERE dead_at IS NULL")
        }

    def seconds(
        self, so: Callable[[dict[int, int]], bool], patience: float = 90.0
    ) -> float:
        """Return how long it takes until the owners are so; not a number where they never are."""
        began = time.perf_counter()
        while not so(self.owned()):
            if time.perf_counter() - began > patience:
                return float("nan")
            time.sleep(0.05)
        return time.perf_counter() - began

    def mark(self) -> Mark:
        """Count everything."""
        ((statements, commits, updates, wal),) = self.sql(
            "SELECT (SELECT sum(calls) FROM pg_stat_statements), xact_commit, tup_updated,"
            " pg_current_wal_lsn() - '0/0'::pg_lsn"
            " FROM pg_stat_database WHERE datname = current_database()"
        )
        return Mark(
            at=time.perf_counter(),
            looks=looked.asked(f"{self.upstream}/count"),
            posts=looked.asked(f"http://127.0.0.1:{self.port}/"),
            statements=int(statements),
            commits=int(commits),
            updates=int(updates),
            wal=int(wal),
            server=self._server_cpu(),
            replicas=sum(_cpu(p.pid) for p in self.processes if p.poll() is None),
        )

    def _server_cpu(self) -> float:
        """Return seconds of CPU of the server and of every process it has had."""
        pid = self.server.pid()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return _cpu(pid, ended=True) + sum(_cpu(int(child)) for child in children)


def _cpu(pid: int, *, ended: bool = False) -> float:
    """Return seconds of CPU that a process has used, and its ended children, too."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def fleet() -> Iterator[Fleet]:
    """Open a fleet without daemons, its database on the disk of this folder."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(*SETTINGS, memory=False))
        database = server.database()
        server.sql("CREATE EXTENSION pg_stat_statements", database)
        upstream = stack.enter_context(looked.running())
        port = stack.enter_context(receiver.running())
        folder = stack.enter_context(TemporaryDirectory(dir=Path.cwd(), prefix=".bench-"))
        one = Fleet(server, database, upstream, port, Path(folder))
        try:
            yield one
        finally:
            for process in one.processes:
                if process.poll() is None:
                    process.send_signal(signal.SIGCONT)
                    process.terminate()
            for process in one.processes:
                process.wait(30)


def show(what: str, a: Mark, b: Mark) -> None:
    """Print what happened between two marks, a second."""
    span = b.at - a.at
    print(
        f"{what:24} {(b.looks - a.looks) / span:7.0f} looks/s {(b.posts - a.posts) / span:6.0f}"
        f" POSTs/s; server: {(b.statements - a.statements) / span:6.0f} statements/s"
        f" {(b.commits - a.commits) / span:6.0f} commits/s"
        f" {(b.updates - a.updates) / span:6.0f} row updates/s"
        f" {(b.wal - a.wal) / span / 1024:7.0f} KiB WAL/s"
        f" {(b.server - a.server) / span:5.2f} cores ({SERVER} allowed);"
        f" replicas {(b.replicas - a.replicas) / span:5.2f} cores",
        flush=True,
    )


def load(one: Fleet, count: int, rate: int, seconds: float) -> None:
    """Measure three replicas with and without changes."""
    while one.sql("SELECT count(*) FROM events")[0][0] != str(count):
        time.sleep(0.2)
    time.sleep(3)
    a = one.mark()
    time.sleep(seconds)
    b = one.mark()
    show("nothing changes", a, b)
    looked.asked(f"{one.upstream}/go?{rate}")
    time.sleep(3)
    a = one.mark()
    time.sleep(min(seconds, count / rate - 4))
    b = one.mark()
    show(f"{rate} changes a second", a, b)
    time.sleep(4)


def faults(one: Fleet, count: int, pace: str) -> None:
    """Measure how soon the others take over."""
    before = one.living()
    began = time.perf_counter()
    one.add(pace)
    while not (new := one.living() - before):
        time.sleep(0.02)
    entered = time.perf_counter() - began
    (id_,) = new
    took = one.seconds(lambda owned: owned.get(id_, 0) >= 0.9 * count / 4)
    print(
        f"a fourth joins: entered after {entered:.1f} s, its share after {took:.1f} s more"
    )
    ids = _ids(one)
    one.processes[0].kill()
    took = one.seconds(lambda owned: not owned.get(ids[0]))
    print(
        f"one is killed: all its watches have another owner after {took:.1f} s", flush=True
    )
    one.processes[1].send_signal(signal.SIGSTOP)
    took = one.seconds(lambda owned: not owned.get(ids[1]))
    print(
        f"one is frozen: all its watches have another owner after {took:.1f} s", flush=True
    )
    one.processes[1].send_signal(signal.SIGCONT)
    _returns(one, ids)
    _restart(one)


def _returns(one: Fleet, ids: dict[int, int]) -> None:
    began = time.perf_counter()
    while len(one.living()) < 3:
        time.sleep(0.02)
    print(f"thawed: back under a new id after {time.perf_counter() - began:.1f} s")
    before, began = one.living(), time.perf_counter()
    one.sql(f"SELECT pg_terminate_backend(pid) {LOCK} = {ids[2]}")
    while not one.sql(f"SELECT 1 {LOCK} = {ids[2]}"):
        time.sleep(0.02)
    took = time.perf_counter() - began
    print(f"its session is cut: lock back after {took:.1f} s, {_loss(one, before)}")


def _restart(one: Fleet) -> None:
    before, began = one.living(), time.perf_counter()
    one.server.control("-m", "immediate", "-w", "restart")
    up = time.perf_counter() - began
    looks = looked.asked(f"{one.upstream}/count")
    time.sleep(0.2)
    while looked.asked(f"{one.upstream}/count") < looks + 1000:
        time.sleep(0.02)
    took = time.perf_counter() - began
    time.sleep(6)
    print(
        f"the server is restarted: up after {up:.1f} s, looks go on after {took:.1f} s,"
        f" {_loss(one, before)}"
    )


def _loss(one: Fleet, before: set[int]) -> str:
    dead = before - one.living()
    return f"{len(dead)} declared dead" if dead else "nobody declared dead"


def _ids(one: Fleet) -> dict[int, int]:
    """Return the replicas' ids by the places of their processes."""
    names = {r[1]: int(r[0]) for r in one.sql("SELECT id, name FROM replicas")}
    return {
        place: next(id_ for name, id_ in names.items() if name.endswith(f":{process.pid}"))
        for place, process in enumerate(one.processes)
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--silent", type=float, default=30.0)
    options = parser.parse_args()
    pace = json.dumps({"silent": options.silent, "beat": options.silent / 6})
    with fleet() as one:
        one.configure(options.count)
        for _ in range(3):
            one.add(pace)
        load(one, options.count, options.rate, options.seconds)
        faults(one, options.count, pace)


if __name__ == "__main__":
    main()
