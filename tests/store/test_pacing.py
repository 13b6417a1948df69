"""What every store promises about what looks have taught: kept, added up, and not for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.discovery import Discovery
from bridge.core.pacing.grid import BINS, LAYOUT
from bridge.core.pacing.heirloom import Heirloom
from bridge.core.pacing.saved import MOST, SavedTable
from bridge.store import pacing
from tests.store.postgres_world import PostgresWorld
from tests.store.world import SqliteWorld, World

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
KEEP = {"attempts": 30 * DAY, "bodies": 7 * DAY, "deliveries": 90 * DAY}


def table(
    model: str = "ray-2",
    state: str = "dreaming",
    *,
    weight: float = 4.0,
    bin_: int = 7,
    strain: float = 1.25,
    layout: str = LAYOUT,
) -> SavedTable:
    """Return what `weight` changes in one bin have taught."""
    n, x = [0.0] * BINS, [0.0] * BINS
    n[bin_], x[bin_], x[0] = weight, weight / 3, 0.1
    return SavedTable(
        model=model,
        state=state,
        layout=layout,
        n=tuple(n),
        x=tuple(x),
        weight=weight,
        strain=strain,
    )


async def test_what_was_learnt_outlives_a_restart_bit_for_bit(world: World) -> None:
    tables = (table(), table("", "*", weight=1 / 3, strain=0.1 + 0.2))
    await world.store.save_pace("luma", tables)
    await world.restart()
    found = await world.store.pace("luma")
    assert (sorted(found.own, key=str), found.others) == (sorted(tables, key=str), ())
    assert await world.store.pace("aiml") == Heirloom()


async def test_a_table_that_is_saved_again_takes_the_place_of_its_former_self(
    world: World,
) -> None:
    await world.store.save_pace("luma", [table(), table("other")])
    await world.store.save_pace("luma", [table(weight=9.0, bin_=20)])
    found = {one.model: one for one in (await world.store.pace("luma")).own}
    assert found == {"ray-2": table(weight=9.0, bin_=20), "other": table("other")}


async def test_saving_nothing_changes_nothing(world: World) -> None:
    await world.store.save_pace("luma", [table()])
    await world.store.save_pace("luma", [])
    assert (await world.store.pace("luma")).own == (table(),)


async def test_more_tables_than_one_statement_takes_are_saved(world: World) -> None:
    await world.store.save_pace("luma", [table(f"m{i}") for i in range(250)])
    found = (await world.store.pace("luma")).own
    assert {one.model for one in found} == {f"m{i}" for i in range(250)}


async def test_models_of_any_name_are_kept(world: World) -> None:
    names = ["a\0b", "\ud800", "é\U0001f680'\\", "x" * 5000, "x" * 5001]
    await world.store.save_pace("luma", [table(name) for name in names])
    found = (await world.store.pace("luma")).own
    # Two that only differ behind the 2000th character are one.
    assert sorted(one.model for one in found) == sorted(
        ["ab", "\ufffd", "é\U0001f680'\\", "x" * 2000]
    )


async def test_what_is_not_used_any_more_goes_with_the_retention(world: World) -> None:
    since = datetime(2026, 11, 21, tzinfo=UTC)
    await world.store.save_pace("luma", [table("old"), table()])
    await world.store.set_discovery(Discovery(source="luma", since=since))
    world.clock.pass_(60 * DAY)
    await world.store.save_pace("luma", [table()])
    await world.store.set_discovery(Discovery(source="aiml", since=since))
    world.clock.pass_(40 * DAY)
    assert await world.store.prune(**KEEP) == 2
    assert (await world.store.pace("luma")).own == (table(),)
    assert await world.store.discovery("luma") is None
    assert await world.store.discovery("aiml") is not None


async def test_rounds_go_on_where_they_were(world: World) -> None:
    assert await world.store.discovery("luma") is None
    since = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)
    first = Discovery(source="luma", since=since)
    await world.store.set_discovery(first)
    world.clock.pass_(timedelta(seconds=5))
    done = Discovery(source="luma", since=since, anchor=("g9", "é\U0001f680/", "\ud800"))
    await world.store.set_discovery(done)
    await world.restart()
    found = await world.store.discovery("luma")
    assert found is not None
    assert found.since == since
    assert found.anchor == ("g9", "é\U0001f680/", "\ufffd")
    assert found.updated_at == world.clock.now()


# ---------------------------------------------------------------- what only tables can hold


async def test_a_row_that_cannot_be_read_is_learnt_anew(sqlite: SqliteWorld) -> None:
    await sqlite.store.save_pace("luma", [table(), table("other")])
    sqlite.sql("UPDATE pace SET n = '[1, null]' WHERE model = 'ray-2'")
    assert (await sqlite.store.pace("luma")).own == (table("other"),)
    sqlite.sql("UPDATE pace SET x = '[1.0]' WHERE model = 'other'")
    assert (await sqlite.store.pace("luma")).own == ()


# ---------------------------------------------------------------- several replicas


async def joined(postgres: PostgresWorld) -> PostgresWorld:
    other = PostgresWorld(postgres.url)
    other.clock = postgres.clock
    await other.open()
    return other


async def test_what_others_have_learnt_is_lent(postgres: PostgresWorld) -> None:
    other = await joined(postgres)
    await postgres.store.save_pace("luma", [table()])
    found = await other.store.pace("luma")
    assert (found.own, found.others) == ((), (table(),))
    await other.store.save_pace("luma", [table(weight=2.0)])
    found = await postgres.store.pace("luma")
    assert (found.own, found.others) == ((table(),), (table(weight=2.0),))
    await other.close()


async def test_what_the_dead_have_learnt_is_taken_up_once(postgres: PostgresWorld) -> None:
    for weight in (1.0, 2.0):
        gone = await joined(postgres)
        await gone.store.save_pace("luma", [table(weight=weight)])
        await gone.close()
    living = await joined(postgres)
    await living.store.save_pace("luma", [table(weight=4.0, bin_=9)])
    await postgres.store.save_pace("luma", [table(weight=8.0)])
    found = await postgres.store.pace("luma")
    (own,) = found.own
    assert (own.weight, own.n[7], own.strain) == (11.0, 11.0, 1.25)
    assert found.others == (table(weight=4.0, bin_=9),)
    # It is on the disk, and nobody finds it a second time.
    assert (await living.store.pace("luma")).others == (own,)
    rows = await postgres.sql("SELECT replica FROM pace ORDER BY replica")
    assert [row[0] for row in rows] == [postgres.store.me, living.store.me]
    await living.close()


async def test_replicas_that_come_and_go_leave_one_row(postgres: PostgresWorld) -> None:
    for _ in range(5):
        one = await joined(postgres)
        (found,) = (await one.store.pace("luma")).own or (table(weight=400.0),)
        await one.store.save_pace("luma", [found])
        await one.close()
    ((count, weight),) = await postgres.sql("SELECT count(*), sum(weight) FROM pace")
    assert (count, weight) == (1, 400.0)


async def test_no_sum_weighs_more_than_a_table_that_has_seen_ever_so_many(
    postgres: PostgresWorld,
) -> None:
    for _ in range(2):
        gone = await joined(postgres)
        await gone.store.save_pace("luma", [table(weight=800.0)])
        await gone.close()
    ((own),) = (await postgres.store.pace("luma")).own
    assert own.weight == pytest.approx(MOST)
    assert own.n[7] == pytest.approx(MOST)


async def test_what_counts_in_other_bins_stays_for_whom_it_is(
    postgres: PostgresWorld,
) -> None:
    gone = await joined(postgres)
    await gone.store.save_pace("luma", [table(), table("m", layout="64:1:900")])
    await gone.close()
    assert (await postgres.store.pace("luma")).own == (table(),)
    rows = await postgres.sql("SELECT model, layout FROM pace ORDER BY model")
    assert [tuple(row) for row in rows] == [("m", "64:1:900"), ("ray-2", LAYOUT)]


# ---------------------------------------------------------------- laws

numbers = st.floats(0, 1e12, allow_subnormal=False)


@settings(max_examples=25)
@given(
    st.lists(numbers, min_size=BINS, max_size=BINS),
    st.lists(numbers, min_size=BINS, max_size=BINS),
    st.floats(0, MOST),
    st.floats(0, 4),
)
def test_whatever_is_saved_is_loaded(
    n: list[float], x: list[float], weight: float, strain: float
) -> None:
    one = SavedTable(
        model="m",
        state="*",
        layout=LAYOUT,
        n=tuple(n),
        x=tuple(x),
        weight=weight,
        strain=strain,
    )
    (query,) = pacing.save("luma", [one], me=1)
    (row,) = query.rows
    asking = pacing.inherit("luma", me=1)
    next(asking)
    asking.send([])
    with pytest.raises(StopIteration) as done:
        asking.send([(*row, 1)])
    (found,) = done.value.value.own
    assert found == replace(one, strain=found.strain)
    assert found.strain == pytest.approx(strain if weight else 1.0)
