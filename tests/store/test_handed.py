"""Which watches a run has handed out, and what it does when it cannot know."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.watch import Origin
from bridge.errors import StoreUnavailable
from bridge.store.handed import Handed
from tests.store.world import SqliteWorld, watching, wish


@given(st.data())
def test_every_watch_is_handed_out_exactly_once(data: st.DataObject) -> None:
    there, handed, given_out = list(range(1, 9)), Handed(), []
    walking = True
    for _ in range(12):
        if walking and data.draw(st.booleans()):
            wanted = data.draw(st.integers(1, 4))
            page = [id_ for id_ in there if id_ > handed.cursor][:wanted]
            found = [id_ for id_ in page if id_ not in handed]
            walking = len(page) == wanted
            handed.walked(page[-1] if walking else None, found)
        else:
            found = [there[-1] + 1]
            there += found
            assert found[0] not in handed
            handed.add(found)
        given_out += found
    while walking:
        page = [id_ for id_ in there if id_ > handed.cursor][:3]
        found = [id_ for id_ in page if id_ not in handed]
        walking = len(page) == 3
        handed.walked(page[-1] if walking else None, found)
        given_out += found
    assert sorted(given_out) == there
    assert all(id_ in handed for id_ in there)


@pytest.mark.anyio
async def test_after_a_failed_registration_whatever_runs_is_handed_out_again(
    sqlite: SqliteWorld,
) -> None:
    watch = await watching(sqlite.store)
    connection = sqlite.store._file._connected()  # noqa: SLF001  (a real SQLITE_READONLY)
    connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable):
        await sqlite.store.register([wish("g2")])
    connection.execute("PRAGMA query_only = OFF")
    assert (await sqlite.store.register([wish()])).started == (watch,)
    assert (await sqlite.store.register([wish()])).started == ()


@pytest.mark.anyio
async def test_a_file_whose_outcome_is_unknown_is_registered_again(tmp_path: Path) -> None:
    world = SqliteWorld(tmp_path / "genbridge.db")
    await world.open()
    await world.store.webhooks(["name:one"])
    wishes = [wish("g1", origin=Origin.FILE)]
    first = await world.store.configure(wishes, "1")
    connection = world.store._file._connected()  # noqa: SLF001  (a real SQLITE_READONLY)
    connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable):
        await world.store.configure(wishes, "2")
    connection.execute("PRAGMA query_only = OFF")
    assert (await world.store.configure(wishes, "1")).started == first.started
    await world.close()
