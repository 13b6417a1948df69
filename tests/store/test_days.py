"""On a server the log of attempts lies in days: made ahead, dropped whole."""

from datetime import timedelta

import anyio
import asyncpg
import pytest

from bridge.core.delivering.delivery import Delivery
from bridge.core.ladder import State
from bridge.store.days import AHEAD
from bridge.store.postgres import PostgresStore
from tests.store.postgres_world import PostgresWorld
from tests.store.world import announced, claimed, settled, uids, watching

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
KEEP = {"attempts": 30 * DAY, "bodies": 7 * DAY, "deliveries": 90 * DAY}


async def partitions(world: PostgresWorld) -> dict[str, int]:
    """Return how many attempts each partition has."""
    rows = await world.sql(
        "SELECT relname::text, (SELECT count(*) FROM attempts a WHERE a.tableoid = c.oid)"
        " FROM pg_class c JOIN pg_inherits ON inhrelid = c.oid"
        " WHERE inhparent = 'attempts'::regclass ORDER BY 1"
    )
    return {name.removeprefix("attempts_"): count for name, count in rows}


async def attempted(world: PostgresWorld, id_: str) -> Delivery:
    await announced(world.store, await watching(world.store, id_), State.QUEUED)
    (one,) = await claimed(world.store)
    await world.store.write([], [settled(one)])
    return one


async def test_today_and_the_days_ahead_are_there_from_the_start(
    postgres: PostgresWorld,
) -> None:
    days = await partitions(postgres)
    assert sorted(days) == ["20261121", "20261122", "20261123", "20261124", "default"]
    assert len(days) == AHEAD + 2


async def test_an_attempt_lies_in_its_day_and_the_default_stays_empty(
    postgres: PostgresWorld,
) -> None:
    await attempted(postgres, "g1")
    postgres.clock.pass_(DAY)
    await attempted(postgres, "g2")
    days = await partitions(postgres)
    assert (days["20261121"], days["20261122"], days["default"]) == (1, 1, 0)


async def test_a_day_goes_once_all_of_it_is_old(postgres: PostgresWorld) -> None:
    one = await attempted(postgres, "g1")
    postgres.clock.pass_(30 * DAY)
    await postgres.store.prune(**KEEP)
    assert (await partitions(postgres))["20261121"] == 1
    postgres.clock.pass_(DAY)
    await postgres.store.prune(**KEEP)
    days = await partitions(postgres)
    assert "20261121" not in days
    assert days["20261222"] == 0
    history = await postgres.store.history(one.id)
    assert history is not None
    assert history.attempts == ()


async def test_what_came_before_its_day_was_made_stays_in_the_default_and_goes_by_rows(
    postgres: PostgresWorld,
) -> None:
    postgres.clock.pass_(10 * DAY)
    await attempted(postgres, "g1")
    await postgres.store.prune(**KEEP)
    days = await partitions(postgres)
    assert days["default"] == 1
    assert "20261201" not in days
    assert "20261202" in days
    await attempted(postgres, "g2")
    assert (await partitions(postgres))["default"] == 2
    postgres.clock.pass_(31 * DAY)
    assert await postgres.store.prune(**KEEP) == 2
    assert (await partitions(postgres))["default"] == 0


async def test_replicas_make_the_same_day_once(postgres: PostgresWorld) -> None:
    other = await PostgresStore.open(
        postgres.url,
        uid=uids().__next__,
        prepare=postgres._turn_clock,  # noqa: SLF001  (its clock)
    )
    postgres.clock.pass_(2 * DAY)
    async with other, anyio.create_task_group() as tasks:
        for store in (postgres.store, other) * 3:
            tasks.start_soon(lambda one: one.prune(**KEEP), store)
    assert sorted(await partitions(postgres))[-2:] == ["20261126", "default"]


async def test_a_delivery_takes_its_attempts_along_from_every_day(
    postgres: PostgresWorld,
) -> None:
    one = await attempted(postgres, "g1")
    await postgres.store.retry(one.id)
    postgres.clock.pass_(DAY)
    (again,) = await claimed(postgres.store)
    await postgres.store.write([], [settled(again)])
    await postgres.sql("DELETE FROM watches")
    assert await postgres.attempts() == []


async def test_a_store_opens_while_somebody_reads_the_log_for_long(
    postgres: PostgresWorld,
) -> None:
    postgres.clock.pass_(5 * DAY)
    reader = await asyncpg.connect(postgres.url)
    async with reader.transaction():
        await reader.fetch("SELECT count(*) FROM attempts")
        await postgres.restart()
        await attempted(postgres, "g1")
    await reader.close()
    assert (await partitions(postgres))["default"] == 1
