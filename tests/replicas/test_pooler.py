"""A pooler in transaction mode between the replicas and the server; sessions go past it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.postgres import NAMED, Server, serving
from tests.replicas.fleet import opened
from tests.replicas.pooler import PROGRAM, pooling, through

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

COUNT = 200


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def pooled() -> Iterator[tuple[Server, int]]:
    if PROGRAM is None:
        pytest.skip("no pgbouncer (Debian: pgbouncer)")
    with serving() as server:
        if server.folder is None:
            pytest.skip(f"the server that {NAMED} names may ask the pooler for a password")
        with pooling(server) as port:
            yield server, port


async def test_replicas_share_the_work_behind_a_pooler(
    pooled: tuple[Server, int], tmp_path: Path
) -> None:
    server, port = pooled
    async with opened(tmp_path, server) as fleet:
        fleet.session_url = fleet.direct
        fleet.database = through(fleet.direct, port)
        fleet.generations(COUNT)
        await fleet.add(3)
        await fleet.seconds(lambda owned: sum(count > 0 for count in owned.values()) == 3)
        fleet.begin_anew(first=2.0, last=8.0)
        victim = fleet.replicas[0]
        id_ = victim.me
        await victim.kill()
        await fleet.seconds(lambda owned: not owned.get(id_))
        await fleet.all_told()
        verdict = await fleet.verdict()
        pids = await fleet.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND application_name = 'genbridge session'"
        )
        assert pids[0][0] == 2
        for replica in fleet.replicas[1:]:
            assert await replica.stop() == 0
    assert (verdict.lost, verdict.forked, verdict.overtaken, verdict.invented) == (0,) * 4


async def test_a_pooler_without_a_way_past_it_is_refused_with_the_way_out(
    pooled: tuple[Server, int], tmp_path: Path
) -> None:
    server, port = pooled
    async with opened(tmp_path, server) as fleet:
        fleet.database = through(fleet.direct, port)
        one = await fleet.enter()
        one.configure(fleet.settings())
        await one.begin()
        assert await one.ended() == 2
        assert "`session_url`" in one.text
